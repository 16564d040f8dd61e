"""Checks of the order of classes against predictions: find another order that fits the images better."""

import numpy as np
import numpy.typing as npt

__all__ = ["better_placement", "exchanged_classes"]

#: An exchange of classes is suspected if nearly all images of each of them get another class's output.
_NEARLY_ALL, _MIN_IMAGES = 0.8, 2

Labels = npt.NDArray[np.int64]


def better_placement(predicted: Labels, labels: Labels, table: Labels, outputs: int) -> Labels | None:
    """Return other outputs of the classes, in the same order, with which more images are correct; None without any.

    That happens if classes of the model are missing from the data. All later classes then have the wrong output.
    ``predicted`` has outputs (negative: none) and ``labels`` classes, [images] each; ``table`` has the output of each
    class. The best placement is found by dynamic programming over classes and outputs.
    """
    counts = _counts(predicted, labels, len(table), outputs)
    present = np.flatnonzero(np.bincount(labels, minlength=len(table)))
    best = np.zeros(outputs + 1, np.int64)  # of the classes so far, if they use only the first k outputs
    steps = [best]
    for label in present:
        taken = np.concatenate([[np.iinfo(np.int64).min // 2], best[:-1] + counts[label]])
        best = np.maximum.accumulate(taken)
        steps.append(best)
    if best[-1] <= np.count_nonzero(predicted == table[labels]):
        return None
    placed, end = table.copy(), outputs
    for position in range(len(present) - 1, -1, -1):
        end = int(np.argmax(steps[position + 1][: end + 1] == steps[position + 1][end])) - 1  # its first such output
        placed[present[position]] = end
    return placed


def exchanged_classes(
    predicted: Labels, labels: Labels, table: Labels, outputs: int, fewest: int = _MIN_IMAGES
) -> list[int]:
    """Return the classes whose images nearly all get the output of another of these classes; empty if there are none.

    ``fewest`` is the minimum number of images of all these classes together.

    Classes that a model merely confuses do not all go to one output, or another class goes there, too. Arguments are as
    in `better_placement`.
    """
    counts = _counts(predicted, labels, len(table), outputs)
    totals = np.bincount(labels, minlength=len(table))
    moved = []
    for label in np.flatnonzero(totals):
        favourite = int(counts[label].argmax())
        if favourite != table[label] and counts[label, favourite] >= _NEARLY_ALL * totals[label]:
            moved.append((int(label), favourite))
    targets = [favourite for _, favourite in moved]
    taken_by_others = {int(table[label]) for label in np.flatnonzero(totals)} - {
        int(table[label]) for label, _ in moved
    }
    if len(set(targets)) != len(targets) or taken_by_others & set(targets):
        return []
    images = sum(int(totals[label]) for label, _ in moved)
    return [label for label, _ in moved] if images >= fewest else []


def _counts(predicted: Labels, labels: Labels, classes: int, outputs: int) -> Labels:
    """Return the number of images by class and predicted output, [classes, outputs]."""
    counts = np.zeros((classes, outputs), np.int64)
    known = predicted >= 0
    np.add.at(counts, (labels[known], predicted[known]), 1)
    return counts
