"""Detection of emulation: whether this program, or this whole machine, runs on an emulator of another processor."""
