"""The quality of configurations, compared with the best of all that --find-fastest measured."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.labels.agreement import Agreement
from edge_bench.bench.analysis.quality.paired import may_be_chance, on_the_same_images, quality_differences
from edge_bench.bench.analysis.quality.scored import agreement_of_outputs, first_measure
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.bundle import ORIGINAL
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.intervals import PairedDifference
from edge_bench.bench.tasks.measures import MeasureDifference, TaskAgreement

__all__ = ["QualityCost", "quality_costs"]

#: Variants whose outputs are the reference if no true values are known, the first of them that was measured.
_REFERENCES = (ORIGINAL, "float32")


class QualityCost(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a configuration compared with the best of all, or its outputs without true values."""

    reference: Configuration
    known: bool  # whether both have a measure of quality; otherwise there is only the agreement of outputs
    difference: MeasureDifference | None = None  # from the reference; None if it is the same or unknown
    accuracy: PairedDifference | None = None  # the same for classify, with its counts
    agreement: Agreement | None = None  # of labels, for classify
    task_agreement: TaskAgreement | None = None  # of the outputs of other tasks

    @property
    def loses(self) -> bool:
        """Whether the quality is lower than that of the reference by more than chance, or unknown."""
        if not self.known:
            return True
        if self.difference is None:
            return False
        return bool(self.difference.value) and may_be_chance(self.difference, self.accuracy) is not True


def quality_costs(items: Sequence[RunResult]) -> list[QualityCost]:
    """Return the cost of each result of one Run, compared with the best of them; at least one.

    Of equally good ones, the first is the reference.
    """
    values = [_value(item) for item in items]
    best = max(range(len(items)), key=lambda number: values[number])
    if values[best] == float("-inf"):
        names = [item.result.configuration.variant for item in items]
        best = next((names.index(name) for name in _REFERENCES if name in names), 0)
    return [_cost(item, items[best]) for item in items]


def _value(item: RunResult) -> float:
    """Return the first measure, the larger the better; the lowest value if it is unknown."""
    measure = first_measure(item.run, item.result, intervals=False)
    if measure is None or measure.value is None:
        return float("-inf")
    return measure.value if measure.higher_is_better else -measure.value


def _cost(item: RunResult, reference: RunResult) -> QualityCost:
    accuracy, agreement = on_the_same_images(item, reference)
    difference = next(iter(quality_differences(item, reference, accuracy)), None)
    is_reference = item.result is reference.result
    is_known = is_reference or (difference is not None and difference.value is not None)
    return QualityCost(
        reference=reference.result.configuration,
        known=is_known and _value(item) != float("-inf"),
        difference=difference,
        accuracy=accuracy,
        agreement=None if is_reference else agreement,
        task_agreement=None
        if is_reference
        else agreement_of_outputs(item.run, item.result, reference.run, reference.result),
    )
