"""The quality that figures show: accuracy, or the first measure of another task."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.run import CLASSIFY, Result, Run
from edge_bench.bench.stats.intervals import wilson
from edge_bench.bench.tasks.measures import Measure
from edge_bench.bench.tasks.registry import task_named

__all__ = ["QualityAxis", "quality_axis", "quality_of"]

_UNKNOWN = "quality"
#: Of the resamples behind an interval: the same outputs have the same interval in every Run.
_SEED = 0


@dataclass(frozen=True)
class QualityAxis:
    """The measure on an axis, which all entries of a figure have in common."""

    name: str  # "Accuracy", "mAP"
    label: str  # with the unit: "% of images right", "mAP, %"
    percent: bool = True
    higher_is_better: bool = True

    def shown(self, value: float) -> float:
        """Return a value as the axis shows it."""
        return 100 * value if self.percent else value


_ACCURACY = QualityAxis("Accuracy", "% of images right")


def quality_of(run: Run, result: Result) -> Measure | None:
    """Return the accuracy of a classifier, or the first quality measure of another task.

    None if there are no true values, or if outputs depend on the examples before (``--stateful``). A measure that
    cannot be computed has no value and the reason as its remark.
    """
    return _accuracy(run, result) if run.task == CLASSIFY else _first_measure(run, result)


def _accuracy(run: Run, result: Result) -> Measure | None:
    correct, seen = run.correct(result) if run.scored(result) else (0, 0)
    return Measure(name="accuracy", value=correct / seen, interval=wilson(correct, seen)) if seen else None


def _first_measure(run: Run, result: Result) -> Measure | None:
    if result.outputs is None or run.settings.stateful:
        return None
    try:
        first = next(iter(task_named(run.task).measures(result.outputs, run.truth, _SEED)), None)
    except EdgeBenchError as cause:
        return Measure(name=_UNKNOWN, value=None, remark=cause.problem)
    except ValueError as cause:  # outputs of a damaged Run
        return Measure(name=_UNKNOWN, value=None, remark=f"damaged: {cause}")
    if first is not None and first.value is not None and not math.isfinite(first.value):
        return Measure(name=first.name, value=None, remark="not finite")
    return first


def quality_axis(task: str, measures: Sequence[Measure | None]) -> QualityAxis | None:
    """Return the axis for these measures of one task; None if no entry has a value, except of a classifier."""
    if task == CLASSIFY:
        return _ACCURACY
    first = next((measure for measure in measures if measure is not None and measure.value is not None), None)
    if first is None:
        return None
    unit = ", %" if first.percent else ""
    direction = "" if first.higher_is_better else " (lower is better)"
    return QualityAxis(first.name, f"{first.name}{unit}{direction}", first.percent, first.higher_is_better)
