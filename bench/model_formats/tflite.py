"""Reader of .tflite files in pure Python, so that no native code parses untrusted files.

Schema: tensorflow/lite/schema/schema.fbs; its generated reader is part of ai-edge-litert.
"""

import math
import mmap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.io.files import TooLarge, mapped, why_unreadable
from edge_bench.bench.model_formats.reading_budget import ReadingBudget
from edge_bench.bench.model_formats.tflite_operators import Node, constant_names, operator_codes, read_node
from edge_bench.bench.records.manifest import Operator, TensorSpec

__all__ = ["Graph", "Signature", "Tensor", "TfliteFile", "item_bits", "parse_tflite", "read_tflite"]

#: Limit of Flatbuffers, whose offsets have 32 bits. In larger files, weights follow the tables.
MAX_TABLES_BYTES = 2 << 30
MAX_FILE_BYTES = 64 << 30
MAX_AXES = 32
_IDENTIFIER = b"TFL3"
_ITEM_BITS = {
    "float32": 32, "float16": 16, "float64": 64, "bfloat16": 16, "int64": 64, "uint64": 64, "int32": 32, "uint32": 32,
    "int16": 16, "uint16": 16, "int8": 8, "uint8": 8, "bool": 8, "int4": 4, "int2": 2, "complex64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor of a graph, with its stored shape and its signature, in which open axes are -1."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    scale: float  # 0 if not quantized, or quantized per channel
    zero_point: int
    per_channel: bool
    buffer: int
    constant_bytes: int  # 0 for a computed tensor
    number: int = -1  # in its graph; like its name, known only for inputs and outputs

    @property
    def elements(self) -> int:
        """Number of values in its stored shape."""
        return math.prod(self.shape)

    @property
    def spec(self) -> TensorSpec:
        """Spec as an input or output; open axes are -1, except for the batch axis."""
        sizes = list(self.signature or self.shape)
        return TensorSpec(
            dtype=self.dtype,
            shape=[self.shape[0] if self.shape else 1, *sizes[1:]],
            scale=self.scale,
            zero_point=self.zero_point,
        )

    @property
    def fixed_batch(self) -> int | None:
        """As an input: its fixed batch size; None if any is possible."""
        sizes = self.signature or self.shape
        if len(sizes) < 2:
            return 1
        return None if sizes[0] == -1 else sizes[0]


@dataclass(frozen=True)
class Signature:
    """A named function of the file, with the public names of its inputs and outputs."""

    key: str
    graph: int
    inputs: tuple[tuple[str, Tensor], ...]
    outputs: tuple[tuple[str, Tensor], ...]


@dataclass(frozen=True)
class Graph:
    """A graph of the file: the main one, another function, or the body of a condition or loop."""

    name: str
    nodes: int


@dataclass(frozen=True)
class TfliteFile:
    """The main graph of a .tflite file, and properties of the whole file."""

    bytes: int
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]  # of all graphs, first those of the main graph, to which ``tensors`` belong
    main_nodes: int  # number of nodes in the main graph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    minimum_runtime: str  # version recorded by the converter; empty if not recorded
    description: str
    metadata: tuple[str, ...] = field(default=())
    graphs: tuple[Graph, ...] = field(default=())
    signatures: tuple[Signature, ...] = field(default=())

    @property
    def only_input(self) -> TensorSpec:
        """The spec of the only input; raises ValueError if there is not exactly one.

        An input with one axis, such as a waveform, has no batch axis. It is one example, and its shape here is [1, n].
        """
        spec = _only(self.inputs, "input")
        if len(spec.shape) > 1:
            return spec
        return msgspec.structs.replace(spec, shape=[1, *(self.inputs[0].signature or self.inputs[0].shape)])

    @property
    def only_output(self) -> TensorSpec:
        """The spec of the only output; raises ValueError if there is not exactly one, or several inputs.

        An output with one axis that is not the batch has the scores of one example, and its shape here is [1, n].
        """
        spec, input_shape = _only(self.outputs, "output"), _only(self.inputs, "input").shape
        is_batch = len(input_shape) > 1 and spec.shape[:1] in ([1], input_shape[:1])
        return spec if is_batch or len(spec.shape) != 1 else msgspec.structs.replace(spec, shape=[1, *spec.shape])


def read_tflite(path: Path) -> TfliteFile:
    """Read a file; raise BadInput if it is not a valid .tflite file, MissingDependency without ai-edge-litert."""
    try:
        with mapped(path, MAX_FILE_BYTES) as content:
            return parse_tflite(content)
    except (OSError, TooLarge) as cause:
        raise BadInput(f"{path}: cannot be read: {why_unreadable(cause)}") from None
    except ValueError as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None


