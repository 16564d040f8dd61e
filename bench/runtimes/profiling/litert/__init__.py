"""LiteRT's profiler, through the C API of its library."""
