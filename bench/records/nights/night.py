"""The record of one night of `edge-bench nightly`, written again after each step."""

from enum import StrEnum
from typing import Annotated

import msgspec

from edge_bench.bench.io.record_codec import (
    SCHEMA_VERSION,
    BoundedNames,
    BoundedStr,
    Length,
    NonNegativeInt,
    PositiveInt,
)
from edge_bench.bench.records.settings.configuration import Configuration

__all__ = [
    "Confirmation",
    "ConfirmationKind",
    "Delivery",
    "Finding",
    "Level",
    "Measurement",
    "MeasurementState",
    "Night",
    "NightState",
    "Rule",
    "SilentEngine",
    "TimeRatio",
]

_Share = Annotated[float, msgspec.Meta(ge=0)]


class NightState(StrEnum):
    """How far a night is."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"  # and closed by a later night


class MeasurementState(StrEnum):
    """What an engine did with a model."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # the engine answered, but there is no Run
    SILENT = "silent"  # the engine did not answer, or not any more


class Rule(StrEnum):
    """How a change was found."""

    HISTORY = "history"  # the rules of `edge-bench history`
    EARLY = "early"  # the test for series of fewer than nine nights
    NEW_MODEL = "new model"  # the model's files changed
    ACCURACY = "accuracy"  # the same images, compared with the last night
    FAILURE = "failure"  # the configuration could be measured in the last night


class ConfirmationKind(StrEnum):
    """How a change was measured again in the same night."""

    INTERLEAVED = "interleaved"  # old and new model in one run
    REPEATED = "repeated"  # the new state only, since the old one no longer exists
    NONE = "none"


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration of a night's Run. It is kept after the Run itself was archived or removed."""

    configuration: Configuration
    seconds: _Share  # per example: the median over the trials
    trials: NonNegativeInt
    correct: NonNegativeInt | None = None  # correctly classified examples; None: unknown
    seen: NonNegativeInt = 0  # examples that ``correct`` refers to
    nights_before: NonNegativeInt | None = None  # earlier nights of the series; None: the times were not compared


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one engine in one night."""

    model: BoundedStr
    engine: BoundedStr
    bundle_sha256: BoundedStr = ""  # empty: model files
    state: MeasurementState = MeasurementState.WAITING
    reason: BoundedStr = ""
    remedy: BoundedStr = ""
    image: BoundedStr = ""  # of the engine's container; empty: this machine without a container
    machine: BoundedStr = ""
    run_id: BoundedStr = ""
    run_file: BoundedStr = ""  # name in the results folder
    more_runs: Annotated[list[BoundedStr], Length] = []  # further Runs of the night, in ``nights/more``
    repeats: NonNegativeInt = 0  # number of times that it was measured again, with or without a Run
    bytes: NonNegativeInt = 0  # size of all Run files
    trusted: bool | None = None  # whether the times of the Run are reliable
    levels: Annotated[list[Level], Length] = []
    failed: Annotated[list[Configuration], Length] | None = None  # configurations without times; None: not known


class TimeRatio(msgspec.Struct, frozen=True):
    """A ratio of times with its 95 % interval; the interval is None if there is none."""

    value: _Share
    low: _Share | None = None
    high: _Share | None = None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A second measurement of a change, in the same night."""

    kind: ConfirmationKind
    confirmed: bool | None = None  # None: undecided, or not measured
    ratio: TimeRatio | None = None  # new to old if interleaved; the repeated measurement to the nights before
    run_id: BoundedStr = ""
    run_file: BoundedStr = ""  # in the folder ``nights``
    reason: BoundedStr = ""  # why it was not measured


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one configuration on one engine."""

    model: BoundedStr
    engine: BoundedStr
    machine: BoundedStr
    configuration: Configuration
    verdict: BoundedStr  # slower · faster · less accurate · fails
    rule: Rule
    since_night: PositiveInt  # the first night after the change
    since: BoundedStr  # when the Run of that night began; UTC, ISO 8601
    ratio: TimeRatio | None = None  # after to before
    points: float | None = None  # change of the accuracy, in percentage points, or of another measure in its unit
    points_low: float | None = None
    points_high: float | None = None
    nights_before: NonNegativeInt = 0  # number of nights that ``ratio`` compares
    nights_after: NonNegativeInt = 0
    p_value: float | None = None  # of the early test
    reason: BoundedStr = ""  # why the configuration fails
    last_good_run: BoundedStr = ""  # the last Run before the change
    run_id: BoundedStr = ""  # the first Run after it
    differences: Annotated[list[BoundedStr], Length] = []  # other than the time, such as ``kernel 6.1 → 6.6``
    confirmation: Confirmation | None = None
    reported: bool = False  # whether it is certain enough for a notification


class SilentEngine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that delivered no Run of any model, in this night and perhaps in earlier ones."""

    engine: BoundedStr
    nights: PositiveInt  # number of nights in succession, with this one
    since_night: PositiveInt  # the first of them
    since: BoundedStr  # when it began; UTC, ISO 8601
    last_delivered: BoundedStr = ""  # when the last night with a Run of this engine began; empty: none known
    answers: bool = False  # whether the engine answered tonight
    reason: BoundedStr = ""
    remedy: BoundedStr = ""
    reported: bool = False  # whether it is part of tonight's notification


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notification through one channel."""

    channel: BoundedStr  # command · webhook · mail
    sent: bool
    reason: BoundedStr = ""
    attempts: NonNegativeInt = 0


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """One night: when, on which engines, what changed, and who was told."""

    schema_version: str = SCHEMA_VERSION
    number: PositiveInt  # from 1; the order of nights, whatever the clock says
    began: BoundedStr  # UTC, ISO 8601
    ended: BoundedStr = ""
    boot_id: BoundedStr = ""  # of the kernel
    began_uptime_s: _Share = 0.0  # seconds since that boot
    state: NightState = NightState.RUNNING
    resumed: NonNegativeInt = 0  # number of times that it was continued after an interruption
    tool_version: BoundedStr = ""
    settings_sha256: BoundedStr = ""  # of the settings file, and of the fleet file that it names
    measurements: Annotated[list[Measurement], Length] = []
    findings: Annotated[list[Finding], Length] = []
    judged: bool = False  # whether ``findings`` is complete, with all second measurements
    silent: Annotated[list[SilentEngine], Length] = []
    warnings: BoundedNames = []  # for the notification, such as a disk that fills up
    deliveries: Annotated[list[Delivery], Length] = []  # empty: nothing to report, or no channel
    free_bytes: NonNegativeInt = 0  # on the disk of the results, at the end
    notes: BoundedNames = []

    @property
    def reported(self) -> list[Finding]:
        """The changes that are certain enough for a notification."""
        return [finding for finding in self.findings if finding.reported]

    @property
    def worth_reporting(self) -> bool:
        """Whether there is anything to notify of."""
        return bool(self.reported or self.warnings or any(engine.reported for engine in self.silent))

    @property
    def unsent(self) -> list[Delivery]:
        """The notifications that could not be sent."""
        return [each for each in self.deliveries if not each.sent]

    @property
    def was_cut_off(self) -> bool:
        """Whether it was interrupted after it had found something to notify of, perhaps before all of it was sent."""
        return self.state is NightState.INTERRUPTED and self.judged and self.worth_reporting

    @property
    def run_bytes(self) -> int:
        """Size of all Run files of the night."""
        return sum(each.bytes for each in self.measurements)
