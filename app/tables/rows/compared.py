"""Rows of ``compare``, without and with older Runs as the baseline."""

import msgspec

from edge_bench.bench.analysis.labels.agreement import Flip
from edge_bench.bench.analysis.quality.across import CrossMachineOutputs
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.tasks.measures import Measure, MeasureDifference

__all__ = ["CompareRow", "EffectRow", "GateRow"]

Number = float | None


class EffectRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Effect of one factor on the time of a configuration."""

    factor: str
    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")
    time_ratio: Number
    time_ratio_low: Number
    time_ratio_high: Number
    verdict: str | None
    verdict_reliable: bool | None
    also_different: list[str]


class _ComparedRow(Configuration, frozen=True, kw_only=True, forbid_unknown_fields=True):
    machine: str
    time_ratio: Number  # to the baseline's time
    time_ratio_low: Number
    time_ratio_high: Number
    verdict: str | None
    verdict_reliable: bool | None  # whether both sides have reliable times; None: unknown, or no ratio
    verdict_reason: str  # why there is no verdict, or no interval
    runs: int | None  # the following are None within one Run
    baseline_runs: int | None
    run_variation: Number
    run_variation_source: str | None
    run_differences: list[str] | None
    accuracy_difference: Number
    accuracy_difference_low: Number
    accuracy_difference_high: Number
    accuracy_assumed: bool
    discordant_lost: int | None
    discordant_gained: int | None
    mcnemar_p: Number
    images_in_common: int | None
    task: str
    quality_measure: str | None  # name of the first measure
    quality_difference: Number  # of that measure, from the baseline
    quality_difference_low: Number
    quality_difference_high: Number
    quality_differences: list[MeasureDifference]
    agreement: Number = None
    agreement_text: str | None
    examples_identical: int | None
    examples_in_common: int | None
    remark: str


class CompareRow(_ComparedRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration compared with the baseline."""

    run: str
    emulated: bool
    baseline: bool
    trusted: bool | None
    unstable: bool
    fastest: bool  # whether no configuration of any Run is significantly faster
    fastest_in_run: bool
    pass_median_s: Number
    example_ms: Number
    example_low_ms: Number
    example_high_ms: Number
    example_estimator: str | None  # typical invocation, or whole pass
    estimator: str | None  # of ``time_ratio``
    whole_pass_ratio: Number
    whole_pass_ratio_low: Number
    whole_pass_ratio_high: Number
    slow_tail: bool
    process_luck: bool
    accuracy: Number
    quality_value: Number  # of the first measure
    quality_value_low: Number
    quality_value_high: Number
    quality: list[Measure]
    bytes: int
    size_ratio: Number
    memory_peak_bytes: int | None
    energy_source: str  # meter · pmic · rapl · stated · none
    energy_meter: str  # what the meter reads, or the source of a stated power
    joules: Number  # per inference
    joules_low: Number
    joules_high: Number
    joules_above_idle: Number  # the same, without what the idle machine takes in this time
    joules_above_idle_low: Number
    joules_above_idle_high: Number
    idle_w: Number
    idle_w_low: Number
    idle_w_high: Number
    power_w: Number  # mean during the trials
    energy_reliable: bool | None  # whether a meter read hardly anything but the trials; None: not from a meter
    energy_remark: str  # why an energy is missing
    across_machine: str | None
    across_same: int | None
    across_total: int | None
    outputs_across: CrossMachineOutputs | None
    across_flips: list[Flip] | None
    attribution: list[EffectRow]


class GateRow(_ComparedRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration compared with itself in older Runs, with ``--baseline FILE``."""

    baseline_variant: str
    gate: str
    gate_time_low: Number
    gate_time_high: Number
    gate_time_confidence: Number
    gate_runs_needed: int | None
