"""Masks and their confusion matrices, gathered image by image."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import MAX_PACKED, pack
from edge_bench.bench.records.outputs.masks import (
    MAX_CELLS,
    MAX_MASK_BYTES,
    MAX_MASK_PIXELS,
    ConfusionCells,
    Segmentation,
    StoredMask,
    stored_mask,
)
from edge_bench.bench.tasks.segmentation.class_maps import resized
from edge_bench.bench.tasks.segmentation.mask_values import IGNORED

__all__ = ["SegmentationRecorder", "confusion"]

Cells = npt.NDArray[np.int64]


class SegmentationRecorder:
    """Records the masks of a configuration in the order of its images.

    Memory grows by the packed masks, at most ``most_bytes`` of base64 together, and by a few cells per image.
    """

    def __init__(self, classes: int, *, most_bytes: int = MAX_MASK_BYTES) -> None:
        self._classes = classes
        self._bytes_left, self._pixels_left = most_bytes, MAX_MASK_PIXELS
        self._masks: list[StoredMask | None] = []
        self._cells: list[Cells] = []  # [4, cells] of each image with a true mask
        self._count = 0

    def add(self, mask: npt.NDArray[np.uint16], truth: npt.NDArray[np.uint16] | None = None) -> None:
        """Add an image's mask at the model's resolution, from `class_map`, and its true mask, from `TrueMasks`.

        The mask is resized to the true mask's size, which is that of the image, so it must cover the whole image.
        Raise ValueError if all images have too many cells together.
        """
        if truth is not None:
            cells = confusion(resized(mask, *truth.shape), truth, self._classes)
            self._count += cells.shape[1]
            if self._count > MAX_CELLS:
                raise ValueError(f"the confusion matrices of all images have more than {MAX_CELLS:,} cells")
            self._cells.append(np.vstack([np.full(cells.shape[1], len(self._masks)), cells]))
        self._masks.append(self._with_room(mask))

    def _with_room(self, mask: npt.NDArray[np.uint16]) -> StoredMask | None:
        """Return the packed mask, or None from the first image on that does not fit."""
        if mask.size > min(self._pixels_left, MAX_PACKED):
            self._pixels_left = 0
            return None
        stored = stored_mask(mask)
        self._bytes_left -= stored.encoded_bytes
        self._pixels_left -= mask.size
        if self._bytes_left < 0:
            self._pixels_left = 0
            return None
        return stored

    def record(self) -> Segmentation:
        """Return all that was added."""
        cells = None
        if self._cells:
            images, truth, predicted, pixels = (pack(column) for column in np.hstack(self._cells))
            cells = ConfusionCells(images=images, truth=truth, predicted=predicted, pixels=pixels)
        return Segmentation(classes=self._classes, images=len(self._masks), masks=list(self._masks), cells=cells)


def confusion(mask: npt.NDArray[Any], truth: npt.NDArray[Any], classes: int) -> Cells:
    """Return the cells of a confusion matrix that are not 0: true class, predicted class, pixels; shape [3, cells].

    Both masks have the same shape. Pixels whose truth is IGNORED are left out. Predicted class ``classes`` is none.
    """
    scored = truth != IGNORED
    keys = truth[scored].astype(np.int64) * (classes + 1) + mask[scored]
    if classes * (classes + 1) <= keys.size:  # counting is faster than sorting
        counts = np.bincount(keys, minlength=1)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(keys, return_counts=True)
    return np.vstack([found // (classes + 1), found % (classes + 1), counts]).astype(np.int64)
