"""Messages between a benchmark and a worker that runs any graph."""

from pathlib import Path
from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt, PackedArray, PositiveInt
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.outputs.decoding import Decoding
from edge_bench.bench.records.outputs.masks import StoredMask
from edge_bench.bench.records.outputs.union import TaskOutputs
from edge_bench.bench.records.run import Configuration

__all__ = [
    "DescribeGraph",
    "GraphDescribed",
    "GraphInput",
    "GraphPrepared",
    "PrepareGraph",
    "RawOutputs",
    "Record",
    "Recorded",
    "Sample",
    "Sampled",
    "Signature",
]

_Shapes = dict[str, list[int]]


class GraphInput(msgspec.Struct, frozen=True, kw_only=True):
    """The examples of one input."""

    name: BoundedStr  # of the input
    file: Path  # .npy, [examples, …]
    preprocessing: Preprocessing | None = None  # of images; None: the values are the input's own


class DescribeGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model, describe its inputs and outputs, and end."""

    file: Path
    signature: str = ""
    shapes: _Shapes = {}  # of whole inputs with open axes


class PrepareGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model and warm up. `Time`, `Record` and `Sample` may follow."""

    configuration: Configuration
    file: Path
    inputs: list[GraphInput]  # one per input of the model, in any order
    rows: list[int]  # of each example in the files
    decoding: Decoding
    signature: str = ""
    shapes: _Shapes = {}
    stateful: bool = False
    warm_up: bool = True  # False: nothing will be timed
    delegate_library: Path | None = None  # of the configuration's delegate
    with_postprocess: bool = False  # time the decoding of each example's outputs when they are recorded


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to run examples without timing and to decode their outputs.

    Examples are requested in order, from the first to the last, in parts.
    """

    first: NonNegativeInt  # position in ``PrepareGraph.rows``
    count: PositiveInt
    last: bool  # whether the last example is included


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for the raw outputs of some examples, without timing."""

    positions: list[int]  # in ``PrepareGraph.rows``
    most_bytes: PositiveInt = 64 << 20


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A named function of a file."""

    name: BoundedStr
    inputs: list[BoundedStr]
    outputs: list[BoundedStr]


class GraphDescribed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Inputs and outputs of a model. An axis of size -1 is open."""

    inputs: Annotated[list[TensorSpec], Length]
    outputs: Annotated[list[TensorSpec], Length]
    has_batch_axis: list[bool]  # of each input
    fixed_batch: PositiveInt | None = None
    signatures: list[Signature] = []


class GraphPrepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warmed up; times in nanoseconds."""

    load_ns: NonNegativeInt
    first_inference_ns: NonNegativeInt
    warm_up_ns: NonNegativeInt
    warm_up_invocations: NonNegativeInt
    memory_before_bytes: NonNegativeInt
    pass_ns: NonNegativeInt
    outputs: Annotated[list[TensorSpec], Length]
    chunks: NonNegativeInt = 1
    warnings: list[BoundedStr] = []
    delegations: list[Delegation] = []


class Recorded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The decoded outputs of a `Record`."""

    checksums: PackedArray  # CRC-32 of each example's outputs
    masks: list[StoredMask] = []  # of a `MaskDecoding`, one per example
    outputs: TaskOutputs | None = None  # of all examples, with the last part; None for masks
    postprocess_ns: list[NonNegativeInt] = []  # of each example; empty unless requested


class RawOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """One raw output of one example."""

    dtype: BoundedStr
    shape: list[NonNegativeInt]
    data: bytes  # little-endian, row by row


class Sampled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The outputs of as many of the requested examples as fit in the limit of bytes."""

    outputs: list[list[RawOutputs]]  # of each example, in the model's order
