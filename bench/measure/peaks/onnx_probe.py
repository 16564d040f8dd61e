"""Writer of a probe as .onnx, without the onnx package, which edge devices do not have.

Field numbers: onnx/onnx.proto (ONNX 1.17). Wire format: protobuf.dev/programming-guides/encoding.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.measure.peaks.probes import INPUT_SCALE, LAYERS, WEIGHT_SCALE, Probe

__all__ = ["write_onnx_probe"]

_TYPES = {"float32": 1, "uint8": 2, "int8": 3}  # TensorProto.DataType
_INTS = 7  # AttributeProto.AttributeType
_IR_VERSION, _OPSET = 8, 13
#: Zero point of uint8 activations, which ONNX Runtime has kernels for on all processors.
_MIDDLE = 128


def write_onnx_probe(probe: Probe, path: Path, quantized: bool) -> npt.NDArray[Any]:
    """Write the model, float32 or 8-bit (uint8 activations, int8 weights); return values for its input."""
    values = probe.inputs(quantized=quantized, channels_first=True, kind=np.uint8)
    nodes, constants, name = list[bytes](), list[bytes](), "x"
    scales = {"input_scale": np.float32(INPUT_SCALE), "weight_scale": np.float32(WEIGHT_SCALE)}
    points = {"input_zero": np.uint8(_MIDDLE), "weight_zero": np.int8(0)}
    if quantized:
        constants += [_tensor(each, np.asarray(value)) for each, value in {**scales, **points}.items()]
    for layer in range(LAYERS):
        weights = probe.weights(layer, quantized=quantized, channels_first=True)
        constants.append(_tensor(f"w{layer}", weights))
        output = "y" if layer == LAYERS - 1 else f"h{layer}"
        nodes.append(_layer(probe, name, f"w{layer}", output, quantized=quantized))
        name = output
    ports = [_port(each, values) for each in ("x", "y")]
    graph = [*(_message(1, node) for node in nodes), _text(2, "probe"), *(_message(5, each) for each in constants)]
    graph += [_message(11, ports[0]), _message(12, ports[1])]
    opset = _message(8, _number(2, _OPSET))
    path.write_bytes(_number(1, _IR_VERSION) + _message(7, b"".join(graph)) + opset)
    return np.asarray(values)


def _layer(probe: Probe, taken: str, weights: str, output: str, *, quantized: bool) -> bytes:
    """Return a node: a convolution with its padding, or a product with a square matrix."""
    kind = "Conv" if probe.kernel else "MatMul"
    inputs = [taken, weights]
    if quantized:
        kind = f"QLinear{kind}"
        inputs = [taken, "input_scale", "input_zero", weights, "weight_scale", "weight_zero"]
        inputs += ["input_scale", "input_zero"]  # of the output
    attributes = b""
    if probe.kernel:
        pads = b"".join(_number(8, probe.kernel // 2) for _ in range(4))
        attributes = _message(5, _text(1, "pads") + pads + _number(20, _INTS))
    return b"".join(_text(1, each) for each in inputs) + _text(2, output) + _text(4, kind) + attributes


def _tensor(name: str, values: npt.NDArray[Any]) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, _TYPES[values.dtype.name]) + _text(8, name) + _message(9, values.tobytes())


def _port(name: str, values: npt.NDArray[Any]) -> bytes:
    shape = b"".join(_message(1, _number(1, size)) for size in values.shape)
    tensor = _number(1, _TYPES[values.dtype.name]) + _message(2, shape)
    return _text(1, name) + _message(2, _message(1, tensor))


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    groups = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
