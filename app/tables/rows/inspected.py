"""Rows of ``inspect``."""

import msgspec

from edge_bench.bench.models.cost import OperatorCost
from edge_bench.bench.models.operator_support import Unsupported

__all__ = ["GraphRow", "ModelRow"]


class _Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class MeasuredByRun(_Struct):
    """Whether and how ``run`` measures the model."""

    runtimes: list[str]
    reason: str
    option: str
    task: str | None = None
    data: str | None = None
    labels: str | None = None


class SpecRow(_Struct):
    """An input or output; open axes are -1."""

    name: str
    dtype: str
    shape: list[int]


class GraphRow(_Struct):
    """A model whose operators are not read, such as .onnx."""

    file: str
    bytes: int
    inputs: list[SpecRow] = []
    outputs: list[SpecRow] = []
    signatures: list[str]
    measured_by_run: MeasuredByRun


class TensorRow(SpecRow):
    """An input or output of a .tflite file."""

    open_axes: list[str]
    scale: float | None
    zero_point: int | None


class SignatureRow(_Struct):
    """A named function of the file."""

    key: str
    graph: int
    inputs: list[TensorRow]
    outputs: list[TensorRow]


class NamedGraph(_Struct):
    """A graph of the file."""

    name: str
    nodes: int


class NormalizationRow(_Struct):
    """(pixel - mean) / std, for each channel."""

    mean: list[float]
    std: list[float]


class MetadataRow(_Struct):
    """TFLite metadata, or why it cannot be read."""

    problem: str | None = None
    normalization: NormalizationRow | None = None
    color_space: str | None = None
    label_file: str | None = None
    labels: int | None = None


class KnownRow(_Struct):
    """What is known of a release of a runtime."""

    runtime: str
    release: str
    lacks: list[Unsupported]
    unknown: list[str]


class TriedRow(_Struct):
    """An attempt to load the model."""

    runtime: str
    version: str
    refusal: str
    invocation: str
    sizes: list[int]


class ModelRow(_Struct):
    """A .tflite file, or a Keras model or SavedModel as it is when converted."""

    file: str
    converted_to_float32: bool
    bytes: int
    minimum_runtime: str
    inputs: list[TensorRow]
    outputs: list[TensorRow]
    signatures: list[SignatureRow]
    graphs: list[NamedGraph]
    metadata: MetadataRow | None
    measured_by_run: MeasuredByRun
    macs: int
    macs_not_counted: list[str]
    macs_not_counted_in_other_graphs: list[str]
    macs_at_least: bool
    parameters: int
    parameters_at_least: bool
    constant_bytes: int
    operators: list[OperatorCost]
    known: list[KnownRow]
    tried: list[TriedRow]
