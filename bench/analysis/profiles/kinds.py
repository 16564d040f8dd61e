"""Kinds of operators without the spelling of a file format."""

import re

__all__ = ["plain_kind"]

#: Kinds of .tflite, .onnx and OpenVINO that do the same.
_SYNONYMS = {
    "convolution": "conv", "groupconvolution": "conv", "depthwiseconv": "conv", "groupconv": "conv",
    "convinteger": "conv", "fusedconv": "conv",
    "fullyconnected": "dense", "gemm": "dense", "fusedgemm": "dense", "matmul": "dense", "batchmatmul": "dense",
    "matmulinteger": "dense", "fusedmatmul": "dense",
    "globalaveragepool": "averagepool", "avgpool": "averagepool", "pooling": "averagepool",
    "globalmaxpool": "maxpool",
    "quantizelinear": "quantize", "fakequantize": "quantize", "dequantizelinear": "dequantize",
}  # fmt: skip


def plain_kind(kind: str) -> str:
    """Return ``conv`` for CONV_2D, Conv, QLinearConv and Convolution, and so on; lower-case letters only."""
    letters = re.sub(r"[^a-z]", "", re.sub(r"_?[123]d$", "", kind.lower())).removeprefix("qlinear")
    return _SYNONYMS.get(letters, letters)
