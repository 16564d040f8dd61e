"""The Offload record: measurements of local and remote inference on the same images."""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import (
    SCHEMA_VERSION,
    BoundedNames,
    BoundedStr,
    Length,
    NonNegativeInt,
    PackedArray,
    PositiveInt,
    unpack,
)
from edge_bench.bench.offload.network.link_profiles import DIRECT, Link, Rate
from edge_bench.bench.records.power import Power
from edge_bench.bench.records.run import BundleIdentity, Configuration, Failure, Images
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.tasks.tensors.differences import TensorDifference

__all__ = [
    "LOCAL",
    "PARTS",
    "Accuracy",
    "Arm",
    "ArmTrial",
    "Offload",
    "OffloadSettings",
    "OutputComparison",
    "OutputDifference",
    "PathProbe",
    "ServerIdentity",
]

LOCAL = "local"
# limits of fields, checked while a file is decoded
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Bytes = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
#: Parts of a remote latency, in order. The first five add up to it. The last four happen during "wait".
PARTS = ("encode", "send", "wait", "receive", "decode", "queue", "unpack", "compute", "server")


class OffloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Options of an offload."""

    trials: PositiveInt = 30
    processes: PositiveInt = 5
    limit: PositiveInt | None = 100  # number of images to time; None: all
    accuracy_images: PositiveInt = 1000  # number of images to measure accuracy on, including the timed ones
    seed: NonNegativeInt = 42
    timeout_s: float = 60.0
    quality: PositiveInt = 90  # JPEG quality, 1 to 95


class ServerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The server's description of itself. The token is not stored."""

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
        """The server's name in tables."""
        name = f"{self.hostname or self.url} ({self.variant or '?'} on {self.runtime or '?'})"
        return f"{name} EMULATED" if self.emulated else name


