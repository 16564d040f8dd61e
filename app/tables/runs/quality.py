"""Quality of outputs as cells, notes and record fields. The column is named after the task's first measure."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from edge_bench.app.render.units import marked, percent, points_with_interval, significant, with_interval
from edge_bench.bench.analysis.quality.scored import measures_of
from edge_bench.bench.records.run import CLASSIFY, Run
from edge_bench.bench.stats.accuracy import decidable
from edge_bench.bench.stats.intervals import PairedDifference
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement
from edge_bench.bench.tasks.registry import task_named
from edge_bench.bench.wording import counted

__all__ = [
    "accuracy_change_text",
    "agreement_cell",
    "difference_cell",
    "quality_cell",
    "quality_heading",
    "quality_notes",
    "quality_record",
    "unscored_notes",
    "value_text",
]


def quality_heading(measures: Iterable[Measure | MeasureDifference | None], prefix: str = "") -> str:
    """Return ``mAP, %`` or ``MAE`` for the first known measure; empty if there is none."""
    found = next((each for each in measures if each is not None), None)
    if found is None:
        return ""
    unit = ("points" if prefix else "%") if found.percent else ""
    return f"{prefix}{found.name}{f', {unit}' if unit else ''}"


def quality_cell(measures: Sequence[Measure], *, assumed: bool = False) -> str:
    """Return ``61.30 [57.9, 64.8]``, or ``2.31 [2.01, 2.68]`` for a measure that is not a percentage."""
    if not measures:
        return ""
    first = measures[0]
    if first.value is None:
        return "none (see notes)"
    if not first.percent:
        return marked(with_interval(first.value, first.interval), assumed=assumed)
    interval = f" [{percent(first.interval.low, 1)}, {percent(first.interval.high, 1)}]" if first.interval else ""
    return marked(f"{percent(first.value)}{interval}", assumed=assumed)


def value_text(measure: Measure | None) -> str:
    """Return a measure without its interval."""
    if measure is None or measure.value is None:
        return ""
    return percent(measure.value) if measure.percent else significant(measure.value)


def difference_cell(differences: Sequence[MeasureDifference], *, assumed: bool = False) -> str:
    """Return ``−1.20 [−1.90, −0.50]`` in percentage points, or in the unit of the true values."""
    if not differences:
        return ""
    first = differences[0]
    if first.value is None:
        return "none (see notes)"
    if first.percent:
        text = points_with_interval(first.value, first.interval) if first.interval else f"{100 * first.value:+.2f}"
    else:
        sign = "+" if first.value > 0 else ""
        text = f"{sign}{with_interval(first.value, first.interval)}"
    few = ""
    if first.differing is not None and 0 < first.differing < 6:
        few = f"; only {first.differing} differ"
    return marked(f"{text.replace('-', '−')}{few}", assumed=assumed)


def accuracy_change_text(difference: PairedDifference) -> str:
    """Return ``−0.30 [−0.52, −0.08]; 12 lost, 3 gained, p = 0.035``, in percentage points.

    The first side of the difference is the new model: an image is gained if only the new model classified it correctly.
    With fewer than six discordant images McNemar's p cannot be below 0.05, and "too few to decide" replaces it.
    """
    points = points_with_interval(difference.value, difference.interval).replace("-", "−")
    images = f"{difference.only_second:,} lost, {difference.only_first:,} gained"
    if not decidable(difference):
        return f"{points}; {images}: too few to decide"
    p = difference.p_value
    return f"{points}; {images}, {'p < 0.001' if p < 0.001 else f'p = {significant(p, 2)}'}"


def agreement_cell(agreement: TaskAgreement | None) -> str:
    """Return the agreement, such as ``1,432 of 1,434 boxes, mean IoU 0.931``."""
    return agreement.text if agreement else ""


def quality_notes(
    task: str, examples: int, named: Iterable[tuple[str, Sequence[Measure | MeasureDifference]]]
) -> list[str]:
    """Return the definition of the measures, the number of examples and reasons for missing values.

    Return an empty list for classify.
    """
    if task == CLASSIFY:
        return []
    rows = [(name, measures[0]) for name, measures in named if measures]
    notes = []
    if rows and (scoring := task_named(task).scoring):
        notes.append(f"{scoring}; {counted(examples, 'example')}")
    reasons: dict[str, list[str]] = {}
    for name, measure in rows:
        if measure.value is None:
            reasons.setdefault(f"no {measure.name}: {measure.remark}", []).append(name)
    return notes + [f"! {'; '.join(names)}: {reason}" for reason, names in reasons.items()]


def quality_record(
    task: str,
    measures: Sequence[Measure] | None = None,
    differences: Sequence[MeasureDifference] | None = None,
    agreement: TaskAgreement | None = None,
) -> dict[str, Any]:
    """Return the record fields of a row: all measures and differences with their intervals, and the agreement.

    The first measure and its difference also have separate fields, because CSV has no lists.
    """
    named = next((each[0].name for each in (measures, differences) if each), None)
    record: dict[str, Any] = {"task": task, "quality_measure": named}
    if measures is not None:
        record |= _first_fields("quality_value", measures)
        record["quality"] = [msgspec.to_builtins(each) for each in measures]
    if differences is not None:
        record |= _first_fields("quality_difference", differences)
        record["quality_differences"] = [msgspec.to_builtins(each) for each in differences]
        if task != CLASSIFY:
            record["agreement"] = agreement.share if agreement else None
        record["agreement_text"] = agreement.text if agreement else None
        record["examples_identical"] = agreement.identical if agreement else None
        record["examples_in_common"] = agreement.examples if agreement else None
    return record


def _first_fields(name: str, measures: Sequence[Measure | MeasureDifference]) -> dict[str, Any]:
    """Return the value and the interval of the first measure as fields that begin with ``name``."""
    first = measures[0] if measures else None
    interval = first.interval if first else None
    return {
        name: first.value if first else None,
        f"{name}_low": interval.low if interval else None,
        f"{name}_high": interval.high if interval else None,
    }


def unscored_notes(run: Run) -> list[str]:
    """Return why a Run has no accuracy, or no other quality."""
    noun = "accuracy" if run.task == CLASSIFY else "quality"
    notes = []
    if run.settings.stateful:
        notes.append(f"--stateful keeps the model's state between invocations, so there is no {noun}")
    if run.task == CLASSIFY and not run.labelled:
        notes.append("the images have no true labels, so accuracy is unknown and only agreement can be compared")
    if run.task == "tensor":
        notes.append("task tensor: the meaning of the outputs is unknown, so only their agreement can be compared")
    elif run.task != CLASSIFY and not any(measures_of(run, result, intervals=False) for result in run.results):
        notes.append(f"task {run.task}: there are no true values, so only agreement can be compared")
    return notes
