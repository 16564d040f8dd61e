"""The Offload: local and remote inference of the same images, everything measured, and between which two ends."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from bench.codec import SCHEMA_VERSION, PackedArray, decode_record, encode_record, unpack
from bench.errors import ResultsError
from bench.files import write_atomically
from bench.machine import Finding, Machine
from bench.offload.energy import Power
from bench.offload.links import DIRECT, Link
from bench.results import MAX_RUN_BYTES, BundleIdentity, Configuration, Failure, Images, run_file_name

__all__ = [
    "LOCAL",
    "PARTS",
    "Accuracy",
    "Arm",
    "ArmTrial",
    "Offload",
    "OffloadSettings",
    "PathProbe",
    "ServerIdentity",
    "offload_files",
    "read_offload",
    "write_offload",
]

LOCAL = "local"
#: The parts of a remote latency, in order: the first five add up to it, the last four happen within "wait".
PARTS = ("encode", "send", "wait", "receive", "decode", "queue", "unpack", "compute", "server")


class OffloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    trials: int = 30
    processes: int = 5
    limit: int | None = 100
    accuracy_images: int = 1000  # images that each payload's accuracy is known from, the timed ones among them
    seed: int = 42
    timeout_s: float = 60.0
    quality: int = 90  # of JPEG


class ServerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The other end, as far as it says what it is. Its token is nowhere."""

    url: str
    model: str
    platform: str = ""
    bundle_sha256: str = ""
    variant: str = ""
    runtime: str = ""
    runtime_version: str = ""
    threads: str = ""
    model_sha256: str = ""
    hostname: str = ""
    architecture: str = ""
    emulated: bool = False
    tool_version: str = ""

    @property
    def label(self) -> str:
        """How tables name it."""
        name = f"{self.hostname or self.url} ({self.variant or '?'} on {self.runtime or '?'})"
        return f"{name} EMULATED" if self.emulated else name


class PathProbe(msgspec.Struct, frozen=True, kw_only=True):
    """The path to the server as it is, before anything was measured on it."""

    rtt_s: float  # TCP's handshake: a round trip between the two kernels; median
    empty_s: float  # a request without content, there and back: median
    up_bps: float | None  # from uploads of several sizes; None where the size made no difference that could be told
    proxy_overhead_s: float = 0.0  # of a round trip through the simulated links, taken off their delays


class ArmTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One timed pass (or several, where one is shorter than 100 ms) over the images, one way."""

    process: int
    round: int
    place: int
    began_ns: int
    elapsed_ns: int
    passes: int
    latencies: PackedArray  # ns from an image's pixels to its label, one an image and pass
    parts: dict[str, PackedArray] = {}  # of each latency; ns
    cpu_ns: int | None = None  # processor time of the worker
    others_ns: int | None = None
    stolen_ns: int | None = None
    temperature_c: float | None = None
    throttled: list[str] = []
    joules: float | None = None  # of the whole device, where it has a meter


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One way to have images classified: here, or there by some payload over some link."""

    where: str  # local · remote
    payload: str = ""
    link: str = ""
    in_flight: int = 1
    trials: list[ArmTrial] = []
    failure: Failure | None = None
    bytes_up: float = 0.0  # an image, with all headers of HTTP
    bytes_down: float = 0.0

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
    def latencies_a_trial(self) -> int:
        """The fewest latencies that any trial has."""
        return min((trial.latencies.length for trial in self.trials), default=0)


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Labels that a way of sending images (or none: here) gives, on the same images for all."""

    payload: str  # empty: here
    predictions: PackedArray


class Offload(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one offload measured, on the edge."""

    schema_version: str = SCHEMA_VERSION
    offload_id: str
    began: str
    ended: str
    wall_seconds: float
    complete: bool
    tool_version: str
    tool_revision: str
    machine: Machine
    server: ServerIdentity
    bundle: BundleIdentity
    settings: OffloadSettings
    images: Images  # all whose labels are known; the first `timed` of them were timed
    timed: int
    configuration: Configuration  # of the local side
    model_sha256: str
    runtime_version: str
    links: list[Link]
    path: PathProbe | None
    arms: list[Arm]
    accuracies: list[Accuracy] = []
    power: Power | None = None
    meter: str = ""  # what measured joules; empty: nothing did
    findings: list[Finding] = []
    stopped: str = ""

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


def write_offload(offload: Offload, folder: Path) -> Path:
    """Writes it into ``folder`` under a name of its own, never over a file. ResultsError where it cannot."""
    name = run_file_name(offload.began, offload.machine.hostname, offload.offload_id)
    path = folder / name.replace("run-", "offload-", 1)
    try:
        write_atomically(path, encode_record(offload), exclusive=True)
    except OSError as cause:
        raise ResultsError(
            f"{path}: cannot be written: {cause.strerror}", "make room, or name another --results"
        ) from None
    return path


def read_offload(path: Path) -> Offload:
    """Reads an Offload file; ResultsError with what is wrong."""
    remedy = "name a file that `edge-bench offload` wrote"
    offload = decode_record(path, Offload, ResultsError, remedy, MAX_RUN_BYTES)
    if sum(arm.where == LOCAL for arm in offload.arms) != 1:
        raise ResultsError(f"{path}: not a whole offload: it has no local side", "measure it again")
    try:
        for arm in offload.arms:
            for trial in arm.trials:
                _check(trial, PARTS if arm.where != LOCAL else ())
        for packed in [offload.images.indices, *(each.predictions for each in offload.accuracies)]:
            if len(unpack(packed)) != offload.images.indices.length:
                raise ValueError("labels of other images than its own")
    except ValueError as cause:
        raise ResultsError(f"{path}: not a whole offload: {cause}", "measure it again") from None
    return offload


def _check(trial: ArmTrial, parts: Sequence[str]) -> None:
    """ValueError for a trial that figures could not be made of."""
    if not trial.parts.keys() >= set(parts):
        raise ValueError("a trial without the parts of its latencies")
    for packed in [trial.latencies, *trial.parts.values()]:
        if not len(unpack(packed)):
            raise ValueError("a trial without latencies")
    if trial.elapsed_ns <= 0:
        raise ValueError("a trial that took no time")


def offload_files(folder: Path) -> list[Path]:
    """The Offload files in a folder, oldest first."""
    return sorted(folder.glob("offload-*.json"))
