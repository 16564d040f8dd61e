"""Agreement of two configurations on boxes."""

import pytest

from edge_bench.bench.tasks.detection.agreement import box_agreement, pair_boxes
from tests.made.graph.boxes import boxes, detections, scene

BASE = [0, 0, 100, 100]


def test_partners_are_of_one_class_overlap_by_half_and_are_used_once() -> None:
    first = boxes([*BASE, 0, 0.9], [300, 0, 400, 100, 1, 0.8], [300, 0, 400, 100, 2, 0.7])
    second = boxes(
        [0, 0, 100, 60, 0, 0.95], [0, 0, 100, 90, 0, 0.6], [300, 0, 400, 100, 2, 0.5], [300, 0, 400, 49, 1, 0.4]
    )
    pairs = pair_boxes(first, second)
    assert dict(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == {0: 1, 2: 2}
    assert sorted(pairs.iou.tolist()) == pytest.approx([0.9, 1])
    assert len(pair_boxes(first, boxes()).iou) == len(pair_boxes(boxes(), boxes()).iou) == 0


def test_boxes_above_the_score_of_both_sides_count_and_partners_may_be_below() -> None:
    first = [boxes([*BASE, 0, 0.9], [300, 0, 400, 100, 0, 0.8], [0, 300, 50, 350, 0, 0.2]), boxes([*BASE, 0, 0.7])]
    second = [
        boxes([*BASE, 0, 0.4], [0, 300, 50, 350, 0, 0.1], [500, 0, 600, 50, 1, 0.6]),
        boxes([0, 0, 100, 80, 0, 0.7]),
    ]
    found = box_agreement(first, second)
    assert (found.boxes, found.matched, found.images) == (5, 3, 2)
    assert found.share == 0.6
    assert found.mean_iou == pytest.approx(0.9)
    assert found.largest_score_gap == pytest.approx(0.5)
    (worst,) = found.worst
    assert (worst.image, worst.unmatched, worst.boxes) == (0, 2, 3)


def test_the_same_boxes_agree_and_nothing_has_no_share() -> None:
    found = detections(scene(20, 3))
    same = box_agreement(found, found)
    assert (same.share, same.mean_iou, same.largest_score_gap, same.worst) == (1, 1, 0, [])
    nothing = box_agreement([boxes()], [boxes()])
    assert (nothing.share, nothing.mean_iou, nothing.largest_score_gap) == (None, None, None)
    with pytest.raises(ValueError, match="different"):
        box_agreement([boxes()], [])


def test_the_largest_disagreement_comes_first() -> None:
    one = boxes([*BASE, 0, 0.9])
    first = [one, one, one, one]
    second = [boxes([*BASE, 0, 0.8]), boxes(), one, boxes([*BASE, 0, 0.6])]
    assert [each.image for each in box_agreement(first, second).worst] == [1, 3, 0]