def parse_tflite(content: bytes | mmap.mmap) -> TfliteFile:
    """Parse the bytes of a .tflite file. Weights are not read.

    Raise ValueError if they are invalid.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise MissingDependency(
            "ai-edge-litert, which is needed to read .tflite files, is not installed",
            "pip install ai-edge-litert, if it has a wheel for this platform",
        ) from None
    if content[4:8] != _IDENTIFIER:
        raise ValueError(f"its identifier is {content[4:8]!r}, not {_IDENTIFIER!r}")
    try:
        return _read(content, schema)
    except Exception as cause:  # a damaged offset can raise any error in the generated reader
        reason = cause if type(cause) is ValueError else type(cause).__name__
        raise ValueError(f"its parts are inconsistent ({reason})") from None


def _read(content: bytes | mmap.mmap, schema: Any) -> TfliteFile:
    budget = ReadingBudget(len(content))
    model = schema.Model.GetRootAs(content, 0)
    types = constant_names(schema.TensorType)
    codes = operator_codes(model, schema, budget)
    sizes = [int(buffer.DataLength() or buffer.Size()) for buffer in budget.take(model.BuffersLength(), model.Buffers)]
    graphs = list(budget.take(model.SubgraphsLength(), model.Subgraphs))
    if not graphs:
        raise ValueError("it has no graph")
    main = graphs[0]
    tensors = tuple(_tensor(tensor, types, sizes, budget) for tensor in budget.take(main.TensorsLength(), main.Tensors))
    nodes = [
        [read_node(each, codes, schema, budget) for each in budget.take(graph.OperatorsLength(), graph.Operators)]
        for graph in graphs
    ]
    all_nodes = tuple(node for graph_nodes in nodes for node in graph_nodes)
    counts = Counter((node.name, node.version) for node in all_nodes)
    metadata = {
        budget.text(entry.Name()): int(entry.Buffer()) for entry in budget.take(model.MetadataLength(), model.Metadata)
    }

    def tensor_of(graph: int, number: int) -> Tensor:
        (tensor,) = budget.take(1, lambda _: graphs[graph].Tensors(number))
        return replace(_tensor(tensor, types, sizes, budget), name=budget.text(tensor.Name()), number=number)

    return TfliteFile(
        bytes=len(content),
        tensors=tensors,
        nodes=all_nodes,
        main_nodes=len(nodes[0]),
        inputs=_graph_tensors(main, main.InputsAsNumpy(), tensors, budget),
        outputs=_graph_tensors(main, main.OutputsAsNumpy(), tensors, budget),
        operators=tuple(
            Operator(name=name, version=version, count=count) for (name, version), count in sorted(counts.items())
        ),
        minimum_runtime=_minimum_runtime(model, metadata),
        description=budget.text(model.Description()),
        metadata=tuple(metadata),
        graphs=tuple(Graph(budget.text(graph.Name()), len(each)) for graph, each in zip(graphs, nodes, strict=True)),
        signatures=_signatures(model, graphs, tensor_of, budget),
    )


def _signatures(
    model: Any, graphs: list[Any], tensor_of: Callable[[int, int], Tensor], budget: ReadingBudget
) -> tuple[Signature, ...]:
    found = []
    for each in budget.take(model.SignatureDefsLength(), model.SignatureDefs):
        number = int(each.SubgraphIndex())
        if number >= len(graphs):
            raise ValueError(f"a signature refers to graph {number}, but there are {len(graphs)}")
        count = graphs[number].TensorsLength()
        sides = []
        for length, part in ((each.InputsLength(), each.Inputs), (each.OutputsLength(), each.Outputs)):
            maps = [(budget.text(entry.Name()), int(entry.TensorIndex())) for entry in budget.take(length, part)]
            if any(index >= count for _, index in maps):
                raise ValueError("an input or output of a signature is not a tensor")
            sides.append(tuple((name, tensor_of(number, index)) for name, index in maps))
        found.append(Signature(budget.text(each.SignatureKey()), number, *sides))
    return tuple(found)


def _tensor(tensor: Any, types: dict[int, str], sizes: list[int], budget: ReadingBudget) -> Tensor:
    quantization = tensor.Quantization()
    scales = 0 if quantization is None else quantization.ScaleLength()
    shape, signature = budget.integers(tensor.ShapeAsNumpy()), budget.integers(tensor.ShapeSignatureAsNumpy())
    if min(*shape, *signature, 0, 0) < -1 or max(len(shape), len(signature)) > MAX_AXES:
        raise ValueError(f"a tensor has the invalid shape {list(shape[:MAX_AXES])}")
    return Tensor(
        name="",
        dtype=types[tensor.Type()].lower(),
        shape=tuple(1 if size < 0 else size for size in shape),
        signature=signature or (shape if -1 in shape else ()),
        scale=float(quantization.Scale(0)) if scales == 1 else 0.0,
        zero_point=int(quantization.ZeroPoint(0)) if scales == 1 and quantization.ZeroPointLength() else 0,
        per_channel=scales > 1,
        buffer=int(tensor.Buffer()),
        constant_bytes=sizes[tensor.Buffer()],
    )


def _graph_tensors(
    graph: Any, tensor_indices: Any, tensors: tuple[Tensor, ...], budget: ReadingBudget
) -> tuple[Tensor, ...]:
    """Return inputs or outputs with their names, which are not read for other tensors."""
    numbers = budget.integers(tensor_indices)
    if min(*numbers, 0, 0) < 0:
        raise ValueError("an input or output is not a tensor")
    return tuple(
        replace(tensors[number], name=budget.text(graph.Tensors(number).Name()), number=number) for number in numbers
    )


def _minimum_runtime(model: Any, metadata: dict[str, int]) -> str:
    if (number := metadata.get("min_runtime_version")) is None or number >= model.BuffersLength():
        return ""
    data: npt.NDArray[np.uint8] | int = model.Buffers(number).DataAsNumpy()
    return "" if isinstance(data, int) else bytes(data[:64]).rstrip(b"\0").decode("ascii", "replace")


def _only(tensors: tuple[Tensor, ...], kind: str) -> TensorSpec:
    if len(tensors) != 1:
        raise ValueError(f"the model has {len(tensors)} {kind}s, but a classifier has one")
    return tensors[0].spec


def item_bits(dtype: str) -> int:
    """Return the bits per value; 32 for an unknown type."""
    return _ITEM_BITS.get(dtype, 32)
