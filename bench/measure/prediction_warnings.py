"""Warnings about predictions and outputs that make an accuracy or another quality doubtful, with likely causes."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.interpretation.order_check import exchanged_classes
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.boxes import BoxTruth, Detections
from edge_bench.bench.records.outputs.masks import ConfusionCells, Segmentation
from edge_bench.bench.records.outputs.scores import FlagTruth, ScoreTable, ValueTruth
from edge_bench.bench.records.outputs.tensors import OutputRecord
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth, TensorOutputs
from edge_bench.bench.records.run import UNCLASSIFIED, UNSEEN
from edge_bench.bench.stats.binomial import at_least
from edge_bench.bench.tasks.class_votes import Votes, box_votes, mask_votes
from edge_bench.bench.tasks.detection.agreement import SHOWN_SCORE
from edge_bench.bench.tasks.detection.boxes import overlaps
from edge_bench.bench.tasks.detection.truth import unpacked_detections, unpacked_truth
from edge_bench.bench.tasks.scores.tables import unpacked_flags, unpacked_values
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["output_warnings", "prediction_warnings", "truth_warnings"]

Labels = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

#: A warning is given if a larger share of images has equal highest scores.
TIED_SHARE = 0.01
#: Fewer images may well get the same label by chance.
_FEWEST_IMAGES = 10
#: Images on which boxes are compared with true ones, and the least overlap (intersection over union).
_MOST_IMAGES, _ON_TRUE_BOX = 1000, 0.5
#: Level of the one-sided test of an accuracy against chance.
_ALPHA = 0.05
_CAUSES = (
    "likely causes are preprocessing (--preprocess, --scale, --channel-order) or an order of classes "
    "(--classes, --label-offset) that differs from the model's training"
)

_INPUT_CAUSES = (
    "the likely cause is preprocessing (--preprocess, --scale, --channel-order) that differs from the model's training"
)
#: Below these shares of boxes on true boxes, or of the right category, a model is unlikely to be read correctly.
_FEW_BOXES = 0.1
#: With fewer exchanged classes, confusion by the model is more likely than another order of the classes.
_FEWEST_EXCHANGED = 2
_NOT_FINITE = "likely causes are inputs outside the range of the training data, or an overflow in float16"


def prediction_warnings(
    predicted: Labels, truth: Labels | None, tied: int, images_per_trial: int, classes: Sequence[str]
) -> list[str]:
    """Return the warnings about a configuration's predicted labels, shape [images], with UNSEEN and UNCLASSIFIED.

    truth: the true labels, shape [images]; None if there is no accuracy
    tied: images with several classes at the highest score, among the ``images_per_trial`` of a trial
    """
    seen = predicted != UNSEEN
    count, missing = int(np.count_nonzero(seen)), int(np.count_nonzero(predicted == UNCLASSIFIED))
    warnings = []
    if missing:
        effect = "they count as wrong" if truth is not None else "they have no label"
        warnings.append(f"{missing:,} of {counted(count, 'image')} have no finite scores, and {effect}; {_NOT_FINITE}")
    if tied > TIED_SHARE * images_per_trial:
        warnings.append(
            f"{tied:,} of {counted(images_per_trial, 'image')} have several classes with the same "
            f"highest score, of which the "
            "first is used; this is common for 8-bit scores"
        )
    if truth is not None and missing < count:
        warnings += _accuracy_warnings(predicted[seen], truth[seen], classes)
    return warnings


def _accuracy_warnings(predicted: Labels, truth: Labels, classes: Sequence[str]) -> list[str]:
    """Return a warning if all images get one label, if classes seem exchanged, or if the accuracy may be chance.

    Chance is 1 / the number of true classes. A one-sided exact binomial test at the 5 % level decides whether the
    accuracy is better. There is no warning if the images are too few for even 100 % accuracy to pass the test.
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
        return [f"nearly all images of {names} are predicted as another class: check the order of classes"]
    if at_least(count, count, chance) <= _ALPHA < at_least(correct, count, chance):
        return [f"the accuracy is no better than chance (1 in {different:,}): {_CAUSES}"]
    return []


