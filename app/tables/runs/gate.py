"""A Run compared with an older one: one row per configuration, and one sentence per judgement of the gate."""

from collections.abc import Sequence

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import marked, significant, with_interval
from edge_bench.app.tables.runs.quality import (
    accuracy_change_text,
    difference_cell,
    quality_heading,
    quality_notes,
    quality_record,
)
from edge_bench.app.tables.runs.separate_runs import separation_notes, separation_record
from edge_bench.app.tables.shared import (
    CONFIGURATION_KEYS,
    DELEGATE,
    UNRELIABLE_NOTE,
    configuration_cells,
    has_delegates,
    ratio_record,
    verdict_cell,
)
from edge_bench.bench.analysis.gate.regression_gate import Change, Judgement, Outcome
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.stats.comparisons.limits import MOST_RUNS
from edge_bench.bench.wording import counted

__all__ = ["changes_table", "failures"]


_HEADER = (
    "machine", *CONFIGURATION_KEYS, "time ×\n[95 %]", "verdict",
    "accuracy, points [95 %]\nlost, gained, p", "gate",
)  # fmt: skip


def changes_table(
    changes: Sequence[Change], judgements: Sequence[Judgement], notes: Sequence[str] = (), within: str = ""
) -> Table:
    """Return one row per change.

    notes: name what was not compared
    within: the baseline's name if both sides are of the same Runs
    """
    several = len({change.machine for change in changes}) > 1
    delegates = has_delegates(change.configuration for change in changes)
    omitted = {
        *(() if several else ("machine",)),
        *(() if delegates else (DELEGATE,)),
        *(() if judgements else ("gate",)),
    }
    columns = [number for number, name in enumerate(_HEADER) if name not in omitted]
    header = _header(changes)
    return Table(
        title=f"each configuration compared with {within or 'itself in the baseline'}",
        header=[header[column] for column in columns],
        rows=[[_cells(change, judgements)[column] for column in columns] for change in changes],
        keys=4 + several + delegates,
        notes=[
            *(_judgement_text(judgement, several=several) for judgement in judgements),
            *(f"NOTE: {note}" for note in notes),
            *quality_notes(
                next((change.task for change in changes), CLASSIFY),
                max((change.images for change in changes), default=0),
                ((str(change.configuration), change.quality_differences) for change in changes),
            ),
            *([UNRELIABLE_NOTE] if any(change.verdict_reliable is False for change in changes) else []),
            *separation_notes((each.machine, str(each.configuration), each.separation) for each in changes),
        ],
        records=[_record(change, judgements) for change in changes],
    )


def _header(changes: Sequence[Change]) -> list[str]:
    """Return the headings. For tasks other than classify, the quality column has the name of the first measure."""
    found = [change for change in changes if change.task != CLASSIFY]
    if not found:
        return list(_HEADER)
    name = quality_heading((each.quality_differences[0] for each in found if each.quality_differences), "change of ")
    return [f"{name or 'quality'}\n[95 %]" if heading.startswith("accuracy") else heading for heading in _HEADER]


def failures(judgements: Sequence[Judgement]) -> list[str]:
    """Return one sentence per failed judgement."""
    several = len({judgement.machine for judgement in judgements}) > 1
    return [
        _judgement_text(judgement, several=several) for judgement in judgements if judgement.outcome is Outcome.FAILED
    ]


