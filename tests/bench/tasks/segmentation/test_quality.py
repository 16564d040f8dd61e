"""Confusion matrices, mean IoU and pixel accuracy, by hand and against scikit-learn."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.tasks.segmentation.mask_values import IGNORED
from edge_bench.bench.tasks.segmentation.quality import segmentation_difference, segmentation_quality
from edge_bench.bench.tasks.segmentation.recorder import SegmentationRecorder, confusion

Mask = npt.NDArray[np.uint16]


def mask(*rows: list[int]) -> Mask:
    return np.array(rows, np.uint16)


def recorded(classes: int, *pairs: tuple[Mask, Mask | None]) -> Segmentation:
    recorder = SegmentationRecorder(classes)
    for predicted, truth in pairs:
        recorder.add(predicted, truth)
    return recorder.record()


def noisy(images: int, error: float, seed: int, classes: int = 4) -> Segmentation:
    """Return random masks, each with its own share of wrong pixels, about ``error``; the truth is always the same."""
    truths, draw = np.random.default_rng(0), np.random.default_rng(seed)
    pairs = []
    for _ in range(images):
        truth = truths.integers(0, classes, (12, 12)).astype(np.uint16)
        wrong = draw.random(truth.shape) < error * draw.random() * 2
        pairs.append((np.where(wrong, (truth + 1) % classes, truth).astype(np.uint16), truth))
    return recorded(classes, *pairs)


def test_quality_by_hand() -> None:
    # class 0: 3 of 4 right, 1 taken from class 1; class 1: 2 of 4 right, 1 without a class; class 2 is only predicted
    found = segmentation_quality(
        recorded(
            3,
            (mask([0, 0, 0, 2]), mask([0, 0, 0, 0])),
            (mask([1, 1, 0, 3]), mask([1, 1, 1, 1])),
            (mask([2, 2, 2, 2]), None),
            (mask([2, 2, 2, 2]), mask([IGNORED] * 4)),
        ),
        1,
    )
    assert (found.images, found.pixels) == (2, 8)
    assert found.class_iou == {0: 3 / 5, 1: 2 / 4}
    assert found.mean_iou is not None
    assert found.pixel_accuracy is not None
    assert found.mean_iou.value == pytest.approx(0.55)
    assert found.pixel_accuracy.value == 5 / 8


def test_ignored_pixels_do_not_count() -> None:
    found = segmentation_quality(recorded(2, (mask([0, 1, 1, 1]), mask([0, 1, IGNORED, IGNORED]))), 1)
    assert found.class_iou == {0: 1.0, 1: 1.0}
    assert found.pixels == 2


def test_a_mask_is_resized_to_that_of_its_image() -> None:
    found = segmentation_quality(recorded(2, (mask([0, 1]), mask([0, 0, 0, 1], [0, 0, 1, 1]))), 1)
    assert found.class_iou == {0: 4 / 5, 1: 3 / 4}


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32), st.integers(1, 30), st.sampled_from([1, 100]))
def test_cells_are_the_confusion_matrix_of_scikit_learn(classes: int, seed: int, size: int, times: int) -> None:
    draw = np.random.default_rng(seed)
    truth = np.repeat(draw.choice([*range(classes), IGNORED], size), times).astype(np.uint16)
    predicted = np.repeat(draw.integers(0, classes + 1, size), times).astype(np.uint16)
    scored = truth != IGNORED
    table = np.zeros((classes, classes + 1), np.int64)
    true, wrong, counts = confusion(predicted, truth, classes)
    table[true, wrong] = counts
    assert (counts > 0).all()
    if scored.any():
        expected = confusion_matrix(truth[scored], predicted[scored], labels=range(classes + 1))
        assert np.array_equal(table, expected[:classes])
    else:
        assert not len(counts)


def test_many_classes_do_not_make_a_matrix_of_them() -> None:
    found = confusion(mask([64_999, 7]), mask([64_999, 64_998]), 65_000)
    assert found.tolist() == [[64_998, 64_999], [7, 64_999], [1, 1]]


def test_one_confusion_matrix_over_all_images_not_the_mean_of_their_ious() -> None:
    found = segmentation_quality(recorded(2, (mask([0]), mask([0])), (mask([1, 1, 1, 1]), mask([0, 1, 1, 1]))), 1)
    assert found.class_iou == {0: 1 / 2, 1: 3 / 4}


@pytest.mark.slow
def test_intervals_and_paired_differences() -> None:
    good, bad = noisy(60, 0.1, 1), noisy(60, 0.2, 2)
    quality = segmentation_quality(good, 5)
    assert quality == segmentation_quality(good, 5)
    assert quality.mean_iou is not None
    assert quality.mean_iou.interval is not None
    assert quality.mean_iou.interval.low < quality.mean_iou.value < quality.mean_iou.interval.high
    found = segmentation_difference(good, bad, 5)
    assert found.images == 60
    assert found.differing > 50
    for estimate in (found.mean_iou, found.pixel_accuracy):
        assert estimate is not None
        assert estimate.interval is not None
        assert 0 < estimate.interval.low < estimate.value < estimate.interval.high
    other = segmentation_quality(bad, 5)
    assert other.mean_iou is not None
    assert found.mean_iou is not None
    assert found.mean_iou.value == pytest.approx(quality.mean_iou.value - other.mean_iou.value)
    same = segmentation_difference(good, good, 5)
    assert same.differing == 0
    assert same.mean_iou is not None
    assert same.mean_iou.value == 0


def test_common_images_are_compared_in_their_order() -> None:
    good, bad = noisy(60, 0.1, 1), noisy(60, 0.2, 2)
    chosen = np.arange(10, 50)
    found = segmentation_difference(good, bad, 5, (chosen, chosen))
    assert found.images == 40
    with pytest.raises(ValueError, match="true masks"):
        segmentation_difference(good, bad, 5, (chosen, chosen + 1))


def test_nothing_to_score() -> None:
    with pytest.raises(ValueError, match="true masks"):
        segmentation_quality(recorded(2, (mask([0]), None)), 1)
    nothing = segmentation_quality(recorded(2, (mask([0]), mask([IGNORED]))), 1)
    assert (nothing.images, nothing.pixels, nothing.mean_iou, nothing.class_iou) == (0, 0, None, {})
