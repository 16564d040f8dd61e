"""A whole emulated Raspberry Pi (qemu-system): to try the README's chapter without one, and to test it."""
