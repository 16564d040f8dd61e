"""Decoding of detectors' outputs to boxes: the documented formats, one module each."""