class PathProbe(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of the path to the server without a simulated link, made before the first trial."""

    rtt_s: Seconds  # median of TCP handshakes: a round trip between the two kernels
    empty_s: Seconds  # median from sending a request without content to its answer
    up_bps: Rate | None  # bits per second, from uploads of several sizes; None if larger uploads took no longer
    proxy_overhead_s: Seconds = 0.0  # per round trip through the simulated links; subtracted from their delays


class ArmTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of an arm: one timed pass over the images, or several if a pass is shorter than 200 ms."""

    process: NonNegativeInt
    round: NonNegativeInt
    sequence_number: NonNegativeInt
    began_ns: NonNegativeInt
    elapsed_ns: PositiveInt
    passes: PositiveInt
    latencies: PackedArray  # ns from an image's pixels to its label, for each image of each pass
    parts: dict[BoundedStr, PackedArray] = {}  # ns, for each latency
    cpu_ns: NonNegativeInt | None = None  # CPU time of the worker process
    other_cpu_ns: NonNegativeInt | None = None
    steal_ns: NonNegativeInt | None = None
    temperature_c: float | None = None
    throttled: list[BoundedStr] = []
    joules: Seconds | None = None  # energy of the whole trial, if the device has a meter


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration: the images are classified locally, or remotely with a payload and a link."""

    where: BoundedStr  # local or remote
    payload: BoundedStr = ""
    link: BoundedStr = ""
    in_flight: PositiveInt = 1
    trials: list[ArmTrial] = []
    failure: Failure | None = None
    bytes_up: Bytes = 0.0  # per image, including HTTP headers
    bytes_down: Bytes = 0.0  # per image, including HTTP headers

    @property
    def name(self) -> str:
        """The arm's name, such as ``remote raw over lte, 8 in flight``."""
        if self.where == LOCAL:
            return LOCAL
        over = "" if self.link == DIRECT else f" over {self.link}"
        return f"remote {self.payload}{over}{f', {self.in_flight} in flight' if self.in_flight > 1 else ''}"

    def by_process(self, metric: str) -> dict[int, dict[int, float]]:
        """Return ``{process: {round: seconds}}`` of a metric.

        ``metric`` is a percentile of the latencies (``p50`` or ``p95``), ``an image`` for the trial's duration per
        image, or the name of a part for its median.
        """
        table: dict[int, dict[int, float]] = {}
        for trial in self.trials:
            table.setdefault(trial.process, {})[trial.round] = _metric_seconds(trial, metric)
        return table

    def process_medians(self, metric: str) -> dict[int, float]:
        """Return ``{process: median over its rounds}`` of a metric of ``by_process``, in seconds."""
        return {process: float(np.median(list(rounds.values()))) for process, rounds in self.by_process(metric).items()}

    def process_means(self, metric: str) -> dict[int, float]:
        """Return ``{process: mean}`` over all images of all its trials, in seconds.

        ``metric`` is ``latency``, ``an image`` for the trials' duration per image, or the name of a part.
        """
        totals: dict[int, tuple[int, int]] = {}  # nanoseconds and images by process
        for trial in self.trials:
            nanoseconds, images = totals.get(trial.process, (0, 0))
            totals[trial.process] = nanoseconds + _total_ns(trial, metric), images + trial.latencies.length
        return {process: nanoseconds / images / 1e9 for process, (nanoseconds, images) in totals.items()}

    def trial_means(self, metric: str) -> list[float]:
        """Return the mean of a metric of `process_means` of each trial, in seconds."""
        return [_total_ns(trial, metric) / trial.latencies.length / 1e9 for trial in self.trials]

    @property
    def latencies_per_trial(self) -> int:
        """The smallest number of latencies in any trial; 0 without trials."""
        return min((trial.latencies.length for trial in self.trials), default=0)


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """Predicted labels of all images, with one payload or local."""

    payload: BoundedStr  # empty: local inference
    predictions: PackedArray


class OutputDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Differences of one output, local (the reference) and remote, over all compared examples, in real units."""

    name: BoundedStr
    other_name: BoundedStr  # on the server
    identical: NonNegativeInt | None  # examples with the same bytes; None: types or scales differ
    other_shapes: NonNegativeInt  # examples with different shapes, which are not compared
    difference: TensorDifference


class OutputComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Outputs of a model with any inputs and outputs, local and remote, on the same examples."""

    examples: PositiveInt
    identical: NonNegativeInt  # examples of which all outputs have the same types, shapes and bytes
    by_name: bool  # whether outputs are paired by name; otherwise by order
    outputs: Annotated[list[OutputDifference], Length]


class Offload(msgspec.Struct, frozen=True, kw_only=True):
    """All results of one offload, as measured on the edge device."""

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
    images: Images  # all classified images; the first `timed` of them were timed
    timed: PositiveInt
    configuration: Configuration  # of local inference
    model_sha256: BoundedStr
    runtime_version: BoundedStr
    links: list[Link]
    path: PathProbe | None
    arms: list[Arm]
    accuracies: list[Accuracy] = []
    comparison: OutputComparison | None = None  # of a model with any inputs and outputs, which has no accuracies
    power: Power | None = None
    meter: BoundedStr = ""  # name of the energy meter; empty: none
    findings: list[Finding] = []
    sandbox: BoundedNames | None = None  # parts active in the local worker; None in Offloads that are older
    stopped: BoundedStr = ""

    @property
    def emulated(self) -> bool:
        """Whether the edge device or the server is emulated, so that times are invalid."""
        return self.machine.emulated or self.server.emulated

    @property
    def local(self) -> Arm:
        """The arm of local inference."""
        return next(arm for arm in self.arms if arm.where == LOCAL)

    @property
    def remotes(self) -> list[Arm]:
        """The arms of remote inference."""
        return [arm for arm in self.arms if arm.where != LOCAL]

    def link(self, name: str) -> Link | None:
        """Return the simulated link of that name; None for the direct path."""
        return next((link for link in self.links if link.name == name), None)


def _total_ns(trial: ArmTrial, metric: str) -> int:
    if metric == "an image":
        return trial.elapsed_ns
    packed = trial.latencies if metric == "latency" else trial.parts[metric]
    return int(unpack(packed).sum(dtype=np.int64))


def _metric_seconds(trial: ArmTrial, metric: str) -> float:
    if metric == "an image":
        return trial.elapsed_ns / trial.latencies.length / 1e9
    if metric in ("p50", "p95"):
        values: npt.NDArray[np.float64] = unpack(trial.latencies) / 1e9
        return float(np.percentile(values, int(metric[1:])))
    return float(np.median(unpack(trial.parts[metric]))) / 1e9
