"""The entries of a run's journal, in the order in which they are written."""

from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt, PackedArray, PositiveInt
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.outputs.union import TaskOutputs
from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import MAX_CONFIGURATIONS, Failure, ProcessRecord, Run, Trial
from edge_bench.bench.system.machine import Finding

__all__ = [
    "ConfigurationFailed",
    "Entry",
    "FinalistsChosen",
    "FindingAdded",
    "OutputsRecorded",
    "PowerMeasured",
    "ProcessFinished",
    "ProcessStarted",
    "ProfileMade",
    "RunStarted",
    "TrialMade",
]


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first entry: the Run as it is before its first trial."""

    run: Run


class PowerMeasured(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The power meter was found, and the idle power measured."""

    power: MeteredPower


class ProcessStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker of configuration ``number`` has finished its warm-up."""

    number: NonNegativeInt
    record: ProcessRecord
    delegate: BoundedStr
    passes: PositiveInt  # per trial
    chunks: NonNegativeInt  # parts of a pass, more than 1 if its inputs do not fit in memory
    warnings: Annotated[list[BoundedStr], Length] = []  # notes on unusual times
    delegations: Annotated[list[Delegation], Length] = []


class TrialMade(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A finished trial of configuration ``number`` in a generation of the schedule."""

    number: NonNegativeInt
    generation: NonNegativeInt
    trial: Trial
    labels: PackedArray  # predicted, one per image of the trial; 65535 for an image without finite scores
    in_top_5: PackedArray | None = None  # per image, 1 if the true label has one of the five best scores, else 0
    tied: NonNegativeInt = 0  # images with more than one class at the highest score
    outside_unit: bool = False  # some single scores were outside 0 to 1, and no threshold was set


class OutputsRecorded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Outputs of configuration ``number``, recorded by one of its processes before its first trial."""

    number: NonNegativeInt
    process: NonNegativeInt
    outputs: TaskOutputs
    checksums: PackedArray  # CRC-32 of each example's outputs
    postprocess: PackedArray | None = None  # ns, one per example: decoding of its outputs, if requested


class ProcessFinished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker has ended normally."""

    number: NonNegativeInt
    process: NonNegativeInt
    memory_peak_bytes: NonNegativeInt


class ConfigurationFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A configuration has failed."""

    number: NonNegativeInt
    failure: Failure


class ProfileMade(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The operators of configuration ``number`` were profiled after its trials, or could not be."""

    number: NonNegativeInt
    profile: Profile | None = None
    problem: BoundedStr = ""  # why there is none


class FinalistsChosen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first round of --find-fastest has ended; only configurations ``numbers`` are in the second round."""

    numbers: Annotated[list[NonNegativeInt], msgspec.Meta(max_length=MAX_CONFIGURATIONS)]


class FindingAdded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that makes the measurements unreliable happened during the run."""

    finding: Finding


Entry = (
    RunStarted
    | PowerMeasured
    | ProcessStarted
    | OutputsRecorded
    | TrialMade
    | ProcessFinished
    | ConfigurationFailed
    | ProfileMade
    | FinalistsChosen
    | FindingAdded
)
