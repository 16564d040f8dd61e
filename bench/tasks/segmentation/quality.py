"""Mean IoU and pixel accuracy from per-image confusion matrices, with bootstrap intervals over images."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.stats.bootstrap import Estimate, Statistic, bootstrap, paired, repeats_for

__all__ = [
    "SegmentationDifference",
    "SegmentationQuality",
    "same_true_masks",
    "segmentation_difference",
    "segmentation_quality",
]

Values = npt.NDArray[np.float64]
#: Limit on images × classes, the values of a table of counts: 128 MB.
_MAX_TABLE = 1 << 24


class SegmentationQuality(msgspec.Struct, frozen=True, kw_only=True):
    """Quality on the images that have a scored pixel."""

    images: int
    pixels: int  # that are scored
    class_iou: dict[int, float]  # of each class that the true masks contain
    mean_iou: Estimate | None = None  # of these classes, with equal weights; None: no pixel is scored
    pixel_accuracy: Estimate | None = None


class SegmentationDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The first configuration's quality minus the second's, on the same images."""

    images: int
    differing: int  # images with different confusion matrices
    mean_iou: Estimate | None = None
    pixel_accuracy: Estimate | None = None
    baseline_mean_iou: float | None = None  # of the second configuration, on the same images
    baseline_pixel_accuracy: float | None = None


def segmentation_quality(record: Segmentation, seed: int | None) -> SegmentationQuality:
    """Return the quality by one confusion matrix over all images; raise ValueError if there are no true masks.

    IoU of a class is TP / (TP + FP + FN) in pixels. The mean is over the classes that the true masks contain, or in a
    resample of images, over those that it contains. A pixel without a class is wrong. Source: Everingham et al. 2010,
    The Pascal Visual Object Classes (VOC) Challenge, section 4.3.
    """
    table = _Table(record)
    repeats = repeats_for(3 * table.right.size)
    return SegmentationQuality(
        images=table.images,
        pixels=int(table.truth.sum()),
        class_iou=table.class_iou(),
        mean_iou=bootstrap(table.mean_iou, table.images, seed, repeats=repeats),
        pixel_accuracy=bootstrap(table.pixel_accuracy, table.images, seed, repeats=repeats),
    )


def segmentation_difference(
    first: Segmentation, second: Segmentation, seed: int, common: Sequence[npt.NDArray[np.int64]] | None = None
) -> SegmentationDifference:
    """Return the paired difference of two configurations' quality, with a bootstrap interval over images.

    common: the positions of the same images in the first and in the second record; by default all images. Raise
    ValueError if the true masks of these images are not the same.
    """
    if common is None:
        common = (np.arange(first.images), np.arange(second.images))
    ours, theirs = _Table(first, common[0]), _Table(second, common[1])
    if not ours.same_truth(theirs):
        raise ValueError("the true masks of the two configurations differ")
    repeats = repeats_for(6 * ours.right.size)
    estimates = [
        bootstrap(paired(one, other), ours.images, seed, repeats=repeats, constant=True)
        for one, other in zip(ours.statistics(), theirs.statistics(), strict=True)
    ]
    baseline = [_value(statistic, theirs.images) for statistic in theirs.statistics()]
    differing = (ours.right != theirs.right).any(axis=1) | (ours.wrong != theirs.wrong).any(axis=1)
    return SegmentationDifference(
        images=ours.images,
        differing=int(np.count_nonzero(differing)),
        mean_iou=estimates[0],
        pixel_accuracy=estimates[1],
        baseline_mean_iou=baseline[0],
        baseline_pixel_accuracy=baseline[1],
    )


def _value(statistic: Statistic, images: int) -> float | None:
    estimate = bootstrap(statistic, images, None)
    return estimate.value if estimate else None


def same_true_masks(first: Segmentation, second: Segmentation, common: Sequence[npt.NDArray[np.int64]]) -> bool:
    """Return whether the true masks of common images have the same pixels per class; True if one has no masks."""
    if first.cells is None or second.cells is None:
        return True
    return _Table(first, common[0]).same_truth(_Table(second, common[1]))


class _Table:
    """Counts of pixels by image and class that the true masks contain, shape [images, classes] each."""

    def __init__(self, record: Segmentation, positions: npt.NDArray[np.int64] | None = None) -> None:
        """Count the images at these positions in their order, by default all, if they have scored pixels.

        Raise ValueError if there are no true masks, or too many images and classes.
        """
        if record.cells is None:
            raise ValueError("there are no true masks")
        images, truth, predicted, pixels = (
            unpack(column).astype(np.int64)
            for column in (record.cells.images, record.cells.truth, record.cells.predicted, record.cells.pixels)
        )
        if positions is not None:
            place = np.full(record.images, -1)
            place[positions] = np.arange(len(positions))
            kept = place[images] >= 0
            images, truth, predicted, pixels = (column[kept] for column in (place[images], truth, predicted, pixels))
        self.positions, rows = np.unique(images, return_inverse=True)
        self.classes, columns = np.unique(truth, return_inverse=True)
        self.images, count = len(self.positions), len(self.classes)
        if self.images * count > _MAX_TABLE:
            raise ValueError(f"{self.images:,} images with {count:,} classes are too many")
        is_right = truth == predicted
        self.truth, self.right = (
            _summed(rows[chosen], columns[chosen], pixels[chosen], (self.images, count))
            for chosen in (np.ones(len(rows), np.bool_), is_right)
        )
        elsewhere = np.flatnonzero(~is_right & np.isin(predicted, self.classes))
        taken = np.searchsorted(self.classes, predicted[elsewhere])
        #: Pixels that are predicted as the class but have another one.
        self.wrong = _summed(rows[elsewhere], taken, pixels[elsewhere], (self.images, count))

    def same_truth(self, other: "_Table") -> bool:
        return (
            np.array_equal(self.positions, other.positions)
            and np.array_equal(self.classes, other.classes)
            and np.array_equal(self.truth, other.truth)
        )

    def class_iou(self) -> dict[int, float]:
        shares = self.right.sum(axis=0) / (self.truth.sum(axis=0) + self.wrong.sum(axis=0))
        return {int(number): float(share) for number, share in zip(self.classes, shares, strict=True)}

    def statistics(self) -> tuple[Statistic, Statistic]:
        return self.mean_iou, self.pixel_accuracy

    def mean_iou(self, counts: Values) -> Values:
        truth, union = counts @ self.truth, counts @ (self.truth + self.wrong)
        with np.errstate(invalid="ignore"):
            shares = np.where(truth > 0, counts @ self.right / np.maximum(union, 1), 0)
            result: Values = shares.sum(axis=1) / np.count_nonzero(truth, axis=1)
        return result

    def pixel_accuracy(self, counts: Values) -> Values:
        with np.errstate(invalid="ignore"):
            result: Values = counts @ self.right.sum(axis=1) / (counts @ self.truth.sum(axis=1))
        return result


def _summed(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], pixels: npt.NDArray[np.int64], shape: tuple[int, int]
) -> Values:
    sums = np.bincount(rows * shape[1] + columns, pixels, minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)
