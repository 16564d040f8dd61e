"""Quality of results and agreement of outputs, for every task."""

import numpy as np

from edge_bench.bench.analysis.labels.same_images import common_positions, comparable_predictions
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.records.run import CLASSIFY, Result, Run
from edge_bench.bench.stats.intervals import PairedDifference, wilson
from edge_bench.bench.tasks.content_cache import cached_by_content
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement
from edge_bench.bench.tasks.registry import task_named
from edge_bench.bench.tasks.task import Common, Positions

__all__ = [
    "ACCURACY",
    "accuracy_difference_of",
    "agreement_of_outputs",
    "differences_of",
    "first_measure",
    "measures_of",
]

#: The measure of classify, and the first of binary.
ACCURACY = "accuracy"
#: The same for all resamples, so that those of two configurations and of two Runs have the same examples.
_SEED = 0


def measures_of(run: Run, result: Result, *, intervals: bool = True) -> list[Measure]:
    """Return the measures of a result's quality, the one in tables first; empty if true values are unknown.

    A result of ``--stateful`` has none, since each output depends on the previous examples. Raise BadInput for an
    unknown task.
    """
    if run.task == CLASSIFY:
        return _accuracies(run, result)
    task_named(run.task)
    if result.outputs is None or run.settings.stateful:
        return []
    return _measures(run.task, result.outputs, run.truth, _SEED if intervals else None)


def first_measure(run: Run, result: Result, *, intervals: bool = True) -> Measure | None:
    """Return the measure of a result that tables show, or None."""
    return next(iter(measures_of(run, result, intervals=intervals)), None)


def _accuracies(run: Run, result: Result) -> list[Measure]:
    if not result.trials or not run.scored(result):
        return []
    counts = {ACCURACY: run.correct(result), "top-5 accuracy": run.correct_in_top_5(result)}
    return [
        Measure(name=name, value=each[0] / each[1], interval=wilson(*each))
        for name, each in counts.items()
        if each is not None and 0 < each[1] >= each[0]  # a file may claim that unseen images were right
    ]


def differences_of(run: Run, result: Result, base_run: Run, base: Result) -> list[MeasureDifference]:
    """Return the differences of a result's measures from the baseline's, on their common examples.

    Empty for classify (see `accuracy_difference_of`), and if outputs or true values are missing.
    """
    common = _common(run, base_run)
    if common is None or result.outputs is None or base.outputs is None or run.settings.stateful:
        return []
    return _differences(run.task, result.outputs, base.outputs, run.truth, *common)


def accuracy_difference_of(difference: PairedDifference) -> MeasureDifference:
    """Return a paired difference of accuracies as that of a measure."""
    return MeasureDifference(name=ACCURACY, value=difference.value, interval=difference.interval)


def agreement_of_outputs(run: Run, result: Result, base_run: Run, base: Result) -> TaskAgreement | None:
    """Return the agreement of two results' outputs on their common examples; None if there is nothing to compare."""
    common = _common(run, base_run)
    if common is None or result.outputs is None or base.outputs is None or not len(common[0]):
        return None
    return _agreement(run.task, result.outputs, base.outputs, *common)


def _common(run: Run, base_run: Run) -> Common | None:
    if run.task == CLASSIFY or run.task != base_run.task or not comparable_predictions(run, base_run):
        return None
    _, first, second = common_positions(run.images, base_run.images)
    return first.astype(np.int64, copy=False), second.astype(np.int64, copy=False)


@cached_by_content
def _measures(task: str, outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None) -> list[Measure]:
    return list(task_named(task).measures(outputs, truth, seed))


@cached_by_content
def _differences(
    task: str, outputs: TaskOutputs, base: TaskOutputs, truth: TaskTruth | None, *common: Positions
) -> list[MeasureDifference]:
    return list(task_named(task).differences(outputs, base, truth, (common[0], common[1]), _SEED))


@cached_by_content
def _agreement(task: str, outputs: TaskOutputs, base: TaskOutputs, *common: Positions) -> TaskAgreement:
    return task_named(task).agreement(outputs, base, (common[0], common[1]))
