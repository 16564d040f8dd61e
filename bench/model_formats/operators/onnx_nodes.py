"""Nodes of an .onnx model's graph, and the shapes of its constants, in pure Python.

Field numbers: onnx/onnx.proto (ONNX 1.17). Graphs inside nodes, such as bodies of loops, are not read.
"""

from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.protobuf import LENGTH, MAX_FILE_BYTES, VARINT, MessageReader

__all__ = ["OnnxNode", "OnnxNodes", "read_onnx_nodes"]

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5  # of a ModelProto; of a GraphProto
_INPUT, _OUTPUT, _NAME, _KIND, _ATTRIBUTE = 1, 2, 3, 4, 5  # of a NodeProto
_ATTRIBUTE_NAME, _INTEGER = 1, 3  # of an AttributeProto
_TENSOR_NAME = 8  # of a TensorProto
MAX_NODES, MAX_TEXT = 200_000, 4096


class OnnxNode(NamedTuple):
    """A node of the main graph."""

    name: str
    kind: str  # such as Conv
    inputs: tuple[str, ...]  # names of tensors; empty for an omitted one
    outputs: tuple[str, ...]
    integers: dict[str, int]  # attributes with one integer


class OnnxNodes(NamedTuple):
    """The nodes of the main graph in the order of the file, and the names of its constants."""

    nodes: list[OnnxNode]
    constants: frozenset[str]


def read_onnx_nodes(path: Path) -> OnnxNodes:
    """Read the nodes. Raise OSError if the file cannot be read, ValueError if it is not a valid .onnx file."""
    with mapped(path, MAX_FILE_BYTES) as data:
        return _Reader(data).graph()


class _Reader(MessageReader):
    """The nodes of the main graph."""

    def graph(self) -> OnnxNodes:
        """Return nodes and constants."""
        nodes, constants = list[OnnxNode](), set[str]()
        for start, end in self.messages(_GRAPH, 0, len(self.data)):
            for number, kind, first, last in self.fields(start, end):
                if kind == LENGTH and number == _NODE:
                    nodes.append(self._node(first, last))
                elif kind == LENGTH and number == _INITIALIZER:
                    constants.add(self._text_field(_TENSOR_NAME, first, last))
                if len(nodes) + len(constants) > MAX_NODES:
                    raise ValueError(f"more than {MAX_NODES:,} nodes and constants")
        if not nodes:
            raise ValueError("it has no nodes")
        return OnnxNodes(nodes, frozenset(constants))

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
