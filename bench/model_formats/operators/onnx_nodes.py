"""Nodes of an .onnx model's graph, and the shapes of its constants, in pure Python.

Field numbers: onnx/onnx.proto (ONNX 1.17). Graphs inside nodes, such as bodies of loops, are not read.
"""

from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.protobuf import LENGTH, MAX_FILE_BYTES, VARINT, MessageReader

__all__ = ["OnnxNode", "OnnxNodes", "named_copy", "node_name", "read_onnx_nodes"]

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # of a ModelProto; of a GraphProto
_INPUT, _OUTPUT, _NAME, _KIND, _ATTRIBUTE = 1, 2, 3, 4, 5  # of a NodeProto
_ATTRIBUTE_NAME, _INTEGER = 1, 3  # of an AttributeProto
_DIMS, _DATA_TYPE, _TENSOR_NAME = 1, 2, 8  # of a TensorProto
#: Names of TensorProto.DataType, as NumPy has them.
_TYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool",
          10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16"}  # fmt: skip
MAX_NODES, MAX_TEXT, MAX_AXES = 200_000, 4096, 64


class OnnxNode(NamedTuple):
    """A node of the main graph."""

    name: str
    kind: str  # such as Conv
    inputs: tuple[str, ...]  # names of tensors; empty for an omitted one
    outputs: tuple[str, ...]
    integers: dict[str, int]  # attributes with one integer


class OnnxNodes(NamedTuple):
    """The nodes of the main graph in the order of the file, and types and shapes of its constants by name."""

    nodes: list[OnnxNode]
    constants: dict[str, tuple[str, tuple[int, ...]]]


def read_onnx_nodes(path: Path) -> OnnxNodes:
    """Read the nodes. Raise OSError if the file cannot be read, ValueError if it is not a valid .onnx file."""
    with mapped(path, MAX_FILE_BYTES) as data:
        return _Reader(data).graph()


class _Reader(MessageReader):
    """The nodes of the main graph."""

    def graph(self) -> OnnxNodes:
        """Return nodes and constants."""
        nodes, constants = list[OnnxNode](), dict[str, tuple[str, tuple[int, ...]]]()
        for start, end in self.messages(_GRAPH, 0, len(self.data)):
            for number, kind, first, last in self.fields(start, end):
                if kind == LENGTH and number == _NODE:
                    nodes.append(self._node(first, last))
                elif kind == LENGTH and number == _INITIALIZER:
                    constants |= self._constant(first, last)
                if len(nodes) + len(constants) > MAX_NODES:
                    raise ValueError(f"more than {MAX_NODES:,} nodes and constants")
        if not nodes:
            raise ValueError("it has no nodes")
        return OnnxNodes(nodes, constants)

    def _node(self, start: int, end: int) -> OnnxNode:
        inputs, outputs, texts, integers = list[str](), list[str](), {_NAME: "", _KIND: ""}, dict[str, int]()
        for number, kind, first, last in self.fields(start, end):
            if kind != LENGTH:
                continue
            if number in (_INPUT, _OUTPUT):
                (inputs if number == _INPUT else outputs).append(self._short(first, last))
            elif number in texts:
                texts[number] = self._short(first, last)
            elif number == _ATTRIBUTE:
                integers |= self._integer(first, last)
        return OnnxNode(texts[_NAME], texts[_KIND], tuple(inputs), tuple(outputs), integers)

    def _constant(self, start: int, end: int) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return name, type and shape of a TensorProto. Unknown types have their number as a name."""
        name, kind, sizes = "", 0, list[int]()
        for number, wire, first, last in self.fields(start, end):
            if number == _TENSOR_NAME and wire == LENGTH:
                name = self._short(first, last)
            elif number == _DATA_TYPE and wire == VARINT:
                kind = self.varint(first, last)[0]
            elif number == _DIMS and wire == VARINT:
                sizes.append(self.varint(first, last)[0])
            elif number == _DIMS and wire == LENGTH:
                place = first
                while place < last and len(sizes) <= MAX_AXES:
                    size, place = self.varint(place, last)
                    sizes.append(size)
        if len(sizes) > MAX_AXES or max(sizes, default=0) >= 1 << 62:
            raise ValueError("a constant with an invalid shape")
        return {name: (_TYPES.get(kind, str(kind)), tuple(sizes))}

    def _integer(self, start: int, end: int) -> dict[str, int]:
        values = [self.varint(first, last)[0] for number, kind, first, last in self.fields(start, end)
                  if number == _INTEGER and kind == VARINT]  # fmt: skip
        return {self._text_field(_ATTRIBUTE_NAME, start, end): values[-1]} if values else {}

    def _text_field(self, wanted: int, start: int, end: int) -> str:
        found = ""
        for number, kind, first, last in self.fields(start, end):
            if number == wanted and kind == LENGTH:
                found = self._short(first, last)
        return found

    def _short(self, start: int, end: int) -> str:
        if end - start > MAX_TEXT:
            raise ValueError(f"a name of {end - start:,} bytes")
        return self.text(start, end)


def node_name(number: int) -> str:
    """Return the name of a node in `named_copy`, by its position."""
    return f"node {number}"


def named_copy(model: bytes) -> bytes:
    """Return the model with a unique name for each node of its main graph (`node_name`).

    Of a field that a message has twice, readers take the last one. So the name is added to the node's other fields.
    Raise ValueError if it is not a valid .onnx file.
    """
    reader, parts, done = MessageReader(model), list[bytes](), 0
    for number, kind, start, end in reader.fields(0, len(model)):
        if number == _GRAPH and kind == LENGTH:
            graph = _with_names(reader, start, end)
            parts += [model[done : start - len(_varint(end - start))], _varint(len(graph)), graph]
            done = end
    return b"".join([*parts, model[done:]])


def _with_names(reader: MessageReader, start: int, end: int) -> bytes:
    model, parts, done, count = reader.data, list[bytes](), start, 0
    for number, kind, first, last in reader.fields(start, end):
        if number == _NODE and kind == LENGTH:
            name = node_name(count).encode()
            field = bytes([_NAME << 3 | LENGTH]) + _varint(len(name)) + name
            parts += [bytes(model[done : first - len(_varint(last - first))]), _varint(last - first + len(field))]
            parts += [bytes(model[first:last]), field]
            done, count = last, count + 1
    return b"".join([*parts, bytes(model[done:end])])


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
