"""Tasks with a row of numbers per example: regress, binary, multilabel."""

from collections.abc import Sequence

import numpy as np

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.stats.bootstrap import Estimate
from edge_bench.bench.tasks.measures import (
    Measure,
    MeasureDifference,
    TaskAgreement,
    difference_of,
    measure_of,
    not_comparable,
)
from edge_bench.bench.tasks.scores.binary import binary_differences, binary_scores
from edge_bench.bench.tasks.scores.multilabel import multilabel_difference, multilabel_scores
from edge_bench.bench.tasks.scores.regress import regression_differences, regression_scores
from edge_bench.bench.tasks.scores.tables import unpacked_flags, unpacked_values
from edge_bench.bench.tasks.task import Common, Task
from edge_bench.bench.tasks.tensors.differences import sums_of
from edge_bench.bench.wording import counted

__all__ = ["BINARY", "MULTILABEL", "REGRESS"]

_WORST_LISTED = 1000
_ERRORS = {"MAE": False, "RMSE": False, "R²": True}  # whether higher is better


def _regress(outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None) -> Sequence[Measure]:
    if not isinstance(outputs, ScoreTable) or not isinstance(truth, ValueTruth):
        return []
    kinds = {name: {"percent": False, "higher_is_better": higher} for name, higher in _ERRORS.items()}
    try:
        found = regression_scores(unpacked_values(outputs), unpacked_values(truth), seed)
    except DatasetError as cause:
        return [measure_of(name, None, cause.problem, **kind) for name, kind in kinds.items()]
    remark = _not_finite(found.not_finite) if found.not_finite else "the true values are all equal"
    estimates = (found.mae, found.rmse, found.r2)
    return [measure_of(name, each, remark, **kinds[name]) for name, each in zip(kinds, estimates, strict=True)]


def _regress_differences(
    outputs: TaskOutputs, others: TaskOutputs, truth: TaskTruth | None, common: Common, seed: int
) -> Sequence[MeasureDifference]:
    if not isinstance(outputs, ScoreTable) or not isinstance(others, ScoreTable) or not isinstance(truth, ValueTruth):
        return []
    ours, theirs, true = (
        unpacked_values(each)[chosen]
        for each, chosen in ((outputs, common[0]), (others, common[1]), (truth, common[0]))
    )
    if not len(true):
        return []
    try:
        found = regression_differences(ours, theirs, true, seed)
        baseline = regression_scores(theirs, true, None)
    except DatasetError as cause:
        return [_unknown(name, cause.problem, percent=False, higher=higher) for name, higher in _ERRORS.items()]
    remark = "values are not finite, or the true values are all equal"
    return [
        difference_of(
            name, each, remark, percent=False, higher_is_better=_ERRORS[name], differing=found.differing,
            baseline=_value(base),
        )
        for name, each, base in zip(
            _ERRORS, (found.mae, found.rmse, found.r2), (baseline.mae, baseline.rmse, baseline.r2), strict=True
        )
    ]  # fmt: skip


def _binary(outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None) -> Sequence[Measure]:
    if not isinstance(outputs, ScoreTable) or not isinstance(truth, FlagTruth):
        return []
    names = ("accuracy", "AUC", "average precision")
    try:
        found = binary_scores(unpacked_values(outputs), unpacked_flags(truth), truth.threshold, seed)
    except DatasetError as cause:
        return [Measure(name=name, value=None, remark=cause.problem) for name in names]
    remark = _not_finite(found.not_finite) if found.not_finite else "all examples have the same label"
    accuracy = Measure(
        name="accuracy", value=found.accuracy, interval=None if seed is None else found.accuracy_interval
    )
    rest = zip(names[1:], (found.auc, found.average_precision), strict=True)
    return [accuracy, *(measure_of(name, each, remark) for name, each in rest)]


def _binary_differences(
    outputs: TaskOutputs, others: TaskOutputs, truth: TaskTruth | None, common: Common, seed: int
) -> Sequence[MeasureDifference]:
    if not isinstance(outputs, ScoreTable) or not isinstance(others, ScoreTable) or not isinstance(truth, FlagTruth):
        return []
    names = ("accuracy", "AUC", "average precision")
    ours, theirs = unpacked_values(outputs)[common[0]], unpacked_values(others)[common[1]]
    true = unpacked_flags(truth)[common[0]]
    if not len(true):
        return []
    try:
        found = binary_differences(ours, theirs, true, truth.threshold, seed)
        baseline = binary_scores(theirs, true, truth.threshold, None)
    except DatasetError as cause:
        return [_unknown(name, cause.problem) for name in names]
    # its interval is valid even if few examples differ, so their number is not stated
    accuracy = MeasureDifference(
        name="accuracy", value=found.accuracy.value, interval=found.accuracy.interval, baseline=baseline.accuracy
    )
    remark = "scores are not finite, or all examples have the same label"
    rest = (
        ("AUC", found.auc, baseline.auc),
        ("average precision", found.average_precision, baseline.average_precision),
    )
    return [
        accuracy,
        *(
            difference_of(name, each, remark, differing=found.differing, baseline=_value(base))
            for name, each, base in rest
        ),
    ]


