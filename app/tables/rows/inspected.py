"""Rows of ``inspect``."""

import msgspec

from edge_bench.bench.models.cost import OperatorCost
from edge_bench.bench.models.operator_support import Unsupported

__all__ = ["GraphRow", "ModelRow"]


class MeasuredByRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and how ``run`` measures the model."""

    runtimes: list[str]
    reason: str
    option: str
    task: str | None = None
    data: str | None = None
    labels: str | None = None


class SpecRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input or output; open axes are -1."""

    name: str
    dtype: str
    shape: list[int]


class GraphRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model whose operators are not read, such as .onnx."""

    file: str
    bytes: int
    inputs: list[SpecRow] = []
    outputs: list[SpecRow] = []
    signatures: list[str]
    measured_by_run: MeasuredByRun


class TensorRow(SpecRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input or output of a .tflite file."""

    open_axes: list[str]
    scale: float | None
    zero_point: int | None


class SignatureRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named function of the file."""

    key: str
    graph: int
    inputs: list[TensorRow]
    outputs: list[TensorRow]


class NamedGraph(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A graph of the file."""

    name: str
    nodes: int


class NormalizationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """(pixel - mean) / std, for each channel."""

    mean: list[float]
    std: list[float]


class MetadataRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TFLite metadata, or why it cannot be read."""

    problem: str | None = None
    normalization: NormalizationRow | None = None
    color_space: str | None = None
    label_file: str | None = None
    labels: int | None = None


class KnownRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Known operator support of a runtime release."""

    runtime: str
    release: str
    lacks: list[Unsupported]
    unknown: list[str]


class TriedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An attempt to load the model."""

    runtime: str
    version: str
    refusal: str
    invocation: str
    sizes: list[int]


class ModelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A .tflite file, or the conversion of a Keras model or SavedModel."""

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
