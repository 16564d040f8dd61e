"""Records of nights: what `edge-bench nightly` measured, found and reported."""
