"""Warnings about predictions that make an accuracy doubtful, with likely causes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.listing.wording import abbreviate
from edge_bench.bench.interpretation.order_check import exchanged_classes
from edge_bench.bench.records.run import UNCLASSIFIED, UNSEEN
from edge_bench.bench.stats.binomial import at_least

__all__ = ["prediction_warnings"]

Labels = npt.NDArray[np.int64]

#: Share of images with equal highest scores above which it is reported.
TIED_SHARE = 0.01
#: Fewer images may well get the same label by chance.
_FEWEST_IMAGES = 10
#: Level of the one-sided test of an accuracy against chance.
_ALPHA = 0.05
_CAUSES = (
    "likely causes are another preprocessing (--preprocess, --scale, --channel-order) or another order of classes "
    "(--classes, --label-offset) than the model was trained with"
)


def prediction_warnings(
    predicted: Labels, truth: Labels | None, tied: int, images_per_trial: int, classes: Sequence[str]
) -> list[str]:
    """Return the warnings about a configuration's predicted labels, shape [images], with UNSEEN and UNCLASSIFIED.

    truth: the true labels, shape [images]; None if there is no accuracy
    tied: images with more than one class at the highest score, of the ``images_per_trial`` of a trial
    """
    seen = predicted != UNSEEN
    count, missing = int(np.count_nonzero(seen)), int(np.count_nonzero(predicted == UNCLASSIFIED))
    warnings = []
    if missing:
        effect = "they count as wrong" if truth is not None else "they have no label"
        warnings.append(
            f"{missing:,} of {count:,} images got no finite scores: {effect}; likely causes are inputs outside the "
            "range that the model was trained with, or an overflow in float16"
        )
    if tied > TIED_SHARE * images_per_trial:
        warnings.append(
            f"{tied:,} of {images_per_trial:,} images have several classes with the same highest score: the first of "
            "them counts; 8-bit scores are often equal"
        )
    if truth is not None and missing < count:
        warnings += _accuracy_warnings(predicted[seen], truth[seen], classes)
    return warnings


def _accuracy_warnings(predicted: Labels, truth: Labels, classes: Sequence[str]) -> list[str]:
    """Return a warning if all images get one label, if classes seem exchanged, or if the accuracy may be chance.

    Chance is 1 / the number of true classes. The accuracy is better if a one-sided exact binomial test shows that at
    the level of 5 %. Nothing is said if even an accuracy of 100 % on so few images would not show it.
    """
    count, different = len(truth), len(np.unique(truth))
    if count < _FEWEST_IMAGES or different < 2:
        return []
    if len(given := np.unique(predicted)) == 1:
        label = int(given[0])
        name = classes[label] if label < len(classes) else f"class {label}"
        return [f"all {count:,} images got the same label, {name}: {_CAUSES}"]
    correct, chance = int(np.count_nonzero(predicted == truth)), 1 / different
    outputs = max(len(classes), int(predicted.max()) + 1, int(truth.max()) + 1)
    if moved := exchanged_classes(predicted, truth, np.arange(outputs), outputs):
        names = abbreviate([classes[label] if label < len(classes) else f"class {label}" for label in moved])
        return [f"nearly all images of {names} got the label of another class: is the order of classes right?"]
    if at_least(count, count, chance) <= _ALPHA < at_least(correct, count, chance):
        return [f"the accuracy is no better than chance, 1 in {different:,}: {_CAUSES}"]
    return []
