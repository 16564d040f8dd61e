"""Graphs of a SavedModel's ``saved_model.pb``, in pure Python, so that they can be checked before TensorFlow runs.

Field numbers: tensorflow/core/protobuf/{saved_model,meta_graph,saver}.proto and
tensorflow/core/framework/{graph,function,node_def,attr_value,tensor}.proto (TensorFlow 2.21).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.protobuf import LENGTH, MAX_FILE_BYTES, VARINT, MessageReader

__all__ = ["MAX_NODES", "Function", "MetaGraph", "Node", "read_saved_model"]

#: Limit on nodes, in all graphs and functions. EfficientNetB7 has about 20,000.
MAX_NODES = 200_000
#: Limit on texts and functions in attributes. A node has about three.
MAX_TEXTS = 3 * MAX_NODES
#: Limit on the parts of all messages, which take about 2 s.
MAX_PARTS = 1_500_000
#: Limit on a name of a function, and on a text of an attribute that may be one.
MAX_NAME = 1024
#: Limit on the encoded tree of objects, signatures and collections.
MAX_LISTED_BYTES = 64 << 20

#: Collection of Python objects that save variables. The nodes that they name are never run.
_SAVERS = "savers"
#: Bytes per value by DataType; all others have 4, or text of any length.
_ITEM_BYTES = {2: 8, 4: 1, 5: 2, 6: 1, 8: 8, 9: 8, 10: 1, 14: 2, 17: 2, 18: 16, 19: 2, 23: 8, 24: 1, 25: 1}


@dataclass(slots=True)
class Node:
    """A node of a graph or function."""

    name: str = ""
    operation: str = ""
    inputs: list[str] = field(default_factory=list)  # such as "name", "name:1" or "^name"
    texts: set[str] = field(default_factory=set)  # functions named in its attributes, and short texts in these
    constant_bytes: int = 0  # of the tensors in its attributes, unpacked


@dataclass(slots=True)
class Function:
    """A function of a graph's library."""

    name: str = ""
    arguments: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)  # as of a node


@dataclass(slots=True)
class MetaGraph:
    """One variant of the model: its graph and functions, and the parts that refer to them."""

    nodes: list[Node] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    filename: str = ""  # tensor that is fed with the checkpoint's path
    save: str = ""  # tensor that saves the variables
    restore: str = ""  # operation that restores the variables
    #: Encoded parts that may name nodes to run: signatures and collections.
    entry_points: list[bytes] = field(default_factory=list)
    #: Encoded parts that may name functions to call: the tree of Python objects and the gradients.
    callers: list[bytes] = field(default_factory=list)


def read_saved_model(path: Path) -> list[MetaGraph]:
    """Return the graphs of a ``saved_model.pb``.

    Raise OSError if it cannot be read, ValueError if it is damaged or has more parts than the limits.
    """
    with mapped(path, MAX_FILE_BYTES) as data:
        reader = _Reader(data, MAX_PARTS)
        graphs = [reader.meta_graph(first, last) for first, last in reader.messages(2, 0, len(data))]
    if not graphs:
        raise ValueError("it has no graph")
    return graphs


class _Reader(MessageReader):
    """The messages of a SavedModel that lead to nodes. Repeated parts are merged, as protobuf does."""

    _nodes_left, _texts_left, _bytes_left = MAX_NODES, MAX_TEXTS, MAX_LISTED_BYTES

    def meta_graph(self, start: int, end: int) -> MetaGraph:
        found = MetaGraph()
        for number, kind, first, last in self.fields(start, end):
            if kind != LENGTH:
                continue
            if number == 2:
                self._graph(found, first, last)
            elif number == 3:
                self._saver(found, first, last)
            elif number == 5 or (number == 4 and self._key(first, last) != _SAVERS):
                found.entry_points.append(self._bytes(first, last))
            elif number == 7:
                found.callers.append(self._bytes(first, last))
        return found

    def _graph(self, found: MetaGraph, start: int, end: int) -> None:
        for number, kind, first, last in self.fields(start, end):
            if kind == LENGTH and number == 1:
                found.nodes.append(self._node(first, last))
            elif kind == LENGTH and number == 2:
                self._library(found, first, last)

    def _library(self, found: MetaGraph, start: int, end: int) -> None:
        for number, kind, first, last in self.fields(start, end):
            if kind == LENGTH and number == 1:
                function = self._function(first, last)
                if found.functions.setdefault(function.name, function) is not function:
                    raise ValueError(f"two functions are called {function.name[:80]!r}")
            elif kind == LENGTH:
                found.callers.append(self._bytes(first, last))

    def _saver(self, found: MetaGraph, start: int, end: int) -> None:
        for number, kind, first, last in self.fields(start, end):
            if kind == LENGTH and number == 1:
                found.filename = self._once(found.filename, first, last)
            elif kind == LENGTH and number == 2:
                found.save = self._once(found.save, first, last)
            elif kind == LENGTH and number == 3:
                found.restore = self._once(found.restore, first, last)

    def _function(self, start: int, end: int) -> Function:
        found = Function()
        for number, kind, first, last in self.fields(start, end):
            if kind != LENGTH:
                continue
            if number == 1:
                for part, part_kind, begin, stop in self.fields(first, last):
                    if part_kind == LENGTH and part == 1:
                        found.name = self._once(found.name, begin, stop)
                    elif part_kind == LENGTH and part == 2:
                        found.arguments += [self.text(*name) for name in self.messages(1, begin, stop)]
            elif number == 3:
                found.nodes.append(self._node(first, last))
            elif number == 5:
                found.attributes.add(self._key(first, last))
                self._attribute(found.texts, first, last)
        if not 0 < len(found.name) <= MAX_NAME:
            raise ValueError(f"a function's name of {len(found.name):,} characters")
        return found

    def _node(self, start: int, end: int) -> Node:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise ValueError(f"more than {MAX_NODES:,} nodes")
        found = Node()
        for number, kind, first, last in self.fields(start, end):
            if kind != LENGTH:
                continue
            if number == 1:
                found.name = self._once(found.name, first, last)
            elif number == 2:
                found.operation = self._once(found.operation, first, last)
            elif number == 3:
                found.inputs.append(self.text(first, last))
            elif number == 5:
                found.constant_bytes += self._attribute(found.texts, first, last)
        return found

    def _attribute(self, texts: set[str], start: int, end: int) -> int:
        """Add the texts and functions of an attribute, an entry of a map; return the bytes of its tensors."""
        pending, tensors = list(self.messages(2, start, end)), 0
        while pending:
            for number, kind, first, last in self.fields(*pending.pop()):
                if kind != LENGTH:
                    continue
                if number == 1:  # a list, whose texts and functions have other numbers
                    for part, part_kind, begin, stop in self.fields(first, last):
                        if part_kind == LENGTH and part == 2:
                            self._add_text(texts, begin, stop)
                        elif part_kind == LENGTH and part == 8:
                            tensors += self._tensor_bytes(begin, stop)
                        elif part_kind == LENGTH and part == 9:
                            pending += self._call(texts, begin, stop)
                elif number == 2:
                    self._add_text(texts, first, last)
                elif number == 8:
                    tensors += self._tensor_bytes(first, last)
                elif number == 10:
                    pending += self._call(texts, first, last)
        return tensors

    def _call(self, texts: set[str], start: int, end: int) -> Iterator[tuple[int, int]]:
        """Add a named function; yield the values of its own attributes."""
        for number, kind, first, last in self.fields(start, end):
            if kind == LENGTH and number == 1:
                self._add_text(texts, first, last)
            elif kind == LENGTH and number == 2:
                yield from self.messages(2, first, last)

    def _tensor_bytes(self, start: int, end: int) -> int:
        """Return the unpacked size of a tensor. In the file one value may represent all."""
        item, sizes = 4, list[int]()
        for number, kind, first, last in self.fields(start, end):
            if number == 1 and kind == VARINT:
                item = _ITEM_BYTES.get(self.varint(first, last)[0], 4)
            elif number == 2 and kind == LENGTH:
                for axis in self.messages(2, first, last):
                    sizes += [self.varint(begin, stop)[0] for part, part_kind, begin, stop in self.fields(*axis)
                              if part == 1 and part_kind == VARINT]  # fmt: skip
        return item * math.prod(sizes[:254])

    def _add_text(self, texts: set[str], start: int, end: int) -> None:
        self._texts_left -= 1
        if self._texts_left < 0:
            raise ValueError(f"more than {MAX_TEXTS:,} texts in attributes")
        if end - start <= 4 * MAX_NAME:
            texts.add(self.text(start, end))

    def _key(self, start: int, end: int) -> str:
        """Return the key of an entry of a map."""
        key = ""
        for found in self.messages(1, start, end):
            key = self._once(key, *found)
        return key

    def _once(self, known: str, start: int, end: int) -> str:
        if known:
            raise ValueError("a name occurs twice")
        return self.text(start, end)

    def _bytes(self, start: int, end: int) -> bytes:
        self._bytes_left -= end - start
        if self._bytes_left < 0:
            raise ValueError(f"more than {MAX_LISTED_BYTES:,} bytes of objects and signatures")
        return bytes(self.data[start:end])
