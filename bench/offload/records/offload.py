"""The Offload: local and remote inference of the same images, everything measured, and between which two ends."""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import (
    SCHEMA_VERSION,
    BoundedStr,
    NonNegativeInt,
    PackedArray,
    PositiveInt,
    unpack,
)
from edge_bench.bench.offload.network.link import DIRECT, Link, Rate
from edge_bench.bench.offload.records.power import Power
from edge_bench.bench.records.run import BundleIdentity, Configuration, Failure, Images
from edge_bench.bench.system.machine import Finding, Machine

__all__ = ["LOCAL", "PARTS", "Accuracy", "Arm", "ArmTrial", "Offload", "OffloadSettings", "PathProbe", "ServerIdentity"]

LOCAL = "local"
# what fields hold at most, checked while a file is decoded
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Bytes = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
#: The parts of a remote latency, in order: the first five add up to it, the last four happen within "wait".
PARTS = ("encode", "send", "wait", "receive", "decode", "queue", "unpack", "compute", "server")


class OffloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    trials: PositiveInt = 30
    processes: PositiveInt = 5
    limit: PositiveInt | None = 100
    accuracy_images: PositiveInt = 1000  # images that each payload's accuracy is known from, the timed ones among them
    seed: NonNegativeInt = 42
    timeout_s: float = 60.0
    quality: PositiveInt = 90  # of JPEG


class ServerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The other end, as far as it says what it is. Its token is nowhere."""

    url: BoundedStr
    model: BoundedStr
    platform: BoundedStr = ""
    bundle_sha256: BoundedStr = ""
    variant: BoundedStr = ""
    runtime: BoundedStr = ""
    runtime_version: BoundedStr = ""
    threads: BoundedStr = ""
    model_sha256: BoundedStr = ""
    hostname: BoundedStr = ""
    architecture: BoundedStr = ""
    emulated: bool = False
    tool_version: BoundedStr = ""

    @property
    def label(self) -> str:
        """How tables name it."""
        name = f"{self.hostname or self.url} ({self.variant or '?'} on {self.runtime or '?'})"
        return f"{name} EMULATED" if self.emulated else name


class PathProbe(msgspec.Struct, frozen=True, kw_only=True):
    """The path to the server as it is, before anything was measured on it."""

    rtt_s: Seconds  # TCP's handshake: a round trip between the two kernels; median
    empty_s: Seconds  # a request without content, there and back: median
    up_bps: Rate | None  # from uploads of several sizes; None where the size made no difference that could be told
    proxy_overhead_s: Seconds = 0.0  # of a round trip through the simulated links, taken off their delays


class ArmTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One timed pass (or several, where one is shorter than 100 ms) over the images, one way."""

    process: NonNegativeInt
    round: NonNegativeInt
    sequence_number: NonNegativeInt
    began_ns: NonNegativeInt
    elapsed_ns: PositiveInt
    passes: PositiveInt
    latencies: PackedArray  # ns from an image's pixels to its label, one an image and pass
    parts: dict[BoundedStr, PackedArray] = {}  # of each latency; ns
    cpu_ns: NonNegativeInt | None = None  # processor time of the worker
    other_cpu_ns: NonNegativeInt | None = None
    steal_ns: NonNegativeInt | None = None
    temperature_c: float | None = None
    throttled: list[BoundedStr] = []
    joules: Seconds | None = None  # of the whole device, where it has a meter


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One way to have images classified: here, or there by some payload over some link."""

    where: BoundedStr  # local · remote
    payload: BoundedStr = ""
    link: BoundedStr = ""
    in_flight: PositiveInt = 1
    trials: list[ArmTrial] = []
    failure: Failure | None = None
    bytes_up: Bytes = 0.0  # an image, with all headers of HTTP
    bytes_down: Bytes = 0.0

    @property
    def name(self) -> str:
        """``remote raw over lte, 8 in flight``."""
        if self.where == LOCAL:
            return LOCAL
        over = "" if self.link == DIRECT else f" over {self.link}"
        return f"remote {self.payload}{over}{f', {self.in_flight} in flight' if self.in_flight > 1 else ''}"

    def by_process(self, figure: str) -> dict[int, dict[int, float]]:
        """``{process: {round: seconds}}`` of a trial's ``p50``, ``p95``, ``an image`` (of throughput) or a part."""
        table: dict[int, dict[int, float]] = {}
        for trial in self.trials:
            table.setdefault(trial.process, {})[trial.round] = _figure(trial, figure)
        return table

    def process_medians(self, figure: str) -> dict[int, float]:
        """``{process: median over its rounds}`` in seconds."""
        return {process: float(np.median(list(rounds.values()))) for process, rounds in self.by_process(figure).items()}

    @property
    def latencies_per_trial(self) -> int:
        """The fewest latencies that any trial has."""
        return min((trial.latencies.length for trial in self.trials), default=0)


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Labels that a way of sending images (or none: here) gives, on the same images for all."""

    payload: BoundedStr  # empty: here
    predictions: PackedArray


class Offload(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one offload measured, on the edge."""

    schema_version: BoundedStr = SCHEMA_VERSION
    offload_id: BoundedStr
    began: BoundedStr
    ended: BoundedStr
    wall_seconds: Seconds
    complete: bool
    tool_version: BoundedStr
    tool_revision: BoundedStr
    machine: Machine
    server: ServerIdentity
    bundle: BundleIdentity
    settings: OffloadSettings
    images: Images  # all whose labels are known; the first `timed` of them were timed
    timed: PositiveInt
    configuration: Configuration  # of the local side
    model_sha256: BoundedStr
    runtime_version: BoundedStr
    links: list[Link]
    path: PathProbe | None
    arms: list[Arm]
    accuracies: list[Accuracy] = []
    power: Power | None = None
    meter: BoundedStr = ""  # what measured joules; empty: nothing did
    findings: list[Finding] = []
    stopped: BoundedStr = ""

    @property
    def emulated(self) -> bool:
        """Whether times are those of an emulator, at either end."""
        return self.machine.emulated or self.server.emulated

    @property
    def local(self) -> Arm:
        """The way that sends nothing."""
        return next(arm for arm in self.arms if arm.where == LOCAL)

    @property
    def remotes(self) -> list[Arm]:
        """All ways that do."""
        return [arm for arm in self.arms if arm.where != LOCAL]

    def link(self, name: str) -> Link | None:
        """The simulated link of that name; None for the path as it is."""
        return next((link for link in self.links if link.name == name), None)


def _figure(trial: ArmTrial, figure: str) -> float:
    if figure == "an image":
        return trial.elapsed_ns / trial.latencies.length / 1e9
    if figure in ("p50", "p95"):
        values: npt.NDArray[np.float64] = unpack(trial.latencies) / 1e9
        return float(np.percentile(values, int(figure[1:])))
    return float(np.median(unpack(trial.parts[figure]))) / 1e9
