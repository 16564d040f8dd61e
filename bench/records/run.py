"""The Run: all raw measurements of a run on one machine, with the data needed to judge and repeat it."""

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
from edge_bench.bench.records.delegate import DelegateLibrary, Delegation
from edge_bench.bench.records.interpretation import Interpretation, any_assumed
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.outputs.decoding import Decoding
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.records.power import MeteredPower, Watts
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.settings.configuration import Configuration
from edge_bench.bench.records.settings.settings import FirstRound, Settings, Sustained
from edge_bench.bench.system.machine import Finding, Machine
from edge_bench.bench.system.sensors import MachineState

__all__ = [
    "CLASSIFY",
    "MAX_CONFIGURATIONS",
    "RANDOM_INPUTS",
    "UNCLASSIFIED",
    "UNSEEN",
    "BundleIdentity",
    "Configuration",
    "Failure",
    "FirstRound",
    "Images",
    "ProcessRecord",
    "Result",
    "Run",
    "Settings",
    "Sustained",
    "Trial",
]

UNSEEN, UNCLASSIFIED = -1, -2  # instead of a label: the image was in no trial, or its scores were not finite
#: Name of the data set if no data was given.
RANDOM_INPUTS = "random inputs"
#: The task whose outputs are labels (`Result.predictions`). Those of all other tasks are in ``Result.outputs``.
CLASSIFY = "classify"
#: Maximum number of configurations of a Run, so that comparing them takes about a second.
MAX_CONFIGURATIONS = 1_000
#: Trials of a configuration.
TrialCount = msgspec.Meta(max_length=1_000_000)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One timed pass over the images, or several if one is shorter than 200 ms."""

    process: NonNegativeInt  # index of the worker process of this configuration, from 0
    round: NonNegativeInt  # round within its generation of the schedule, from 0
    sequence_number: NonNegativeInt  # position among all trials of the run, from 0
    began_ns: NonNegativeInt  # start of the trial, since the start of the run
    elapsed_ns: PositiveInt  # duration of all passes
    passes: PositiveInt
    correct: NonNegativeInt  # correctly classified images in the last pass
    latencies: PackedArray  # ns, one per invocation of the last pass
    cpu_ns: NonNegativeInt | None = None  # CPU time of the worker during the trial
    other_cpu_ns: NonNegativeInt | None = None  # CPU time of all other processes meanwhile, on the measured cores
    other_cores_cpu_ns: NonNegativeInt | None = None  # the same on the cores that --cpus leaves out; None: none are
    steal_ns: NonNegativeInt | None = None  # CPU time that a hypervisor gave to other virtual machines during the trial
    temperature_c: float | None = None  # °C of the hottest thermal zone after the trial
    clock_mhz: Annotated[float, msgspec.Meta(ge=0)] | None = None  # of the fastest measured core, after the trial
    throttled: Annotated[list[BoundedStr], Length] = []  # why the machine was throttled during the trial
    power_w: Watts | None = None  # mean power of what the meter reads; None: no meter, or no valid reading
    image_positions: PackedArray | None = None  # positions in Run.images of the images of this trial; None: all

    @property
    def pass_seconds(self) -> float:
        """Seconds per pass."""
        return self.elapsed_ns / self.passes / 1e9


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of a worker process before its first trial, and its memory after its last one."""

    index: NonNegativeInt
    import_ns: NonNegativeInt  # duration of importing the runtime's library
    load_ns: NonNegativeInt  # duration of loading the model file until the model can be invoked
    first_inference_ns: NonNegativeInt  # duration of the first invocation
    warm_up_ns: NonNegativeInt  # duration of the warm-up
    warm_up_invocations: NonNegativeInt
    memory_before_bytes: NonNegativeInt  # resident size with the runtime and the images, without the model
    memory_peak_bytes: NonNegativeInt  # maximum resident size of the process


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a configuration has no trials, or not all of them."""

    # not installed · bad file · wrong batch size · cannot load · out of memory · crashed · timed out · failed
    kind: BoundedStr
    message: BoundedStr
    remedy: BoundedStr = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements of one configuration."""

    configuration: Configuration
    bytes: NonNegativeInt  # size of the model file
    sha256: BoundedStr  # of the model file
    runtime_version: BoundedStr = ""
    processes: Annotated[list[ProcessRecord], TrialCount] = []
    trials: Annotated[list[Trial], TrialCount] = []
    # the brief trials of --find-fastest, which choose the finalists; ``trials`` are then only those of the second round
    first_round: Annotated[list[Trial], TrialCount] = []
    predictions: PackedArray | None = None  # labels, one per image, in the order of Run.images
    unseen_positions: PackedArray | None = None  # positions in Run.images of images in no trial
    unclassified_positions: PackedArray | None = None  # positions in Run.images of images without finite scores
    tied_images: NonNegativeInt = 0  # of a trial: images with more than one class at the highest score
    in_top_5: PackedArray | None = None  # per image, 1 if the true label has one of the five best scores, else 0
    unstable_predictions: NonNegativeInt = 0  # images whose label differed between trials
    failure: Failure | None = None
    warnings: Annotated[list[BoundedStr], Length] = []
    delegate: BoundedStr = ""  # the runtime's own that it uses, such as XNNPACK
    delegate_library: DelegateLibrary | None = None  # of the configuration's delegate
    delegations: Annotated[list[Delegation], Length] = []  # nodes of each delegate; empty if they were not counted
    outputs: TaskOutputs | None = None  # of tasks other than classify
    # ns, one per image, measured separately from the trials: decoding of the outputs with --with-postprocess
    postprocess: PackedArray | None = None
    profile: Profile | None = None  # of run --profile, measured after the trials

    def pass_seconds(self) -> npt.NDArray[np.float64]:
        """Return the seconds per pass of each trial, shape [trials], in the order of measurement."""
        return np.array([trial.pass_seconds for trial in self.trials], dtype=np.float64)

    def by_process(self) -> dict[int, dict[int, float]]:
        """Return the seconds per pass as {process: {round: seconds}}."""
        table: dict[int, dict[int, float]] = {}
        for trial in self.trials:
            table.setdefault(trial.process, {})[trial.round] = trial.pass_seconds
        return table

    def seconds_by_process(self) -> list[npt.NDArray[np.float64]]:
        """Return the seconds per pass, one array per process."""
        return [np.array(list(rounds.values())) for _, rounds in sorted(self.by_process().items())]

    def latencies_ms_per_image(self) -> npt.NDArray[np.float64]:
        """Return the latency of every invocation of every trial, in ms per image."""
        batch = self.configuration.batch_size
        return np.concatenate([unpack(trial.latencies) / 1e6 / batch for trial in self.trials])

    def latencies_ms_by_process(self) -> list[npt.NDArray[np.float64]]:
        """Return the latency of every invocation, in ms per image, one array per process."""
        batch = self.configuration.batch_size
        table: dict[int, list[npt.NDArray[np.float64]]] = {}
        for trial in self.trials:
            table.setdefault(trial.process, []).append(unpack(trial.latencies) / 1e6 / batch)
        return [np.concatenate(latencies) for _, latencies in sorted(table.items())]

    def labels(self) -> npt.NDArray[np.int64]:
        """Return the predicted labels, shape [images].

        UNSEEN is the label of an image in no trial, UNCLASSIFIED that of an image whose scores were not finite.
        """
        if self.predictions is None:
            raise ValueError(f"{self.configuration} has no predictions")
        labels = unpack(self.predictions).astype(np.int64)
        if self.unseen_positions is not None:
            labels[unpack(self.unseen_positions)] = UNSEEN
        if self.unclassified_positions is not None:
            labels[unpack(self.unclassified_positions)] = UNCLASSIFIED
        return labels


