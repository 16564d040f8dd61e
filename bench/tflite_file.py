"""What is in a .tflite file, read from its flatbuffer in Python: no native code meets it.

Schema: tensorflow/lite/schema/schema.fbs; the reader comes with ai-edge-litert.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bundle import Operator, TensorSpec
from bench.errors import BadInput, MissingDependency
from bench.files import read_bounded

__all__ = ["Node", "Tensor", "TfliteFile", "item_bits", "parse_tflite", "read_tflite"]

#: Flatbuffers address with 32 bits.
MAX_FILE_BYTES = 2 << 30
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
    options: Any  # the operator's own, as the schema's reader gives them


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
    except (MemoryError, RecursionError):
        raise ValueError("its parts do not fit each other") from None
    except Exception as cause:  # whatever a damaged offset leads the generated reader to
        raise ValueError(f"its parts do not fit each other ({type(cause).__name__})") from None


def _read(content: bytes, schema: Any) -> TfliteFile:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    types = _names(schema.TensorType)
    codes = [_code(code, _names(schema.BuiltinOperator)) for code in model.operatorCodes or []]
    sizes = [0 if buffer.data is None else len(buffer.data) for buffer in model.buffers or []]
    sizes = [size or int(getattr(buffer, "size", 0) or 0) for size, buffer in zip(sizes, model.buffers, strict=True)]
    main, *_ = model.subgraphs
    tensors = tuple(_tensor(tensor, types, sizes) for tensor in main.tensors)
    nodes = [
        Node(
            name=codes[operator.opcodeIndex][0],
            version=codes[operator.opcodeIndex][1],
            inputs=_ints(operator.inputs),
            outputs=_ints(operator.outputs),
            options=operator.builtinOptions,
        )
        for graph in model.subgraphs
        for operator in graph.operators or []
    ]
    counts = Counter((node.name, node.version) for node in nodes)
    return TfliteFile(
        bytes=len(content),
        tensors=tensors,
        nodes=tuple(nodes),
        main_nodes=len(main.operators or []),
        inputs=tuple(tensors[index] for index in main.inputs),
        outputs=tuple(tensors[index] for index in main.outputs),
        operators=tuple(
            Operator(name=name, version=version, count=count) for (name, version), count in sorted(counts.items())
        ),
        minimum_runtime=_metadata(model, "min_runtime_version"),
        description=_text(model.description),
        metadata=tuple(_text(entry.name) for entry in model.metadata or []),
    )


def _code(code: Any, names: dict[int, str]) -> tuple[str, int]:
    # files written before 2021 hold the code in the deprecated field only
    name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
    return (f"CUSTOM {_text(code.customCode)}" if name == "CUSTOM" else name), int(code.version)


def _tensor(tensor: Any, types: dict[int, str], sizes: list[int]) -> Tensor:
    quantization = tensor.quantization
    scales = quantization.scale if quantization is not None and quantization.scale is not None else []
    one = len(scales) == 1
    return Tensor(
        name=_text(tensor.name),
        dtype=types[tensor.type].lower(),
        shape=_ints(tensor.shape),
        signature=_ints(tensor.shapeSignature),
        scale=float(scales[0]) if one else 0.0,
        zero_point=int(quantization.zeroPoint[0]) if one and quantization.zeroPoint is not None else 0,
        per_channel=len(scales) > 1,
        buffer=int(tensor.buffer),
        constant_bytes=sizes[tensor.buffer],
    )


def _metadata(model: Any, wanted: str) -> str:
    for entry in model.metadata or []:
        if _text(entry.name) == wanted:
            data: npt.NDArray[np.uint8] | None = model.buffers[entry.buffer].data
            return "" if data is None else bytes(bytearray(data)).rstrip(b"\0").decode("ascii", "replace")
    return ""


def _names(table: Any) -> dict[int, str]:
    return {code: name for name, code in vars(table).items() if not name.startswith("_")}


def _text(value: Any) -> str:
    return "" if value is None else value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _ints(values: Any) -> tuple[int, ...]:
    return () if values is None else tuple(int(value) for value in values)


def _only(tensors: tuple[Tensor, ...], end: str) -> TensorSpec:
    if len(tensors) != 1:
        raise ValueError(f"the model has {len(tensors)} {end}s; a classifier has one")
    return tensors[0].spec


def item_bits(dtype: str) -> int:
    """Bits a value takes."""
    return _ITEM_BITS.get(dtype, 32)
