"""What is in a .tflite file, read from its flatbuffer in Python: no native code meets it.

Schema: tensorflow/lite/schema/schema.fbs; the reader comes with ai-edge-litert.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.io.files import read_bounded
from edge_bench.bench.records.manifest import Operator, TensorSpec

__all__ = ["Node", "Tensor", "TfliteFile", "item_bits", "parse_tflite", "read_tflite"]

#: Flatbuffers address with 32 bits.
MAX_FILE_BYTES = 2 << 30
#: Tensors, operators and buffers together: language models have some ten thousand. Some five seconds to read.
MAX_TABLES = 200_000
MAX_AXES = 32
_IDENTIFIER = b"TFL3"
_ITEM_BITS = {
    "float32": 32, "float16": 16, "float64": 64, "bfloat16": 16, "int64": 64, "uint64": 64, "int32": 32, "uint32": 32,
    "int16": 16, "uint16": 16, "int8": 8, "uint8": 8, "bool": 8, "int4": 4, "int2": 2, "complex64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph: its shape as stored, its signature with -1 for open axes, and what it holds."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    scale: float  # 0 where it is not quantized, or by channel
    zero_point: int
    per_channel: bool
    buffer: int
    constant_bytes: int  # 0 for what is computed

    @property
    def elements(self) -> int:
        """How many values it has, in its stored shape."""
        return math.prod(self.shape)

    @property
    def spec(self) -> TensorSpec:
        """As an input or output; open axes are -1, and so is none of the batch's."""
        sizes = list(self.signature or self.shape)
        return TensorSpec(
            dtype=self.dtype,
            shape=[self.shape[0] if self.shape else 1, *sizes[1:]],
            scale=self.scale,
            zero_point=self.zero_point,
        )


@dataclass(frozen=True)
class Node:
    """An operator in the graph, with the tensors that it takes (-1: left out) and gives."""

    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    adjoint: bool = False  # whether a multiplication of matrices takes its first one transposed


@dataclass(frozen=True)
class TfliteFile:
    """The main graph of a .tflite file, and what is said about the whole."""

    bytes: int
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]  # of all graphs; tensors are the main graph's for the first ``main_nodes``
    main_nodes: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    minimum_runtime: str  # that the converter recorded; empty where it did not
    description: str
    metadata: tuple[str, ...] = field(default=())

    @property
    def only_input(self) -> TensorSpec:
        """ValueError for a model with several."""
        return _only(self.inputs, "input")

    @property
    def only_output(self) -> TensorSpec:
        """ValueError for a model with several."""
        return _only(self.outputs, "output")


def read_tflite(path: Path) -> TfliteFile:
    """Reads a file; BadInput where it is none, or damaged, MissingDependency without the schema's reader."""
    try:
        content = read_bounded(path, MAX_FILE_BYTES)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: cannot be read: {getattr(cause, 'strerror', None) or cause}") from None
    try:
        return parse_tflite(content)
    except ValueError as cause:
        raise BadInput(f"{path}: not a whole .tflite file: {cause}", "copy or export it again") from None