def _multilabel(outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None) -> Sequence[Measure]:
    if not isinstance(outputs, ScoreTable) or not isinstance(truth, FlagTruth):
        return []
    try:
        found = multilabel_scores(unpacked_values(outputs), unpacked_flags(truth), seed)
    except DatasetError as cause:
        return [Measure(name="mAP", value=None, remark=cause.problem)]
    remark = _not_finite(found.not_finite) if found.not_finite else "no example has a label"
    return [measure_of("mAP", found.mean_average_precision, remark)]


def _multilabel_differences(
    outputs: TaskOutputs, others: TaskOutputs, truth: TaskTruth | None, common: Common, seed: int
) -> Sequence[MeasureDifference]:
    if not isinstance(outputs, ScoreTable) or not isinstance(others, ScoreTable) or not isinstance(truth, FlagTruth):
        return []
    ours, theirs = unpacked_values(outputs)[common[0]], unpacked_values(others)[common[1]]
    true = unpacked_flags(truth)[common[0]]
    if not len(true):
        return []
    try:
        found = multilabel_difference(ours, theirs, true, seed)
        baseline = multilabel_scores(theirs, true, None)
    except DatasetError as cause:
        return [_unknown("mAP", cause.problem)]
    remark, base = "scores are not finite, or no example has a label", _value(baseline.mean_average_precision)
    return [difference_of("mAP", found.mean_average_precision, remark, differing=found.differing, baseline=base)]


def _not_finite(examples: int) -> str:
    return f"{counted(examples, 'example has', 'examples have')} a value that is not finite"


def _unknown(name: str, remark: str, *, percent: bool = True, higher: bool = True) -> MeasureDifference:
    return MeasureDifference(name=name, value=None, percent=percent, higher_is_better=higher, remark=remark)


def _value(estimate: Estimate | None) -> float | None:
    return estimate.value if estimate else None


def _agreement(outputs: TaskOutputs, others: TaskOutputs, common: Common) -> TaskAgreement:
    """Return the examples with equal values, and the differences of the others."""
    if not isinstance(outputs, ScoreTable) or not isinstance(others, ScoreTable):
        raise ValueError("the outputs are not values")
    examples = len(common[0])
    if outputs.columns != others.columns:
        return not_comparable(examples, f"{outputs.columns:,} and {others.columns:,} values per example")
    first, second = unpacked_values(outputs)[common[0]], unpacked_values(others)[common[1]]
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    identical = int(np.count_nonzero(same.all(axis=1)))
    with np.errstate(invalid="ignore"):
        gaps = np.where(same, 0.0, np.abs(first - second))
    gaps[np.isnan(gaps)] = np.inf
    largest = gaps.max(axis=1, initial=0)
    order = np.argsort(-largest, kind="stable")
    text = f"{identical:,} of {examples:,} identical"
    if examples and identical < examples:
        sums = sums_of(first, second)
        rms = np.sqrt(sums.squares / sums.values) if sums.values else 0.0
        text = f"{identical:,} of {examples:,} identical, max |Δ| {sums.max_abs:.3g}, RMS {rms:.3g}"
        if sums.mismatched:
            text += f", values not finite on one side: {sums.mismatched:,}"
    return TaskAgreement(
        share=identical / examples if examples else None,
        text=text,
        examples=examples,
        identical=identical,
        worst=[int(number) for number in order[:_WORST_LISTED] if largest[number] > 0],
    )


REGRESS = Task(
    name="regress",
    summary="one or more real values per example",
    measures=_regress,
    differences=_regress_differences,
    agreement=_agreement,
    scoring="MAE is the mean absolute error over all values, in the unit of the true values",
)
BINARY = Task(
    name="binary",
    summary="one score per example, for two classes",
    measures=_binary,
    differences=_binary_differences,
    agreement=_agreement,
    scoring="accuracy counts a score above the threshold as class 1",
)
MULTILABEL = Task(
    name="multilabel",
    summary="one score per class, of which an example may have several",
    measures=_multilabel,
    differences=_multilabel_differences,
    agreement=_agreement,
    scoring="mAP is the mean average precision over the classes that some example has",
)
