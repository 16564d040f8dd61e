"""Messages between an offload's parent and its worker processes, framed by bench/worker/channel.py."""

from pathlib import Path

import msgspec

from edge_bench.bench.io.record_codec import PositiveInt
from edge_bench.bench.offload.client.http import Server
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.runtimes.scores import DEFAULT_THRESHOLD
from edge_bench.bench.worker.graphs.messages import GraphInput, Sample, Sampled
from edge_bench.bench.worker.messages import Problem, Ready

__all__ = [
    "Classify",
    "Labels",
    "OffloadReply",
    "OffloadRequest",
    "PathTimes",
    "PrepareLocal",
    "PrepareLocalGraph",
    "PrepareRemote",
    "PrepareRemoteGraph",
    "Prepared",
    "Probe",
    "TimeLocal",
    "TimeRemote",
    "Timed",
    "WarmUp",
    "WarmedUp",
]


class PrepareLocal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load the model and warm it up."""

    configuration: Configuration
    file: Path
    images: Path  # .npy, uint8 [n, height, width, channels] or float32 [n, …]
    rows: list[int]
    preprocessing: Preprocessing
    input_shape: list[int] | None = None
    threshold: float = DEFAULT_THRESHOLD  # of a single score: label 1 above it, else 0
    class_of_output: list[int] | None = None  # label of each output; None: the output's index


class PrepareRemote(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to prepare for sending images."""

    server: Server
    model: str
    images: Path
    rows: list[int]
    quality: int
    timeout_s: float
    token: str = ""


class PrepareLocalGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to load a model with any inputs and outputs and warm it up. `Sample` may follow `TimeLocal`."""

    configuration: Configuration
    file: Path
    inputs: list[GraphInput]  # one per input of the model, in any order
    rows: list[int]  # of each example in the files
    timed: PositiveInt  # number of examples to time, from the start
    signature: str = ""
    shapes: dict[str, list[int]] = {}  # of whole inputs with open axes


class PrepareRemoteGraph(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to get the model's tensors from the server, and to prepare for sending examples."""

    server: Server
    model: str
    inputs: list[GraphInput]
    rows: list[int]
    timed: PositiveInt
    timeout_s: float
    token: str = ""


class WarmUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to open the connections of a remote arm and use them for at least ``least_ns`` nanoseconds."""

    payload: str
    port: int | None  # local port of a simulated link; None: connect to the server directly
    in_flight: int
    least_ns: int


class TimeLocal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for one local trial."""

    passes: int


class TimeRemote(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for one remote trial."""

    payload: str
    port: int | None
    in_flight: int
    passes: int


class Classify(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request for the labels of ``rows`` of the images file, not timed; ``payload`` is their encoding if sent."""

    rows: list[int]
    payload: str = ""
    batch_size: int = 1


class Probe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Request to measure the network path to the server."""

    exchanges: int = 20


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Reply that the worker is ready for trials; ``pass_ns`` is the estimated duration of a pass, if known."""

    pass_ns: int = 0
    outputs: list[TensorSpec] = []  # of a model with any inputs and outputs


class WarmedUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Reply that the connections are warm; ``pass_ns`` is the estimated duration of a pass."""

    pass_ns: int


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One timed trial: the latency of every image of every pass and its parts, in nanoseconds."""

    began_ns: int
    elapsed_ns: int
    cpu_ns: int
    latencies: list[int]
    parts: dict[str, list[int]]
    labels: list[int]  # predicted labels of the last pass; empty for a model with any outputs
    bytes_up: int = 0
    bytes_down: int = 0


class Labels(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Predicted labels, in the order of the requested rows."""

    labels: list[int]


class PathTimes(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Durations of TCP handshakes, empty requests and uploads, in nanoseconds, and the uploads' sizes in bytes."""

    connect_ns: list[int]
    empty_ns: list[int]
    upload_bytes: list[int]
    upload_ns: list[int]


OffloadRequest = (
    PrepareLocal
    | PrepareRemote
    | PrepareLocalGraph
    | PrepareRemoteGraph
    | WarmUp
    | TimeLocal
    | TimeRemote
    | Classify
    | Sample
    | Probe
)
OffloadReply = Ready | Prepared | WarmedUp | Timed | Labels | Sampled | PathTimes | Problem
