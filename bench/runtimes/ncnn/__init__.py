"""ncnn on the CPU, for .param files with their weights in a .bin file beside them."""
