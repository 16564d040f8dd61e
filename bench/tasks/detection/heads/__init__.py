"""Outputs of detectors to boxes: the documented formats, one module each."""
