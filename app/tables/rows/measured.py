"""Rows of ``run``, ``run --repeat-runs`` and ``history``."""

import msgspec

from edge_bench.app.tables.rows.profiled import ProfileRow
from edge_bench.bench.analysis.sustained.load import Load, Outcome
from edge_bench.bench.records.delegate import DelegateLibrary, Delegation
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.latency import PERCENTILES, Histogram
from edge_bench.bench.tasks.measures import Measure

__all__ = ["HistoryRow", "RepeatsRow", "RunRow"]

Number = float | None


class _MeasuredRow(Configuration, frozen=True, kw_only=True, forbid_unknown_fields=True):
    machine: str
    architecture: str
    emulated: bool
    trusted: bool | None  # whether times are reliable; None: unknown (an older Run)
    not_trusted_because: str  # every reason; empty if there is none
    unstable: bool  # whether times have a standard deviation of 10 % or more of their mean
    images: int  # per pass
    images_a_second: Number
    accuracy: Number
    accuracy_low: Number
    accuracy_high: Number
    accuracy_assumed: bool
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
    failure: str | None


class _RunRow(_MeasuredRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration of a Run. Intervals are ``_low`` and ``_high``, 95 %."""

    runtime_version: str
    delegate_library: DelegateLibrary | None
    delegations: list[Delegation]  # nodes that each delegate runs; empty if they were not counted
    runtime_delegate: str  # the runtime's own that it uses, such as XNNPACK
    trials: int
    bytes: int
    pass_mean_s: Number
    pass_sd_s: Number
    pass_median_s: Number
    pass_median_low_s: Number
    pass_median_high_s: Number
    memory_peak_bytes: int | None
    load_ms: Number
    first_ms: Number
    latency_max_ms: Number
    slow_trials: int | None
    slowest_trial_excess: Number
    process_spread: Number
    process_luck: bool | None
    postprocess_median_ms: Number
    task: str
    quality_measure: str | None  # name of the first measure
    quality_value: Number
    quality_value_low: Number
    quality_value_high: Number
    quality: list[Measure]
    unit: str
    best: bool  # of the threads and batch sizes of its variant and runtime
    first_round_median_s: Number  # median pass of the first round of --find-fastest
    probability_fastest: Number  # lower bound, of the lowest time of --find-fastest; null for all others
    accuracy_sd: Number
    top_5_accuracy: Number
    latency_histogram: Histogram | None
    profile: ProfileRow | None  # of run --profile
    sustained: Outcome | None  # of run --duration; null: an ordinary run
    slowdown: Number  # change of the time from start to end, as a share: 0.12 is 12 % slower
    slowdown_low: Number
    slowdown_high: Number
    changed_after_s: Number  # when it became slower or faster
    sustained_load: Load | None


#: With the percentiles of latencies: latency_p50_ms, latency_p50_low_ms, latency_p50_high_ms …
RunRow = msgspec.defstruct(
    "RunRow",
    [(f"latency_p{each:g}{part}_ms", Number) for each in PERCENTILES for part in ("", "_low", "_high")],
    bases=(_RunRow,),
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
)


class RepeatsRow(_MeasuredRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration of repeated Runs."""

    runs: int
    image_median_ms: Number
    image_fastest_run_ms: Number
    image_slowest_run_ms: Number
    run_to_run_sd: Number
    run_to_run_range: Number
    estimator: str
    differing_predictions: int
    repeat_group: str
    image_ms_by_run: list[float]
    run_ids: list[str]


class HistoryRow(Configuration, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configuration in one of several Runs over time."""

    machine: str
    emulated: bool
    bundle: str
    dataset: str
    images: int
    resample: int | None
    estimator: str
    run: str
    began: str
    night: int | None  # number of the night of `edge-bench nightly`
    trials: int
    image_median_ms: float
    reference_ms: Number
    time_ratio: Number
    time_ratio_low: Number
    time_ratio_high: Number
    mark: str | None
    change: str | None
    verdict_reliable: bool | None  # whether ``change`` rests on reliable times of its Run; null: there is none
    verdict_reason: str  # why there is no ``change``; empty if there is
    trusted: bool | None
    unstable: bool
    change_kind: str | None
    change_ratio: Number
    change_ratio_low: Number
    change_ratio_high: Number
    changed_around: str | None
    accuracy: Number
    accuracy_assumed: bool
    task: str
    quality_measure: str | None  # name of the first measure
    quality_value: Number
    quality: Measure | None
    changed: str
    answer: str
