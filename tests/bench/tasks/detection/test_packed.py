"""Boxes as a Run stores them."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.boxes import PackedBoxes
from edge_bench.bench.tasks.detection.boxes import MOST_BOXES, Boxes, best_boxes, overlaps
from edge_bench.bench.tasks.detection.packed import pack_boxes, unpack_boxes
from tests.made.graph.boxes import boxes, detections, scene

SIZES = np.array([[640, 480], [100, 3000], [1, 1]])


def some() -> list[Boxes]:
    return [
        boxes([-20.5, 3, 700, 470.25, 7, 0.9], [1, 2, 3, 4, 0, 0.25]),
        boxes(),
        boxes([0, 0, 1, 1, 65_000, 1e-30]),
    ]


def test_classes_and_scores_stay_and_coordinates_are_off_by_thousandths_of_a_pixel() -> None:
    packed = msgspec.json.decode(msgspec.json.encode(pack_boxes(some(), SIZES)), type=PackedBoxes)
    for before, after in zip(some(), unpack_boxes(packed, SIZES), strict=True):
        assert after.scores.tobytes() == before.scores.tobytes()
        assert after.classes.tolist() == before.classes.tolist()
        assert np.abs(after.corners - before.corners).max(initial=0) <= 0.0003


def test_a_box_cut_at_the_range_overlaps_with_no_true_box_by_more_than_half() -> None:
    wide = boxes([-5000, 100, 600, 200, 0, 0.9])
    (after,) = unpack_boxes(pack_boxes([wide], SIZES[:1]), SIZES[:1])
    assert after.corners[0].tolist() == pytest.approx([-640, 100, 600, 200], abs=0.001)
    assert overlaps(np.array([[0.0, 100, 640, 200]]), after.corners).max() <= 0.5


def test_a_thousand_images_take_bounded_space() -> None:
    found = detections(scene(1000, 10))
    packed = pack_boxes(found, np.tile([640, 480], (1000, 1)))
    assert len(msgspec.json.encode(packed)) < 24 * sum(len(each.scores) for each in found)


def test_no_images() -> None:
    assert unpack_boxes(pack_boxes([], SIZES[:0]), SIZES[:0]) == []


@pytest.mark.parametrize(
    "found",
    [
        boxes([0, 0, np.nan, 1, 0, 0.5]),
        boxes([0, 0, np.inf, 1, 0, 0.5]),
        boxes([0, 0, 1, 1, 0, np.nan]),
        boxes([0, 0, 1, 1, -1, 0.5]),
        best_boxes(np.ones((MOST_BOXES + 1, 4)), np.ones(MOST_BOXES + 1), np.ones(MOST_BOXES + 1), MOST_BOXES + 1),
    ],
)  # fmt: skip
def test_what_cannot_be_stored(found: Boxes) -> None:
    with pytest.raises(ValueError, match=r"box|negative|finite|array"):
        pack_boxes([found], SIZES[:1])


@pytest.mark.parametrize(
    "changed",
    [
        {"counts": pack([2, 0])},
        {"counts": pack([1, 0, 1])},
        {"counts": pack([MOST_BOXES + 1, 0, 0])},
        {"classes": pack([1])},
        {"left": pack([1, 2, 1 << 24])},
        {"scores": pack(np.array([np.nan, 1, 1], np.float32).view(np.uint32))},
        {"top": pack([1, 2, 3, 4])},
    ],
)
def test_damaged_records_are_refused(changed: dict[str, object]) -> None:
    packed = msgspec.structs.replace(pack_boxes(some(), SIZES), **changed)
    with pytest.raises(ValueError, match="damaged"):
        unpack_boxes(packed, SIZES)
