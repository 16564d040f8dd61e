"""Comparison of every configuration of one or more Runs with one baseline."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.comparison.attribution import Effect, attribute
from edge_bench.bench.analysis.comparison.model_names import distinguished
from edge_bench.bench.analysis.comparison.ranking import Ranking, ranking
from edge_bench.bench.analysis.comparison.run_notes import notes_on_runs, nothing_measured
from edge_bench.bench.analysis.comparison.slack import Slack, slacks_of
from edge_bench.bench.analysis.energy.joules import Energy, energy_over_runs
from edge_bench.bench.analysis.fastest.search import Search, search_of
from edge_bench.bench.analysis.labels.agreement import (
    Agreement,
    CrossMachineAgreement,
    CrossMachineAgreements,
)
from edge_bench.bench.analysis.labels.same_images import require_same_images
from edge_bench.bench.analysis.quality.across import CrossMachineOutputs, outputs_across
from edge_bench.bench.analysis.quality.paired import on_the_same_images, quality_differences
from edge_bench.bench.analysis.quality.scored import agreement_of_outputs, measures_of
from edge_bench.bench.analysis.sustained.refusal import require_interleaved
from edge_bench.bench.analysis.times.compared_times import Separation, TimeComparison, compare_times
from edge_bench.bench.analysis.times.earlier_runs import EarlierRuns, as_earlier
from edge_bench.bench.analysis.times.example_times import ExampleTime, example_time
from edge_bench.bench.analysis.times.groups import repeats_together
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.analysis.times.reliability import (
    Reliability,
    is_unstable,
    reliability_of,
    trusted,
    verdict_reliable,
)
from edge_bench.bench.analysis.times.timings import Estimator, RunResult, common_estimator, joined_repeats
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import SCHEMA_VERSION
from edge_bench.bench.records.bundle import ORIGINAL
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.records.run import CLASSIFY, Configuration, Failure, Result, Run
from edge_bench.bench.stats.intervals import PairedDifference
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdicts
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement
from edge_bench.bench.wording import counted

__all__ = ["LEFT_OUT", "Comparison", "Row", "Slack", "compare", "matches"]

#: Remark on a configuration without trials in the second round of --find-fastest.
LEFT_OUT = "left out after the first round"
#: Variants tried in this order if no baseline is given: the paper's original model, then the most similar one.
DEFAULT_BASELINES = (ORIGINAL, "float32")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration compared with the baseline. Unavailable values are None, with the reason in ``remark``."""

    run_id: str
    began: str = ""  # of the Run, UTC, ISO 8601
    machine: str
    emulated: bool
    configuration: Configuration
    is_baseline: bool = False
    images: int = 0
    correct: int | None = 0  # None if there are no true labels
    accuracy_assumed: bool = False  # whether it depends on an assumption about images or labels
    pass_seconds: list[float] = []  # one per trial
    time: ExampleTime | None = None  # per example; the same estimator for all rows
    fastest_in_run: bool = False  # whether no configuration of its Run is significantly faster (`ranking`)
    fastest: bool = False  # whether no configuration of any Run is significantly faster
    runs: int = 1  # number of repeated Runs in this row
    ratio: Ratio | None = None
    verdict: Verdict | None = None  # corrected for the number of rows: `verdicts`
    estimator: Estimator | None = None  # of ``ratio``
    whole_pass: Ratio | None = None  # if ``ratio`` is of typical invocations
    slow_tail: bool = False  # whether whole passes differ only because of slow invocations
    process_luck: bool = False  # whether ``ratio`` is over processes, because those of one side have different speeds
    separation: Separation | None = None  # None if measured in a Run of the baseline
    trusted: bool | None = None  # whether the times of its Runs are reliable; None: unknown (an older Run)
    unstable: bool = False  # whether its times have a standard deviation of 10 % or more of their mean
    verdict_reliable: bool | None = None  # whether both sides of ``verdict`` have reliable times; None: unknown
    no_interval: str = ""  # why ``ratio`` has no interval; empty if it has one, or there is no ratio
    accuracy_difference: PairedDifference | None = None
    agreement: Agreement | None = None
    across: CrossMachineAgreement | None = None  # with the same variant and runtime on the baseline's machine
    task: str = CLASSIFY
    quality: list[Measure] = []  # of the task, the one in tables first; empty if true values are unknown
    quality_differences: list[MeasureDifference] = []  # from the baseline, on the examples of both
    task_agreement: TaskAgreement | None = None  # of outputs with the baseline's; None for classify
    outputs_across: CrossMachineOutputs | None = None  # as ``across``, for other tasks
    bytes: int = 0  # of the model file
    size_ratio: float | None = None
    memory_peak_bytes: int | None = None  # largest of its processes; None: unknown
    energy: Energy | None = None  # None without trials
    failure: str = ""  # its kind if the configuration failed, perhaps after some trials: then there is no verdict
    remark: str = ""

    @property
    def failed(self) -> bool:
        """Whether it failed, perhaps after some trials."""
        return bool(self.failure)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Every configuration compared with a baseline, with slacks and effects."""

    schema_version: str = SCHEMA_VERSION
    baseline: Configuration
    baseline_machine: str
    rows: list[Row]
    slacks: list[Slack]
    effects: list[Effect] = []  # causes of the time differences, one factor at a time
    notes: list[str]
    task: str = CLASSIFY
    unit: str = "image"  # one example: image, or inference if the inputs are not images
    estimator: Estimator = Estimator.WHOLE  # of `Row.time`
    searches: list[Search] = []  # of the Runs with --find-fastest
    reliability: list[Reliability] = []  # one for each Run, or for the repeats of one, in the order of the rows


def compare(
    runs: Sequence[Run], baseline: str | Configuration | None = None, earlier: Sequence[Run] | EarlierRuns = ()
) -> Comparison:
    """Compare all configurations of all runs with one of them.

    ``baseline`` is ``VARIANT[/RUNTIME[/THREADS[/BATCH[/DELEGATE]]]]`` or a configuration. The first measured match is
    used. Raise BadInput if none matches, and for a sustained load. Raise ResultsError if the Runs are of different
    tasks or images, or contain no measurements. The models may differ; those of the same name get different ones.
    Repeats of a Run (``Run.repeat_group``) share their rows. ``earlier`` Runs are not compared. They show how much a
    machine varies from run to run.
    """
    require_interleaved(runs)
    for run in runs[1:]:
        require_same_images(run, runs[0])
    all_results, name_notes = distinguished(runs)
    all_results = joined_repeats(all_results)
    measured = [item for item in all_results if item.result.trials]
    if not measured:
        raise nothing_measured(runs)
    notes = list(dict.fromkeys(run.bundle.note for run in runs if run.bundle.note)) + name_notes
    searches = [found for run in runs if (found := search_of(run))]
    if baseline is None and len(runs) == len(searches) == 1:
        baseline = searches[0].finalists[0]  # not the fastest of the second round: its interval would be too narrow
    base = _find_baseline(measured, baseline, notes)
    across, known = CrossMachineAgreements(base.run), as_earlier(earlier)
    estimator = common_estimator([each for item in measured for each in item.all_runs])
    ranks = ranking(measured, estimator)
    rows = [_timed(_row(item, base, across, known), item, estimator, ranks) for item in all_results]
    judged = verdicts([None if row.failed else row.ratio for row in rows])
    finished = [item for item in measured if not item.failure]
    return Comparison(
        baseline=base.result.configuration,
        baseline_machine=run_place(base.run),
        rows=[msgspec.structs.replace(row, verdict=each) for row, each in zip(rows, judged, strict=True)],
        slacks=slacks_of(finished, known),
        effects=attribute(finished, base.run, known),
        notes=notes + notes_on_runs(runs, base.run),
        task=base.run.task,
        unit=base.run.unit,
        estimator=estimator,
        searches=searches,
        reliability=[reliability_of(group) for group in repeats_together(runs)],
    )


def matches(configuration: Configuration, selector: str | Configuration) -> bool:
    """Return whether a configuration is the selected one.

    A text is ``VARIANT[/RUNTIME[/THREADS[/BATCH[/DELEGATE]]]]``.
    """
    if isinstance(selector, Configuration):
        return configuration == selector
    fields = (
        configuration.variant, configuration.runtime, str(configuration.threads), str(configuration.batch_size),
        shown_delegate(configuration.delegate),
    )  # fmt: skip
    # names of variants may contain slashes, such as base/model, and options of a delegate may be paths
    return f"{'/'.join(fields)}/".startswith(f"{selector}/") and (
        selector == fields[0] or selector.startswith(f"{fields[0]}/")
    )


def _find_baseline(measured: Sequence[RunResult], selector: str | Configuration | None, notes: list[str]) -> RunResult:
    # stable sort: measured times are preferred to emulated ones
    ordered = sorted(measured, key=lambda item: item.run.emulated)
    for name in [selector] if selector else DEFAULT_BASELINES:
        for item in ordered:
            named = item.result.configuration
            if matches(named, name) or matches(msgspec.structs.replace(named, variant=item.role), name):
                return item
    known = ", ".join(dict.fromkeys(f"{c.variant}/{c.runtime}" for c in (i.result.configuration for i in measured)))
    if selector:
        raise BadInput(f"no measured configuration is {str(selector)!r}", f"choose from {known}")
    notes.append(f"neither {' nor '.join(DEFAULT_BASELINES)} was measured: the first configuration is the baseline")
    return ordered[0]


def _row(item: RunResult, base: RunResult, across: CrossMachineAgreements, earlier: EarlierRuns) -> Row:
    run, result, failure = item.run, item.result, item.failure
    row = Row(
        run_id=run.run_id,
        began=run.began,
        machine=run_place(run),
        emulated=run.emulated,
        configuration=result.configuration,
        task=run.task,
        bytes=result.bytes,
        memory_peak_bytes=max((process.memory_peak_bytes for process in result.processes), default=0) or None,
        size_ratio=result.bytes / base.result.bytes if base.result.bytes else None,
        failure=failure.kind if failure else "",
        remark=_remark(failure, result),
    )
    if not result.trials:
        return row
    times = compare_times(item, base, earlier)
    row = _with_times(row, item, base, times)
    difference, agreement = on_the_same_images(item, base)
    correct, classified = run.correct(result) if run.scored(result) else (None, item.images)
    return msgspec.structs.replace(
        row,
        is_baseline=item.result is base.result,
        images=classified,
        correct=correct,
        accuracy_assumed=run.accuracy_assumed,
        pass_seconds=[float(seconds) for each in item.all_runs for seconds in each.result.pass_seconds()],
        runs=len(item.all_runs),
        accuracy_difference=difference,
        agreement=agreement,
        across=across.with_result(run, result),
        quality=measures_of(run, result),
        quality_differences=quality_differences(item, base, difference),
        task_agreement=agreement_of_outputs(run, result, base.run, base.result),
        energy=energy_over_runs(item.all_runs),
        outputs_across=outputs_across(run, result, base.run, across.counterpart(run, result)),
        remark=row.remark or times.reason,
    )


def _remark(failure: Failure | None, result: Result) -> str:
    """Return why a configuration failed, with the kind if there are trials, or that it was left out."""
    if failure is None:
        return LEFT_OUT if result.first_round and not result.trials else ""
    trials = len(result.trials)
    return f"{failure.kind} after {counted(trials, 'trial')}: {failure.message}" if trials else failure.message


def _with_times(row: Row, item: RunResult, base: RunResult, times: TimeComparison) -> Row:
    return msgspec.structs.replace(
        row,
        ratio=times.ratio,
        estimator=times.estimator,
        whole_pass=times.whole_pass,
        slow_tail=times.slow_tail,
        process_luck=times.process_luck,
        separation=times.separation,
        trusted=trusted([each.run for each in item.all_runs]),
        unstable=any(is_unstable(each.result) for each in item.all_runs),
        verdict_reliable=verdict_reliable(item, base) if times.ratio and not row.failed else None,
        no_interval=times.reason if times.ratio and not row.failed else "",
    )


def _timed(row: Row, item: RunResult, estimator: Estimator, ranks: Ranking) -> Row:
    """Return the row with its time and its rank."""
    if not item.result.trials:
        return row
    return msgspec.structs.replace(
        row,
        time=example_time(item, estimator),
        fastest_in_run=ranks.fastest_in_run(item),
        fastest=ranks.fastest(item),
    )