def parse_tflite(content: bytes) -> TfliteFile:
    """The file whose bytes these are. ValueError where they are none."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise MissingDependency(
            "reading .tflite files needs ai-edge-litert, which is not installed", "pip install 'edge-bench[edge]'"
        ) from None
    if content[4:8] != _IDENTIFIER:
        raise ValueError(f"its identifier is {content[4:8]!r}, not {_IDENTIFIER!r}")
    try:
        return _read(content, schema)
    except Exception as cause:  # whatever a damaged offset leads the generated reader to
        said = cause if type(cause) is ValueError else type(cause).__name__
        raise ValueError(f"its parts do not fit each other ({said})") from None


class _Budget:
    """How much of a file is read.

    Offsets may point to the same part again and again, so that a small file claims to have billions of parts.
    """

    def __init__(self, size: int) -> None:
        self._tables, self._bytes = MAX_TABLES, 4 * size + 1024

    def each(self, count: int, part: Callable[[int], Any]) -> Iterator[Any]:
        """The parts of a vector of tables. ValueError where there are too many."""
        self._tables -= count
        if self._tables < 0:
            raise ValueError(f"more than {MAX_TABLES:,} parts")
        return (part(number) for number in range(count))

    def integers(self, values: Any) -> tuple[int, ...]:
        """A vector of whole numbers as the generated reader gives it; 0 stands for none."""
        if isinstance(values, int):
            return ()
        self._spend(values.nbytes)
        return tuple(int(value) for value in values)

    def text(self, value: bytes | None) -> str:
        """A text; empty for none."""
        self._spend(len(value or b""))
        return (value or b"").decode("utf-8", "replace")

    def _spend(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise ValueError("parts that are longer than the file")


def _read(content: bytes, schema: Any) -> TfliteFile:
    budget = _Budget(len(content))
    model = schema.Model.GetRootAs(content, 0)
    types, names = _names(schema.TensorType), _names(schema.BuiltinOperator)
    codes = [_code(code, names, budget) for code in budget.each(model.OperatorCodesLength(), model.OperatorCodes)]
    sizes = [int(buffer.DataLength() or buffer.Size()) for buffer in budget.each(model.BuffersLength(), model.Buffers)]
    graphs = list(budget.each(model.SubgraphsLength(), model.Subgraphs))
    main = graphs[0]
    tensors = tuple(_tensor(tensor, types, sizes, budget) for tensor in budget.each(main.TensorsLength(), main.Tensors))
    nodes = [
        [_node(operator, codes, schema, budget) for operator in budget.each(graph.OperatorsLength(), graph.Operators)]
        for graph in graphs
    ]
    every = tuple(node for some in nodes for node in some)
    counts = Counter((node.name, node.version) for node in every)
    metadata = {
        budget.text(entry.Name()): int(entry.Buffer()) for entry in budget.each(model.MetadataLength(), model.Metadata)
    }
    return TfliteFile(
        bytes=len(content),
        tensors=tensors,
        nodes=every,
        main_nodes=len(nodes[0]),
        inputs=_ends(main, main.InputsAsNumpy(), tensors, budget),
        outputs=_ends(main, main.OutputsAsNumpy(), tensors, budget),
        operators=tuple(
            Operator(name=name, version=version, count=count) for (name, version), count in sorted(counts.items())
        ),
        minimum_runtime=_minimum_runtime(model, metadata),
        description=budget.text(model.Description()),
        metadata=tuple(metadata),
    )


def _code(code: Any, names: dict[int, str], budget: _Budget) -> tuple[str, int]:
    # files written before 2021 hold the code in the deprecated field only
    name = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    version = int(code.Version())
    if version < 0:
        raise ValueError(f"{name} of version {version}")
    return (f"CUSTOM {budget.text(code.CustomCode())}" if name == "CUSTOM" else name), version


def _node(operator: Any, codes: list[tuple[str, int]], schema: Any, budget: _Budget) -> Node:
    name, version = codes[operator.OpcodeIndex()]
    adjoint, options = False, operator.BuiltinOptions()
    if name == "BATCH_MATMUL" and options is not None:
        read = schema.BatchMatMulOptions()
        read.Init(options.Bytes, options.Pos)
        adjoint = bool(read.AdjX())
    inputs, outputs = budget.integers(operator.InputsAsNumpy()), budget.integers(operator.OutputsAsNumpy())
    return Node(name=name, version=version, inputs=inputs, outputs=outputs, adjoint=adjoint)


def _tensor(tensor: Any, types: dict[int, str], sizes: list[int], budget: _Budget) -> Tensor:
    quantization = tensor.Quantization()
    scales = 0 if quantization is None else quantization.ScaleLength()
    shape, signature = budget.integers(tensor.ShapeAsNumpy()), budget.integers(tensor.ShapeSignatureAsNumpy())
    if min(*shape, *signature, 0, 0) < -1 or max(len(shape), len(signature)) > MAX_AXES:
        raise ValueError(f"a tensor of shape {list(shape[:MAX_AXES])}")
    return Tensor(
        name="",
        dtype=types[tensor.Type()].lower(),
        shape=tuple(1 if size < 0 else size for size in shape),
        signature=signature,
        scale=float(quantization.Scale(0)) if scales == 1 else 0.0,
        zero_point=int(quantization.ZeroPoint(0)) if scales == 1 and quantization.ZeroPointLength() else 0,
        per_channel=scales > 1,
        buffer=int(tensor.Buffer()),
        constant_bytes=sizes[tensor.Buffer()],
    )


def _ends(graph: Any, places: Any, tensors: tuple[Tensor, ...], budget: _Budget) -> tuple[Tensor, ...]:
    """Inputs or outputs, with their names, which nobody asks of other tensors."""
    numbers = budget.integers(places)
    if min(*numbers, 0, 0) < 0:
        raise ValueError("an input or output that is no tensor")
    return tuple(replace(tensors[number], name=budget.text(graph.Tensors(number).Name())) for number in numbers)


def _minimum_runtime(model: Any, metadata: dict[str, int]) -> str:
    if (number := metadata.get("min_runtime_version")) is None or number >= model.BuffersLength():
        return ""
    data: npt.NDArray[np.uint8] | int = model.Buffers(number).DataAsNumpy()
    return "" if isinstance(data, int) else bytes(data[:64]).rstrip(b"\0").decode("ascii", "replace")


def _names(table: Any) -> dict[int, str]:
    return {code: name for name, code in vars(table).items() if not name.startswith("_")}


def _only(tensors: tuple[Tensor, ...], end: str) -> TensorSpec:
    if len(tensors) != 1:
        raise ValueError(f"the model has {len(tensors)} {end}s; a classifier has one")
    return tensors[0].spec


def item_bits(dtype: str) -> int:
    """Bits a value takes."""
    return _ITEM_BITS.get(dtype, 32)
