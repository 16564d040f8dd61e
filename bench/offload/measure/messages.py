"""What an offload's parent and its worker processes say to each other, in the frames of bench/worker/channel.py."""

import msgspec

from edge_bench.bench.offload.client.http import Server
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.worker.messages import Problem, Ready

__all__ = [
    "Classify",
    "Labels",
    "OffloadReply",
    "OffloadRequest",
    "PathTimes",
    "PrepareLocal",
    "PrepareRemote",
    "Prepared",
    "Probe",
    "TimeLocal",
    "TimeRemote",
    "Timed",
    "Warm",
    "Warmed",
]


class PrepareLocal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model, warm up."""

    configuration: Configuration
    file: str
    images: str  # .npy, uint8 [n, height, width, channels] or float32 [n, …]
    rows: list[int]
    preprocessing: Preprocessing
    input_shape: list[int] | None = None


class PrepareRemote(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Get ready to send images."""

    server: Server
    model: str
    images: str
    rows: list[int]
    quality: int
    timeout_s: float
    token: str = ""


class Warm(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Open connections for a way of sending, and use them for ``least_ns``."""

    payload: str
    port: int | None  # of a link on this machine; None: the server itself
    in_flight: int
    least_ns: int


class TimeLocal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One trial here."""

    passes: int


class TimeRemote(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One trial there."""

    payload: str
    port: int | None
    in_flight: int
    passes: int


class Classify(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Labels of some images, not timed: ``rows`` of the images' file; ``payload`` says how they are sent."""

    rows: list[int]
    payload: str = ""
    batch_size: int = 1


class Probe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What does the path to the server cost?"""

    exchanges: int = 20


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ready for trials."""

    pass_ns: int = 0


class Warmed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Warm."""

    pass_ns: int


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One trial: of every image of every pass how long it took, and the parts of that; nanoseconds."""

    began_ns: int
    elapsed_ns: int
    cpu_ns: int
    latencies: list[int]
    parts: dict[str, list[int]]
    labels: list[int]  # of the last pass
    bytes_up: int = 0
    bytes_down: int = 0


class Labels(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Predicted labels, in the order of the rows asked for."""

    labels: list[int]


class PathTimes(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Durations of TCP's handshake and of requests without content; bytes of uploads and their time on the way; ns."""

    connect_ns: list[int]
    empty_ns: list[int]
    upload_bytes: list[int]
    upload_ns: list[int]


OffloadRequest = PrepareLocal | PrepareRemote | Warm | TimeLocal | TimeRemote | Classify | Probe
OffloadReply = Ready | Prepared | Warmed | Timed | Labels | PathTimes | Problem
