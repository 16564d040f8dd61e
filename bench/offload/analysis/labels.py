"""Labels there and here: how many are right, and how far they agree. An empty payload stands for local inference."""

import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.labels.agreement import Agreement, agreement_of
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.intervals import PairedDifference, paired_difference

__all__ = ["compare_labels", "correct_count"]


def _labels(offload: Offload, payload: str) -> npt.NDArray[np.int64] | None:
    accuracy = next((each for each in offload.accuracies if each.payload == payload), None)
    return None if accuracy is None else unpack(accuracy.predictions).astype(np.int64)


def _truth(offload: Offload) -> npt.NDArray[np.int64] | None:
    labels = unpack(offload.images.labels).astype(np.int64)
    return labels if len(labels) else None


def correct_count(offload: Offload, payload: str) -> tuple[int, int] | None:
    """Return how many labels are right, and of how many; None if labels or true labels are unknown."""
    labels, truth = _labels(offload, payload), _truth(offload)
    return None if labels is None or truth is None else (int((labels == truth).sum()), len(truth))


def compare_labels(offload: Offload, payload: str) -> tuple[PairedDifference | None, Agreement | None]:
    """Return the accuracy there less that here, and how far labels agree; None if they are unknown."""
    remote, local, truth = _labels(offload, payload), _labels(offload, ""), _truth(offload)
    if remote is None or local is None:
        return None, None
    agreement = agreement_of(remote, local, unpack(offload.images.indices).astype(np.int64))
    return (None if truth is None else paired_difference(remote == truth, local == truth)), agreement
