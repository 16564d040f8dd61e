"""The Run: everything measured on one machine, raw, with what is needed to judge and to repeat it."""

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
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.system.sensors import MachineState

__all__ = [
    "BundleIdentity",
    "Configuration",
    "Failure",
    "Images",
    "ProcessRecord",
    "Result",
    "Run",
    "Settings",
    "Trial",
]

#: Trials of one configuration.
TrialCount = msgspec.Meta(max_length=1_000_000)


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Variant × runtime × threads × batch size: what a worker process is for."""

    variant: BoundedStr
    runtime: BoundedStr
    threads: PositiveInt
    batch_size: PositiveInt

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'' if self.threads == 1 else 's'}"
        return f"{self.variant} on {self.runtime}, {threads}, batch {self.batch_size}"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One timed pass (or several, where one is shorter than 100 ms) over the images."""

    process: NonNegativeInt  # which generation of worker processes, from 0
    round: NonNegativeInt  # within the generation, from 0
    sequence_number: NonNegativeInt  # among all trials of the run, from 0
    began_ns: NonNegativeInt  # since the run began
    elapsed_ns: PositiveInt
    passes: PositiveInt
    correct: NonNegativeInt  # images classified right in the last pass
    latencies: PackedArray  # ns, one an invocation of the last pass
    cpu_ns: NonNegativeInt | None = None  # processor time of the worker in this trial
    other_cpu_ns: NonNegativeInt | None = None  # processor time of everyone else meanwhile, on all cores
    steal_ns: NonNegativeInt | None = None  # processor time that a hypervisor gave to others meanwhile
    temperature_c: float | None = None  # after it
    throttled: Annotated[list[BoundedStr], Length] = []  # why the machine was slower than it can be during it
    image_positions: PackedArray | None = None  # in Run.images, of the images that this trial drew; None: all

    @property
    def pass_seconds(self) -> float:
        """Seconds a pass."""
        return self.elapsed_ns / self.passes / 1e9


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker process said of itself before its first trial, and its memory after its last."""

    index: NonNegativeInt
    import_ns: NonNegativeInt  # loading the runtime's own library
    load_ns: NonNegativeInt  # from the file's path to a model that can be invoked
    first_inference_ns: NonNegativeInt  # the first invocation
    warm_up_ns: NonNegativeInt
    warm_up_invocations: NonNegativeInt
    memory_before_bytes: NonNegativeInt  # resident, with runtime and images in memory, without the model
    memory_peak_bytes: NonNegativeInt  # highest resident size of the process


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a configuration has no or not all trials."""

    kind: BoundedStr  # not installed · bad file · cannot load · out of memory · crashed · timed out · failed
    message: BoundedStr
    remedy: BoundedStr = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured of one configuration."""

    configuration: Configuration
    bytes: NonNegativeInt
    sha256: BoundedStr
    runtime_version: BoundedStr = ""
    processes: Annotated[list[ProcessRecord], TrialCount] = []
    trials: Annotated[list[Trial], TrialCount] = []
    predictions: PackedArray | None = None  # labels, one an image, in the order of Run.images
    unseen_positions: PackedArray | None = None  # places of images that no trial has drawn
    in_top_5: PackedArray | None = None  # 1 where the true label is among the five best scores, in the order of images
    unstable_predictions: NonNegativeInt = 0  # images whose label differed between trials
    failure: Failure | None = None
    warnings: Annotated[list[BoundedStr], Length] = []
    delegate: BoundedStr = ""  # that the runtime said it uses, XNNPACK say

    def pass_seconds(self) -> npt.NDArray[np.float64]:
        """Seconds a pass, one a trial, in the order measured."""
        return np.array([trial.pass_seconds for trial in self.trials], dtype=np.float64)

    def by_process(self) -> dict[int, dict[int, float]]:
        """Seconds a pass as {process: {round: seconds}}."""
        table: dict[int, dict[int, float]] = {}
        for trial in self.trials:
            table.setdefault(trial.process, {})[trial.round] = trial.pass_seconds
        return table

    def seconds_by_process(self) -> list[npt.NDArray[np.float64]]:
        """Seconds a pass, one array a process."""
        return [np.array(list(rounds.values())) for _, rounds in sorted(self.by_process().items())]

    def latencies_ms_per_image(self) -> npt.NDArray[np.float64]:
        """Latency of every invocation of every trial, in milliseconds an image."""
        batch = self.configuration.batch_size
        return np.concatenate([unpack(trial.latencies) / 1e6 / batch for trial in self.trials])

    def labels(self) -> npt.NDArray[np.int64]:
        """Predicted labels, shape [images]; -1 where no trial has drawn the image."""
        if self.predictions is None:
            raise ValueError(f"{self.configuration} made no predictions")
        labels = unpack(self.predictions).astype(np.int64)
        if self.unseen_positions is not None:
            labels[unpack(self.unseen_positions)] = -1
        return labels


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """Which test images were classified, by their index in the bundle, and their true labels."""

    indices: PackedArray
    labels: PackedArray
    total_images: NonNegativeInt  # images in the whole test set
    checksums: PackedArray | None = None  # CRC-32 of each image's pixels
    notes: Annotated[list[BoundedStr], Length] = []  # what to know of images and labels: left out, inferred, mapped


class BundleIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundle was measured, or which files of a model with which data."""

    sha256: BoundedStr  # of its manifest, which holds all other checksums
    created: BoundedStr
    model: BoundedStr
    parameters: NonNegativeInt
    dataset: BoundedStr
    dataset_sha256: BoundedStr
    classes: BoundedNames
    note: BoundedStr = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    trials: NonNegativeInt = 30
    processes: NonNegativeInt = 5
    limit: PositiveInt | None = None
    seed: int = 42
    timeout_s: float = 600.0
    scenario: BoundedStr = ""  # offline · single-stream; empty: each runtime's own batch size
    resample: PositiveInt | None = None  # images that each trial draws for itself; None: all of Run.images
    memory_limit: PositiveInt | None = None  # bytes that a worker process may allocate; None: what the machine gives


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured on one machine in one go."""

    schema_version: str = SCHEMA_VERSION
    run_id: BoundedStr
    began: BoundedStr  # UTC, ISO 8601
    ended: BoundedStr
    wall_seconds: float
    complete: bool  # all trials asked for were made, or their configuration has a failure that says why not
    tool_version: BoundedStr
    tool_revision: BoundedStr
    machine: Machine
    bundle: BundleIdentity
    settings: Settings
    images: Images
    preprocessing: Preprocessing | None = None  # None in Runs from before it was recorded
    results: Annotated[list[Result], Length]
    findings: Annotated[list[Finding], Length] = []  # what spoils or may spoil the measurement, each with its remedy
    trusted: bool | None = None  # complete, and no finding spoils it; None in Runs from before it was judged
    stopped: BoundedStr = ""  # why it ended before its time, where nobody interrupted it
    state_before: MachineState | None = None
    state_after: MachineState | None = None

    @property
    def images_per_pass(self) -> int:
        """How many images a pass classifies."""
        return min(self.settings.resample or self.images.indices.length, self.images.indices.length)

    def scored(self, result: Result) -> bool:
        """Whether a result's accuracy can be known: it made predictions, and there are true labels."""
        return self.labelled and result.predictions is not None

    def correct(self, result: Result) -> tuple[int, int]:
        """How many images of those that a result has seen, each counted once, it classified right; and of how many."""
        labels, truth = result.labels(), unpack(self.images.labels).astype(np.int64)
        return int(np.count_nonzero(labels == truth)), int(np.count_nonzero(labels >= 0))

    def correct_in_top_5(self, result: Result) -> tuple[int, int] | None:
        """How many images of those seen have their true label among the five best; None where it was not kept."""
        if result.in_top_5 is None or not self.scored(result):
            return None
        return int(unpack(result.in_top_5).sum()), int(np.count_nonzero(result.labels() >= 0))

    @property
    def emulated(self) -> bool:
        """Whether times are those of an emulator."""
        return self.machine.emulated

    @property
    def labelled(self) -> bool:
        """Whether the images' true labels are known; without them there is no accuracy, only agreement."""
        return self.images.labels.length == self.images.indices.length

    @property
    def measured(self) -> list[Result]:
        """Results with at least one trial."""
        return [result for result in self.results if result.trials]
