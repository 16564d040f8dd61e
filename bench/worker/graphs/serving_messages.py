"""Messages between a server and a worker that runs any graph on the data of clients."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt, PositiveInt
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.run import Configuration

__all__ = [
    "GraphInferred",
    "GraphOpened",
    "GraphRefused",
    "InferGraph",
    "InferredTensor",
    "OpenGraph",
    "RequestedOutput",
    "SentTensor",
]

#: A tensor's data: little-endian and row by row, or a JSON array of its values.
_Form = Literal["raw", "json"]


class OpenGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model for serving, and warm up."""

    configuration: Configuration
    file: Path
    signature: str = ""
    shapes: dict[str, list[int]] = {}  # of whole inputs with open axes
    stateful: bool = False
    most_output_bytes: PositiveInt = 128 << 20  # of a request's outputs, as encoded


class SentTensor(msgspec.Struct, frozen=True, kw_only=True):
    """An input as a client sent it, in the input's own type."""

    name: BoundedStr
    shape: list[NonNegativeInt]
    form: _Form
    data: bytes


class RequestedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """An output that a client requests, and the form of its data."""

    name: BoundedStr
    form: _Form


class InferGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to run the model on a client's inputs."""

    inputs: list[SentTensor]  # every input of the model once, in any order
    outputs: list[RequestedOutput]


class GraphOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and ready for `InferGraph`.

    An axis of size -1 is open. If a request may have several examples, the first axis of every tensor is -1.
    """

    load_ns: NonNegativeInt
    inputs: Annotated[list[TensorSpec], Length]
    outputs: Annotated[list[TensorSpec], Length]
    takes_batches: bool  # whether a request may have several examples


class InferredTensor(msgspec.Struct, frozen=True, kw_only=True):
    """A requested output."""

    name: BoundedStr
    dtype: BoundedStr
    shape: list[NonNegativeInt]
    form: _Form
    data: bytes


class GraphInferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The requested outputs of an `InferGraph`, in the requested order."""

    outputs: list[InferredTensor]
    examples: PositiveInt
    decode_ns: NonNegativeInt  # from the request's data to the model's inputs
    compute_ns: NonNegativeInt  # the model's invocations only, without resets of its state


class GraphRefused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The data of an `InferGraph` is invalid, or the model cannot be run on it; the worker continues."""

    message: str
    log: str = ""  # the runtime's message, for the server's own log
