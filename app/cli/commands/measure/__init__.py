"""Commands that measure on this machine: run, offload, all, doctor."""