def output_warnings(outputs: TaskOutputs) -> list[str]:
    """Return the warnings about a configuration's outputs, for every task except classify."""
    match outputs:
        case Detections():
            return _box_warnings(outputs)
        case Segmentation():
            return _mask_warnings(outputs)
        case ScoreTable():
            return _score_warnings(unpacked_values(outputs))
        case TensorOutputs():
            return [warning for output in outputs.outputs for warning in _tensor_warnings(output)]


def truth_warnings(outputs: TaskOutputs, truth: TaskTruth | None) -> list[str]:
    """Return a warning if outputs fit the true values less well than a model that has learned nothing.

    The usual reason is that outputs or true values are read incorrectly.
    """
    match outputs, truth:
        case Segmentation(cells=ConfusionCells() as cells, images=images), None if images >= _FEWEST_IMAGES:
            return _below_one_class(cells) or _exchanged(mask_votes(cells, outputs.classes), "value of the true masks")
        case Detections(), BoxTruth():
            return _misplaced_boxes(outputs, truth) or _exchanged(_box_votes(outputs, truth), "category")
        case ScoreTable(), ValueTruth():
            return _below_mean(unpacked_values(outputs), unpacked_values(truth))
        case ScoreTable(), FlagTruth(columns=1):
            return _inverted_scores(unpacked_values(outputs)[:, 0], unpacked_flags(truth)[:, 0])
    return []


def _below_one_class(cells: ConfusionCells) -> list[str]:
    truth, predicted, pixels = (unpack(each).astype(np.int64) for each in (cells.truth, cells.predicted, cells.pixels))
    right, frequent = int(pixels[truth == predicted].sum()), np.bincount(truth, pixels)
    if not len(pixels) or right >= frequent.max():
        return []
    return [
        f"fewer pixels are right than if all were of class {int(frequent.argmax())}: likely causes are wrong values "
        "for the true masks (--mask-values), such as another order of a palette, or wrong preprocessing"
    ]


def _misplaced_boxes(outputs: Detections, truth: BoxTruth) -> list[str]:
    """Check the confident boxes on up to _MOST_IMAGES images."""
    known, found, categories = unpacked_truth(truth), unpacked_detections(outputs), outputs.categories or []
    table = np.append(np.array(categories, np.int64), -1)
    shown = placed = right = 0
    for true, boxes in zip(known.images[:_MOST_IMAGES], found, strict=False):
        confident = boxes.scores > SHOWN_SCORE
        on = overlaps(boxes.corners[confident], true.corners) >= _ON_TRUE_BOX
        own = table[np.minimum(boxes.classes[confident], len(categories))]
        shown += len(on)
        placed += int(on.any(axis=1).sum())
        right += int((on & (own[:, None] == true.categories)).any(axis=1).sum())
    if shown < _FEWEST_IMAGES or right >= _FEW_BOXES * shown:
        return []
    if placed < _FEW_BOXES * shown:
        causes = "true boxes of other or rotated images (--exif-orientation), or incorrectly read outputs"
        return [
            f"only {placed:,} of {counted(shown, 'box')} with a score above {SHOWN_SCORE} lie on a true "
            f"box: likely causes are "
            f"{causes}"
        ]
    return [
        f"only {right:,} of {counted(placed, 'box')} on a true box have its category: check the order "
        f"of classes (--classes, "
        "--class-order, --label-offset)"
    ]


def _box_votes(outputs: Detections, truth: BoxTruth) -> Votes:
    known, found = unpacked_truth(truth).images[:_MOST_IMAGES], unpacked_detections(outputs)[:_MOST_IMAGES]
    return box_votes(known, found, outputs.categories or [])


def _exchanged(votes: Votes, what: str) -> list[str]:
    """Return a warning if nearly all images of several classes are predicted as another class."""
    if not len(votes.truth):
        return []
    classes = int(max(votes.truth.max(), votes.predicted.max())) + 1
    moved = exchanged_classes(votes.predicted, votes.truth, np.arange(classes), classes, fewest=_FEWEST_IMAGES)
    if len(moved) < _FEWEST_EXCHANGED:
        return []
    shown = abbreviate([str(number) for number in moved])
    return [
        f"nearly all images get another class instead of {what} {shown}: check that the true values number the classes "
        "in the model's order (--classes, --mask-values)"
    ]