class Images(msgspec.Struct, frozen=True, kw_only=True):
    """The classified test images, as indices into the test set, and their true labels."""

    indices: PackedArray
    labels: PackedArray  # empty if the true labels are unknown
    total_images: NonNegativeInt  # number of images in the whole test set
    checksums: PackedArray | None = None  # CRC-32 of each image's pixels
    notes: Annotated[list[BoundedStr], Length] = []  # remarks on images and labels: omitted, inferred, mapped


class BundleIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """The measured bundle, or the measured model files and data."""

    sha256: BoundedStr  # of its manifest, which has all other checksums
    created: BoundedStr
    model: BoundedStr
    parameters: NonNegativeInt
    dataset: BoundedStr
    dataset_sha256: BoundedStr
    classes: BoundedNames
    note: BoundedStr = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements of a run on one machine."""

    schema_version: str = SCHEMA_VERSION
    run_id: BoundedStr
    began: BoundedStr  # UTC, ISO 8601
    ended: BoundedStr
    wall_seconds: float
    complete: bool  # every configuration has all its trials or a failure
    tool_version: BoundedStr
    tool_revision: BoundedStr
    machine: Machine
    bundle: BundleIdentity
    settings: Settings
    images: Images
    preprocessing: Preprocessing | None = None  # None in Runs that are older than this field
    interpretations: Annotated[list[Interpretation], Length] = []  # of images and labels, if they were not certain
    preprocessing_by_variant: Annotated[dict[BoundedStr, Preprocessing], Length] = {}  # if it differs between models
    results: Annotated[list[Result], msgspec.Meta(max_length=MAX_CONFIGURATIONS)]
    # positions in ``results`` of the configurations of the second round; None: not chosen, or no --find-fastest
    finalists: Annotated[list[NonNegativeInt], msgspec.Meta(max_length=MAX_CONFIGURATIONS)] | None = None
    findings: Annotated[list[Finding], Length] = []  # causes that make, or may make, the measurements unreliable
    trusted: bool | None = None  # complete and without spoiling findings; None in Runs that are older than this field
    task: BoundedStr = CLASSIFY
    truth: TaskTruth | None = None  # of tasks other than classify; None: unknown, or in Segmentation.cells
    decodings: Annotated[dict[BoundedStr, Decoding], Length] = {}  # how each variant's outputs were read
    sandbox: BoundedNames | None = None  # parts active in all workers, such as seccomp; None in older Runs
    tuned: BoundedNames | None = None  # what `tune` had set, such as turbo off; None: unknown, as in a container
    repeat_group: BoundedStr = ""  # equal for the Runs of one `run --repeat-runs`; empty: not repeated
    repeat: NonNegativeInt = 0  # number within the group, from 1; 0: not repeated
    power: MeteredPower | None = None  # the meter and the idle power; None: no meter, or an older Run
    stopped: BoundedStr = ""  # why the run ended early, unless the user interrupted it
    state_before: MachineState | None = None
    state_after: MachineState | None = None

    @property
    def images_per_pass(self) -> int:
        """Number of images in a pass."""
        return min(self.settings.resample or self.images.indices.length, self.images.indices.length)

    def scored(self, result: Result) -> bool:
        """Return whether a result has an accuracy: it has predictions, and the true labels are known.

        A result of ``--stateful`` has none, since each prediction depends on the previous examples.
        """
        return self.labelled and result.predictions is not None and not self.settings.stateful

    def correct(self, result: Result) -> tuple[int, int]:
        """Return the number of correctly classified images and the number of images in a trial, each counted once.

        An image without finite scores counts as wrong.
        """
        labels, truth = result.labels(), unpack(self.images.labels).astype(np.int64)
        return int(np.count_nonzero(labels == truth)), int(np.count_nonzero(labels != UNSEEN))

    def correct_in_top_5(self, result: Result) -> tuple[int, int] | None:
        """Return the number of images with the true label among the five best, and of all; None if unknown."""
        if result.in_top_5 is None or not self.scored(result):
            return None
        return int(unpack(result.in_top_5).sum()), int(np.count_nonzero(result.labels() != UNSEEN))

    @property
    def accuracy_assumed(self) -> bool:
        """Whether accuracy or quality depends on an assumption about inputs or labels without evidence."""
        return (self.labelled or self.task != CLASSIFY) and any_assumed(self.interpretations)

    @property
    def unit(self) -> str:
        """Name of one example: ``image``, or ``inference`` if the inputs are not images."""
        return "inference" if self.task != CLASSIFY and self.preprocessing is None else "image"

    @property
    def emulated(self) -> bool:
        """Whether the times are those of an emulator."""
        return self.machine.emulated

    @property
    def labelled(self) -> bool:
        """Whether the images' true labels are known; otherwise there is no accuracy, only agreement."""
        return self.images.labels.length == self.images.indices.length

    @property
    def expected_results(self) -> list[Result]:
        """Results that a complete Run has trials of, and failed ones: all but those left out by --find-fastest."""
        if self.finalists is None:
            return self.results
        chosen = set(self.finalists)
        return [each for number, each in enumerate(self.results) if number in chosen or each.failure]

    @property
    def results_with_trials(self) -> list[Result]:
        """Results with at least one trial."""
        return [result for result in self.results if result.trials]