def _judgement_text(judgement: Judgement, *, several: bool) -> str:
    """Return ``FAILED: dynamic on litert …: 1.120 [1.092, 1.148] × the baseline's time (90 % interval), …``."""
    word = "FAILED" if judgement.outcome is Outcome.FAILED else judgement.outcome
    start = f"{word}: {judgement.configuration}{f' on {judgement.machine}' if several else ''}: "
    if judgement.interval is None or judgement.value is None:
        return f"{start}{judgement.quantity}: {judgement.remark}"
    position = {
        Outcome.FAILED: "entirely beyond the limit",
        Outcome.PASSED: "entirely within the limit",
        Outcome.UNDECIDED: "both within and beyond the limit",
    }[judgement.outcome]
    if judgement.remark:
        position = judgement.remark + (", although entirely beyond the limit" if judgement.corrected else "; limit")
    if judgement.quantity == "time":
        ratio = f"{with_interval(judgement.value, judgement.interval, 4)} × the baseline's time"
        confidence = f"{100 * judgement.confidence:.0f} % interval"
        return f"{start}{ratio} ({confidence}), {position} ({1 + judgement.limit:.3g} ×){_runs_needed(judgement)}"
    interval = f"[{judgement.interval.low:+.2f}, {judgement.interval.high:+.2f}]"
    unit = "points" if judgement.percent else "% of the baseline's"
    drop = f"{'a drop' if judgement.higher_is_better else 'a rise'} of {significant(judgement.limit, 2)}"
    needed = ""
    undecided = judgement.outcome is Outcome.UNDECIDED
    if undecided and judgement.images_needed and judgement.images_needed > judgement.images:
        needed = (
            f". {counted(judgement.images, 'image')} are too few for this limit: with unchanged accuracy, "
            f"{counted(judgement.images_needed, 'image')} pass it in 80 % of cases"
        )
    return f"{start}{judgement.quantity} {judgement.value:+.2f} {interval} {unit}, {position} ({drop}){needed}"


def _runs_needed(judgement: Judgement) -> str:
    """Return how many Runs an undecided time needs; empty for other judgements."""
    if judgement.outcome is not Outcome.UNDECIDED or judgement.variation is None or judgement.value is None:
        return ""
    needed = f"{judgement.runs_needed}" if judgement.runs_needed else f"more than {MOST_RUNS}"
    variation = significant(100 * judgement.variation, 2)
    return (
        f". {needed} runs of each side decide this in 80 % of cases, if the true ratio is "
        f"{significant(judgement.value)} and run-to-run variation is {variation} %"
    )


def _judgements_of(change: Change, judgements: Sequence[Judgement]) -> list[Judgement]:
    return [
        judgement
        for judgement in judgements
        if (judgement.configuration, judgement.machine) == (change.configuration, change.machine)
    ]


def _worst_outcome(change: Change, judgements: Sequence[Judgement]) -> str:
    outcomes = {judgement.outcome for judgement in _judgements_of(change, judgements)}
    order = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.NOT_JUDGED, Outcome.PASSED)
    return next((str(outcome) for outcome in order if outcome in outcomes), "")


def _cells(change: Change, judgements: Sequence[Judgement]) -> list[str]:
    difference = change.accuracy_difference
    return [
        change.machine,
        *configuration_cells(change.configuration),
        with_interval(change.ratio.value, change.ratio.interval) if change.ratio else "",
        verdict_cell(change.verdict, change.verdict_reliable, change.no_interval) if change.verdict else change.remark,
        marked(accuracy_change_text(difference), assumed=change.accuracy_assumed)
        if difference
        else difference_cell(change.quality_differences, assumed=change.accuracy_assumed),
        _worst_outcome(change, judgements),
    ]


def _record(change: Change, judgements: Sequence[Judgement]) -> dict[str, object]:
    difference = change.accuracy_difference
    time = next((each for each in _judgements_of(change, judgements) if each.quantity == "time"), None)
    return {
        "machine": change.machine,
        **msgspec.structs.asdict(change.configuration),
        "baseline_variant": change.baseline.variant,
        **ratio_record(change.ratio),
        "verdict": str(change.verdict) if change.verdict else None,
        "verdict_reliable": change.verdict_reliable,
        "verdict_reason": change.no_interval or (change.remark if change.verdict is None else ""),
        **separation_record(change.separation),
        "accuracy_difference": difference.value if difference else None,
        "accuracy_difference_low": difference.interval.low if difference else None,
        "accuracy_difference_high": difference.interval.high if difference else None,
        "accuracy_assumed": change.accuracy_assumed,
        "discordant_lost": difference.only_second if difference else None,
        "discordant_gained": difference.only_first if difference else None,
        "mcnemar_p": difference.p_value if difference else None,
        "images_in_common": change.images,
        **quality_record(change.task, differences=change.quality_differences, agreement=change.task_agreement),
        "gate": _worst_outcome(change, judgements),
        "gate_time_low": time.interval.low if time and time.interval else None,
        "gate_time_high": time.interval.high if time and time.interval else None,
        "gate_time_confidence": time.confidence if time and time.interval else None,
        "gate_runs_needed": time.runs_needed if time else None,
        "remark": change.remark,
    }