def _below_mean(values: Values, truth: Values) -> list[str]:
    if len(truth) < _FEWEST_IMAGES or values.shape != truth.shape or not np.isfinite(values).all():
        return []
    spread = np.square(truth - truth.mean(axis=0)).sum()
    if not np.square(values - truth).sum() > spread > 0:
        return []
    return [
        "errors are larger than those of always predicting the mean of the true values: likely causes are another unit "
        "or order of the true values, a wrong output (--output) or wrong preprocessing"
    ]


def _inverted_scores(scores: Values, truth: npt.NDArray[np.bool_]) -> list[str]:
    """Return a warning if AUC is below 0.5 by more than 1.645 standard deviations of the Mann-Whitney statistic."""
    ones, zeros = int(truth.sum()), int((~truth).sum())
    if len(truth) < _FEWEST_IMAGES or not ones or not zeros or not np.isfinite(scores).all():
        return []
    order = np.sort(scores)
    ranks = (np.searchsorted(order, scores, "left") + np.searchsorted(order, scores, "right") + 1) / 2
    auc = (ranks[truth].sum() - ones * (ones + 1) / 2) / (ones * zeros)
    if auc >= 0.5 - 1.645 * math.sqrt((ones + zeros + 1) / (12 * ones * zeros)):
        return []
    return [
        f"scores of class 1 are lower than those of class 0 (AUC {auc:.2f}): check that labels 0 and 1 are not swapped"
    ]


def _box_warnings(outputs: Detections) -> list[str]:
    bits, images = unpack(outputs.boxes.scores), outputs.boxes.counts.length
    found = bits.astype(np.uint32).view(np.float32)
    warnings = []
    if outputs.not_finite:
        warnings.append(f"boxes left out because a number is not finite: {outputs.not_finite:,}; {_NOT_FINITE}")
    if images >= _FEWEST_IMAGES and found.max(initial=0) <= SHOWN_SCORE:
        many = f"no box has a score above {SHOWN_SCORE} in any of {images:,} images"
        warnings.append(f"{many}: {_INPUT_CAUSES}, or incorrectly read outputs")
    return warnings


def _mask_warnings(outputs: Segmentation) -> list[str]:
    masks = [mask for mask in outputs.masks if mask is not None]
    found = np.unique(np.concatenate([np.unique(unpack(mask.values)) for mask in masks])) if masks else np.zeros(0)
    missing = sum(int(np.count_nonzero(unpack(mask.values) == outputs.classes) > 0) for mask in masks)
    warnings = []
    if missing:
        warnings.append(f"masks with pixels without a finite score: {missing:,}; {_NOT_FINITE}")
    if len(masks) >= _FEWEST_IMAGES and len(found) == 1 and outputs.classes > 1:
        warnings.append(
            f"all pixels of {counted(len(masks), 'mask')} have the same class, {int(found[0])}: {_INPUT_CAUSES}"
        )
    return warnings


def _score_warnings(values: npt.NDArray[np.float64]) -> list[str]:
    examples = len(values)
    missing = int(np.count_nonzero(~np.isfinite(values).all(axis=1)))
    warnings = []
    if missing:
        warnings.append(f"examples with a value that is not finite: {missing:,} of {examples:,}; {_NOT_FINITE}")
    elif examples >= _FEWEST_IMAGES and (values == values[0]).all():
        warnings.append(f"all {examples:,} examples have the same values: {_INPUT_CAUSES}")
    return warnings


def _tensor_warnings(output: OutputRecord) -> list[str]:
    statistics, name = output.statistics, output.name[:80]
    missing = statistics.nan + statistics.infinite
    warnings = []
    if missing:
        warnings.append(f"output {name}: values that are not finite: {missing:,} of {statistics.values:,}")
    elif output.examples >= _FEWEST_IMAGES and len(np.unique(unpack(output.checksums))) == 1:
        warnings.append(
            f"output {name} is the same for all {output.examples:,} examples: are the inputs different, and within the "
            "range that the model was trained with?"
        )
    return warnings
