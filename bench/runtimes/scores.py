"""Scores of a classifier: their number, and their labels."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec

__all__ = [
    "DEFAULT_THRESHOLD",
    "UNCLASSIFIED_LABEL",
    "Labelled",
    "class_count",
    "dequantized",
    "label_count",
    "labels_and_top_five",
    "one_row_per_image",
]

#: The label of an image with a score that is not finite. Classes have smaller numbers.
UNCLASSIFIED_LABEL = (1 << 16) - 1
#: A single score above it means class 1.
DEFAULT_THRESHOLD = 0.5
#: Tolerance for a probability that was rounded to more than 1.
_ROUNDING = 1e-6


class Labelled(NamedTuple):
    """The result of the scores of n images."""

    labels: npt.NDArray[np.int64]  # [n]; UNCLASSIFIED_LABEL for an image with a score that is not finite
    top_five: npt.NDArray[np.int64]  # [n, min(5, labels)], best first; UNCLASSIFIED_LABEL as in labels
    tied: int  # images with more than one class at the highest score
    outside_unit: bool  # whether a single score is outside 0 to 1, so that it is not a probability


def class_count(output: TensorSpec) -> int:
    """Return the number of scores of one example; 1 for a classifier of two classes with a single score.

    Exactly one axis after the batch axis may differ from 1. Axes of size -1 are open: beside a known number of classes
    they must turn out to be 1. Raise ValueError for any other output, or if the number of classes is unknown.
    """
    shown = "×".join("?" if size < 0 else str(size) for size in output.shape)
    others = [size for size in output.shape[1:] if size != 1]
    known = [size for size in others if size > 0]
    if 0 in others or len(known) > 1:
        raise ValueError(f"its output has shape {shown}, but a classifier has one list of scores per example")
    if not others:
        return 1
    if not known:
        raise ValueError(f"its output has shape {shown}, so the number of classes is unknown")
    if known[0] >= UNCLASSIFIED_LABEL:
        raise ValueError(f"its output has shape {shown}: at most {UNCLASSIFIED_LABEL - 1:,} classes are supported")
    return known[0]


def label_count(output: TensorSpec) -> int:
    """Return the number of different labels: the number of scores, or 2 for a single score."""
    return max(2, class_count(output))


def dequantized(scores: npt.NDArray[Any], spec: TensorSpec) -> npt.NDArray[np.float32]:
    """Return scores as float32. Quantized scores are converted with the scale and zero point."""
    if spec.scale:
        scores = (scores.astype(np.float32) - spec.zero_point) * np.float32(spec.scale)
    return scores.astype(np.float32, copy=False)


def one_row_per_image(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return scores of shape [n, …] as [n, classes]."""
    return scores.reshape(len(scores), -1)


def labels_and_top_five(
    scores: npt.NDArray[Any], spec: TensorSpec, threshold: float = DEFAULT_THRESHOLD, classes: list[int] | None = None
) -> Labelled:
    """Return the labels of scores as the model returned them, shape [n, …].

    Classes with equal scores are ordered by their index, the lower first, both for the label and the five best. A
    single score gives label 1 if its real value is above ``threshold``, else 0. ``classes`` maps the index of an output
    to the returned label. Raise ValueError if it does not have one entry per output.
    """
    scores = one_row_per_image(scores)
    finite = np.isfinite(scores).all(axis=1) if scores.dtype.kind == "f" else np.ones(len(scores), np.bool_)
    outside_unit, tied = False, 0
    if scores.shape[1] == 1:
        real = dequantized(scores[:, 0], spec)
        outside_unit = bool(np.any((real[finite] < -_ROUNDING) | (real[finite] > 1 + _ROUNDING)))
        best = np.stack([real > threshold, real <= threshold], axis=1).astype(np.int64)
    else:
        best = _best_first(scores, min(5, scores.shape[1]))
        highest = np.take_along_axis(scores, best[:, :1], axis=1)
        tied = int(np.count_nonzero(((scores == highest).sum(axis=1) > 1) & finite))
    if classes is not None:
        if len(classes) != max(2, scores.shape[1]):
            raise ValueError(f"{len(classes)} classes for {max(2, scores.shape[1])} outputs")
        best = np.asarray(classes, np.int64)[best]
    best[~finite] = UNCLASSIFIED_LABEL
    return Labelled(best[:, 0], best, tied, outside_unit)


def _best_first(scores: npt.NDArray[Any], count: int) -> npt.NDArray[np.int64]:
    """Return the indices of the ``count`` highest scores of each row, best first, the lower index first among equals.

    One argmax per place, which returns the first of equal values, is faster than a stable sort of 1,000 classes.
    """
    # wide enough for a value below all scores, which marks the places that are taken
    left = scores.astype(np.float64 if scores.dtype.kind != "f" or scores.dtype.itemsize > 4 else np.float32)
    left[~np.isfinite(left)] = 0
    rows, best = np.arange(len(left)), np.empty((len(left), count), np.int64)
    for place in range(count):
        best[:, place] = left.argmax(axis=1)
        left[rows, best[:, place]] = -np.inf
    return best
