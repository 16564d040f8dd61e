"""`edge-bench tune`: settings of the kernel that make times steady, changed and restored."""
