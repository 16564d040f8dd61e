"""Intervals of mean average precision: a bootstrap over images that reuses the matches of each image.

Matches of detections and true boxes are decided within each image (COCO's rules), so a resample of images needs no new
matching: an image that is drawn twice counts twice. Source of the bootstrap: Efron & Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 13 (percentile intervals).

The intervals are for other sets of as many images. The mAP of few images is higher on average than that of many,
because rare categories have few boxes. They therefore often miss the value for a much larger set (docs/calibration.md).
"""

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import CONFIDENCE, Interval
from edge_bench.bench.tasks.detection.matches import Matches

__all__ = [
    "MEASURES",
    "RESAMPLES",
    "PrecisionDifference",
    "Resampled",
    "mean_precision",
    "percentile_interval",
    "precision_difference",
    "precision_interval",
    "resampled",
]

RESAMPLES = 1000
#: Measures of each resample, in this order: mAP@[.50:.95], mAP@.50 and AR@100 (`DetectionScore`).
MEASURES = ("mean_precision", "precision_50", "recall_100")
#: Recalls at which COCO reads the precision.
_RECALLS = np.linspace(0.0, 1.0, 101)
Weights = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class PrecisionDifference(msgspec.Struct, frozen=True):
    """The mAP@[.50:.95] of one configuration minus that of another on the same images, with a 95 % interval."""

    value: float
    interval: Interval | None
    images: int


class Resampled(NamedTuple):
    """The MEASURES of all images, and those of resamples of them."""

    whole: Values  # [measures]
    drawn: Values  # [resamples, measures]; not a number for a resample without a true box


def resampled(matches: Matches, *, seed: int | None = 0, resamples: int = RESAMPLES) -> Resampled:
    """Return the MEASURES of all images and of resamples. The same seed and number of images draw the same resamples.

    There are no resamples for fewer than two images, or without a seed.
    """
    precision, images = _Precision(matches), len(matches.true_boxes)
    drawn = [precision.of(weights) for weights in _resamples(images, seed, resamples)]
    return Resampled(precision.of(np.ones(images, np.int64)), np.array(drawn).reshape(-1, len(MEASURES)))


def precision_interval(matches: Matches, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval | None:
    """Return the 95 % interval of mAP@[.50:.95] for other sets of as many images; None for fewer than two images."""
    found = resampled(matches, seed=seed, resamples=resamples)
    return percentile_interval(found.drawn[:, 0], float(found.whole[0]))


def precision_difference(
    first: Matches, second: Matches, *, seed: int = 0, resamples: int = RESAMPLES
) -> PrecisionDifference:
    """Return ``first`` minus ``second``. Each resample draws the same images of both.

    Raise ValueError if they are of different images or true boxes.
    """
    if not np.array_equal(first.true_boxes, second.true_boxes):
        raise ValueError("the matches are of different images")
    one, other = (resampled(each, seed=seed, resamples=resamples) for each in (first, second))
    value = float(one.whole[0] - other.whole[0])
    interval = percentile_interval(one.drawn[:, 0] - other.drawn[:, 0], value)
    return PrecisionDifference(value, interval, len(first.true_boxes))


def mean_precision(matches: Matches, weights: Weights) -> float:
    """Return mAP@[.50:.95] if each image counts ``weights`` times, [images]; not a number without a true box.

    It equals pycocotools' value for copies of the images, if detections of one category and image with equal scores
    keep their order across the copies.
    """
    return float(_Precision(matches).of(weights)[0])


def _resamples(images: int, seed: int | None, resamples: int) -> list[Weights]:
    if seed is None or images < 2:
        return []
    generator = np.random.default_rng(seed)
    return [np.bincount(generator.integers(images, size=images), minlength=images) for _ in range(resamples)]


def percentile_interval(values: Values, value: float) -> Interval | None:
    """Return the percentile interval, widened to contain the value itself; None if no resample is finite.

    Resamples have fewer different images, so few boxes in each category can raise all resamples above the value. The
    bias-corrected interval of `bootstrap` then shrinks to the lowest resamples and misses the value: on 128 images with
    80 categories it was 0.02 points wide.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(min(float(low), value), max(float(high), value))


class _Precision:
    """The part of the computation that does not depend on the weights of images.

    Precision and recall are needed only at hits: recall rises nowhere else, and precision is highest there. All hits
    are in one array, by IoU threshold, category and descending score. A segment has one threshold and category.
    """

    def __init__(self, matches: Matches) -> None:
        self._matches = matches
        self._categories = matches.true_boxes.shape[1]
        thresholds = len(matches.hit)
        counted = matches.counted if (matches.counted != matches.counted[0]).any() else matches.counted[:1]
        self._counted = counted.astype(np.int64)
        threshold, self._detection = np.nonzero(matches.hit)
        self._row = threshold if len(counted) > 1 else np.zeros_like(threshold)
        self._category = matches.category[self._detection]
        self._segments = thresholds * self._categories
        self._segment = threshold * self._categories + self._category
        self._first = np.searchsorted(matches.category, np.arange(self._categories))  # detection of each category
        self._start = np.searchsorted(self._segment, self._segment)  # first hit of each hit's segment
        self._lift = 2.0 * (self._segments - self._segment)  # so that a segment's precisions are above the next one's

    def of(self, weights: Weights) -> Values:
        """Return the MEASURES, [measures]; see `mean_precision`."""
        true = weights @ self._matches.true_boxes
        occurring = true > 0
        if not occurring.any():
            return np.full(len(MEASURES), np.nan)
        of_detection = weights[self._matches.image]
        found = _after_each(self._counted * of_detection)
        at_hit = (
            found[self._row, self._detection + 1] - found[self._row, self._first[self._category]]
        )  # detections of the segment up to each hit
        hits = _after_each(of_detection[self._detection][None])[0]
        hits = hits[1:] - hits[self._start]
        # written as in pycocotools, so that the same rounding decides which recalls are reached
        recall = hits / np.maximum(true[self._category], 1)
        precision = hits / (at_hit - hits + hits + np.spacing(1))
        # the precision at a recall is the highest at that recall or more
        envelope = np.maximum.accumulate((precision + self._lift)[::-1])[::-1] - self._lift
        reached = np.searchsorted(_RECALLS, recall, side="right")
        new = reached - np.where(np.arange(len(hits)) == self._start, 0, np.roll(reached, 1))
        sums = np.bincount(self._segment, weights=envelope * new, minlength=self._segments)
        averages = sums.reshape(-1, self._categories)[:, occurring] / len(_RECALLS)
        # the recall after all detections of a segment is its weighted hits by its true boxes
        found_boxes = np.bincount(self._segment, weights=of_detection[self._detection], minlength=self._segments)
        recalls = found_boxes.reshape(-1, self._categories)[:, occurring] / true[occurring]
        return np.array([averages.mean(), averages[0].mean(), recalls.mean()])


def _after_each(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the sums before the first value and after each, [rows, n + 1] from [rows, n]."""
    sums = np.zeros((len(values), values.shape[1] + 1), np.int64)
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums
