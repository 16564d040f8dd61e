"""Models of any size, written in constant memory: dense layers of 64 MiB each, whose weights are zero."""

import os
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tests.made.onnx import placed_tensor
from tests.made.tflite import TfliteBuilder

__all__ = ["LAYER_BYTES", "large_onnx", "large_tflite"]

_SIDE = 4096
LAYER_BYTES = 4 * _SIDE * _SIDE
_ALIGNMENT = 64


def large_tflite(path: Path, layers: int) -> Path:
    """Write a .tflite whose weights are behind its tables, as in files above 2 GB; they take no space on the disk."""
    tables = _tables(layers, 1 << 20)
    start = -(-len(tables) // _ALIGNMENT) * _ALIGNMENT
    path.write_bytes(_tables(layers, start))
    os.truncate(path, start + layers * LAYER_BYTES)
    return path


def _tables(layers: int, start: int) -> bytes:
    made = TfliteBuilder()
    taken = last = made.tensor(1, _SIDE)
    for number in range(layers):
        weights, given = made.tensor(_SIDE, _SIDE), made.tensor(1, _SIDE)
        made.model.buffers.append(schema.BufferT(offset=start + number * LAYER_BYTES, size=LAYER_BYTES))
        made.graph.tensors[weights].buffer = len(made.model.buffers) - 1
        biases = made.tensor(_SIDE, data=True)
        last = made.operator("FULLY_CONNECTED", [last, weights, biases], [given], schema.FullyConnectedOptionsT())
    return made.content([taken], [last])


def large_onnx(path: Path, layers: int, *, location: str = "") -> Path:
    """Write an .onnx whose weights are in it, or in a file at ``location``; they take no space on the disk."""
    from onnx import helper

    ports = [helper.make_tensor_value_info(name, 1, [1, _SIDE]) for name in ("x", "y")]
    names = ["x", *(f"h{number}" for number in range(1, layers)), "y"]
    nodes = [helper.make_node("MatMul", [names[n], f"w{n}"], [names[n + 1]]) for n in range(layers)]
    weights = [_weights(f"w{number}", number, location) for number in range(layers)]
    graph = helper.make_graph(nodes, "made", ports[:1], ports[1:], weights if location else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with path.open("wb") as file:
        file.write(model.SerializeToString())
        for tensor in () if location else weights:
            # a second graph field of the model, which is merged with the first: one constant, its values last
            head = tensor.SerializeToString() + _field_head(9, LAYER_BYTES)
            head = _field_head(5, len(head) + LAYER_BYTES) + head
            file.write(_field_head(7, len(head) + LAYER_BYTES) + head)
            file.seek(LAYER_BYTES, os.SEEK_CUR)
            file.truncate()
    if location:
        (path.parent / location).touch()
        os.truncate(path.parent / location, layers * LAYER_BYTES)
    return path


def _weights(name: str, number: int, location: str) -> Any:
    """Return a constant without values, or with their place in another file."""
    from onnx import TensorProto

    if not location:
        return TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[_SIDE, _SIDE])
    places = {"location": location, "offset": str(number * LAYER_BYTES), "length": str(LAYER_BYTES)}
    return placed_tensor(list(places.items()), [_SIDE, _SIDE], name=name)


def _field_head(number: int, length: int) -> bytes:
    """Return tag and length of a protobuf field with a length."""
    digits = []
    while length > 0x7F:
        digits.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *digits, length])
