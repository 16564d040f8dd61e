"""Pixels with the same class in two configurations, and the room that masks take."""

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.tasks.segmentation.agreement import mask_agreement
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder


def recorded(*masks: list[list[int]] | npt.NDArray[np.uint16], most_bytes: int = 1 << 20) -> Segmentation:
    recorder = SegmentationRecorder(3, most_bytes=most_bytes)
    for mask in masks:
        recorder.add(np.array(mask, np.uint16))
    return recorder.record()


def test_shares_and_the_worst_image() -> None:
    first = recorded([[0, 1], [2, 0]], [[0, 0], [0, 0]], [[1, 1], [1, 1]])
    second = recorded([[0, 1], [2, 1]], [[0, 0], [0, 0]], [[1, 1], [2, 2]])
    found = mask_agreement(first, second)
    assert (found.images, found.identical, found.worst_image) == (3, 1, 2)
    assert (found.same_share, found.worst_share) == (9 / 12, 0.5)
    chosen = mask_agreement(first, second, (np.array([1, 0]), np.array([1, 2])))
    assert (chosen.images, chosen.identical, chosen.worst_image) == (2, 1, 1)


def test_pixels_without_a_class_agree_with_nothing() -> None:
    nothing = recorded([[3, 0]])
    found = mask_agreement(nothing, nothing)
    assert (found.same_share, found.identical) == (0.5, 0)


def test_masks_of_different_sizes_are_compared_at_the_greater() -> None:
    found = mask_agreement(recorded([[0, 1]]), recorded([[0, 0, 0, 1], [0, 0, 1, 1]]))
    assert found.same_share == 7 / 8


def test_images_without_a_stored_mask_are_left_out() -> None:
    noise = np.random.default_rng(1).integers(0, 3, (4, 50, 50)).astype(np.uint16)
    whole, cut = recorded(*noise), recorded(*noise, most_bytes=2500)
    assert [each is not None for each in cut.masks] == [True, True, False, False]
    found = mask_agreement(whole, cut)
    assert (found.images, found.total_images, found.same_share) == (2, 4, 1.0)
    nothing = mask_agreement(whole, recorded(*noise, most_bytes=0))
    assert (nothing.images, nothing.same_share, nothing.worst_image) == (0, None, None)


def test_other_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        mask_agreement(recorded([[0]]), SegmentationRecorder(4).record())
