"""Differences of quality between two results on the same examples, and whether they may be chance."""

from edge_bench.bench.analysis.labels.agreement import Agreement, agreement_of, common_predictions, true_labels
from edge_bench.bench.analysis.labels.same_images import comparable_predictions
from edge_bench.bench.analysis.quality.scored import accuracy_difference_of, differences_of
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.stats.accuracy import decidable
from edge_bench.bench.stats.intervals import PairedDifference, paired_difference
from edge_bench.bench.tasks.measures import MeasureDifference

__all__ = ["may_be_chance", "on_the_same_images", "quality_differences"]

#: With fewer examples of different outputs, a difference of quality is not decided (docs/verdicts.md).
_FEW = 6


def may_be_chance(difference: MeasureDifference, accuracy: PairedDifference | None) -> bool | None:
    """Return whether a difference of quality may be chance; None if that is unknown.

    It may be if its 95 % interval contains 0, or if fewer than six examples differ. ``accuracy`` is the difference of
    accuracies for classify.
    """
    if accuracy is not None and not decidable(accuracy):
        return True
    if difference.differing is not None and difference.differing < _FEW:
        return True
    if difference.interval is None:
        return None
    return difference.interval.low <= 0 <= difference.interval.high


def quality_differences(item: RunResult, base: RunResult, accuracy: PairedDifference | None) -> list[MeasureDifference]:
    """Return the differences of the measures of ``item`` from those of ``base``, of the task's first measure first.

    ``accuracy`` is that of `on_the_same_images`. The list is empty if a quality is unknown.
    """
    if item.result is base.result:
        return []
    if accuracy is not None:
        return [accuracy_difference_of(accuracy)]
    return differences_of(item.run, item.result, base.run, base.result)


def on_the_same_images(item: RunResult, base: RunResult) -> tuple[PairedDifference | None, Agreement | None]:
    """Return accuracy difference and agreement on the images that both classified.

    The accuracy difference is None without true labels, or if a model kept its state (``--stateful``). Both are None
    if a result has no predictions, or if the Runs classified different random inputs.
    """
    if item.result.predictions is None or base.result.predictions is None:
        return None, None
    if not comparable_predictions(item.run, base.run):
        return None, None
    first, second, common = common_predictions(item.run, item.result, base.run, base.result)
    agreement = agreement_of(first, second, common)
    if not len(common) or not item.run.scored(item.result) or not base.run.scored(base.result):
        return None, agreement
    truth = true_labels(item.run, common)
    return paired_difference(first == truth, second == truth), agreement
