"""Mean average precision: pycocotools' figures, and resamples that reuse its matches."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.detection.boxes import Boxes, GroundTruth
from edge_bench.bench.tasks.detection.matches import Evaluation, evaluate
from edge_bench.bench.tasks.detection.packed import pack_boxes, unpack_boxes
from edge_bench.bench.tasks.detection.resampling import mean_precision, precision_difference, precision_interval
from tests.made.graph.boxes import boxes, detections, ground_truth, scene

pytest.importorskip("pycocotools")


def scored(truth: GroundTruth, found: list[Boxes]) -> Evaluation:
    return evaluate(truth, found, np.arange(len(truth.categories)))


def distinct(found: list[Boxes]) -> list[Boxes]:
    """Return detections without equal scores; those that were equal keep their order."""
    scores = np.concatenate([each.scores for each in found])
    ranks = np.empty(len(scores), np.float32)
    ranks[np.argsort(-scores, kind="stable")] = np.linspace(1, 0.1, len(scores))
    parts = np.split(ranks, np.cumsum([len(each.scores) for each in found])[:-1])
    return [each._replace(scores=part) for each, part in zip(found, parts, strict=True)]


def copies(truth: GroundTruth, found: list[Boxes], weights: npt.NDArray[Any]) -> tuple[GroundTruth, list[Boxes]]:
    """Return each image as often as its weight says."""
    drawn = np.repeat(np.arange(len(weights)), weights)
    resample = GroundTruth(truth.categories, tuple(truth.images[n] for n in drawn), truth.sizes[drawn])
    return resample, [found[n] for n in drawn]


def test_the_right_boxes_score_one() -> None:
    truth = scene(20, 3)
    found = [boxes(*np.column_stack([t.corners, t.categories, np.full(len(t.categories), 0.5)])) for t in truth.images]
    assert scored(truth, found).score == pytest.approx((1, 1, 1, *scored(truth, found).score[3:5], 1), abs=1e-6)


def test_figures_by_hand() -> None:
    truth = ground_truth([[0, 0, 100, 100, 0], [200, 0, 300, 100, 0]], [[0, 0, 100, 100, 1]])
    # category 0: a hit up to IoU 0.8, then a miss, then nothing for the second box. Category 1: not found
    found = [boxes([0, 0, 100, 80, 0, 0.9], [400, 400, 450, 450, 0, 0.8]), boxes([0, 0, 100, 100, 2, 0.9])]
    score = scored(truth, found).score
    half = 51 / 101  # recalls 0 to 0.50 of 101
    assert score.precision_50 == pytest.approx(half / 2)
    assert score.precision_75 == pytest.approx(half / 2)
    assert score.mean_precision == pytest.approx(half / 2 * 7 / 10)  # IoU 0.50 to 0.80
    assert score.recall_1 == score.recall_100 == pytest.approx(0.5 / 2 * 7 / 10)


def test_the_first_true_box_counts() -> None:
    """The library takes a match with annotation 0 for none."""
    truth = ground_truth([[0, 0, 100, 100, 0]])
    assert scored(truth, [boxes([0, 0, 100, 100, 0, 0.9])]).score.mean_precision == pytest.approx(1)


def test_a_crowd_box_is_neither_required_nor_counted_as_an_error() -> None:
    crowd = [200, 0, 600, 400, 0, 1]
    right, inside = [0, 0, 100, 100, 0, 0.5], [250, 50, 300, 100, 0, 0.9]
    assert scored(ground_truth([[0, 0, 100, 100, 0], crowd]), [boxes(right, inside)]).score[0] == pytest.approx(1)
    assert scored(ground_truth([[0, 0, 100, 100, 0]]), [boxes(right, inside)]).score[0] == pytest.approx(0.5)


def test_classes_without_a_category_are_not_scored() -> None:
    truth = ground_truth([[0, 0, 100, 100, 0]])
    found = [boxes([0, 0, 100, 100, 5, 0.5], [300, 300, 400, 400, 1, 0.9], [300, 300, 400, 400, 99, 0.8])]
    assert evaluate(truth, found, np.array([-1, -1, -1, -1, -1, 0])).score.mean_precision == pytest.approx(1)


def test_no_true_boxes_and_no_detections() -> None:
    with pytest.raises(DatasetError):
        scored(ground_truth([], [[0, 0, 9, 9, 0, 1]]), [boxes(), boxes()])
    nothing = scored(ground_truth([[0, 0, 100, 100, 0]], []), [boxes(), boxes()])
    assert nothing.score == (0, 0, 0, 0, 0, 0)
    assert mean_precision(nothing.matches, np.array([2, 0])) == 0
    assert np.isnan(mean_precision(nothing.matches, np.array([0, 2])))


@pytest.mark.parametrize("seed", range(8))
def test_packing_changes_less_than_a_hundredth_of_a_point(seed: int) -> None:
    truth = scene(60, 3, seed)
    found = detections(truth, seed)
    again = unpack_boxes(pack_boxes(found, truth.sizes), truth.sizes)
    assert abs(scored(truth, again).score.mean_precision - scored(truth, found).score.mean_precision) < 0.0001


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("steps", "crowds"), [(0, 0.0), (0, 0.3), (10, 0.2)])
def test_resamples_match_the_library_with_copies_of_images(seed: int, steps: int, crowds: float) -> None:
    """Equal scores are made different in their order; the library would sort copies of them differently."""
    truth = scene(24, 4, seed, crowds)
    found = detections(truth, seed, steps=steps)
    matches = scored(truth, found).matches
    ordered = distinct(found) if steps else found
    draw = np.random.default_rng(seed)
    for weights in (np.ones(24, np.int64), *(np.bincount(draw.integers(24, size=24), minlength=24) for _ in range(5))):
        expected = scored(*copies(truth, ordered, weights)).score.mean_precision
        assert mean_precision(matches, weights) == pytest.approx(expected, abs=1e-12)


def test_own_figure_is_the_library_s_with_equal_scores() -> None:
    truth = scene(60, 4, 7, 0.1)
    evaluation = scored(truth, detections(truth, steps=4))
    assert mean_precision(evaluation.matches, np.ones(60, np.int64)) == pytest.approx(
        evaluation.score.mean_precision, abs=1e-12
    )


def test_intervals_are_seeded_and_contain_the_figure() -> None:
    truth = scene(60, 3)
    evaluation = scored(truth, detections(truth))
    interval = precision_interval(evaluation.matches, resamples=200)
    assert interval == precision_interval(evaluation.matches, resamples=200)
    assert interval != precision_interval(evaluation.matches, resamples=200, seed=1)
    assert interval is not None
    assert interval.low < evaluation.score.mean_precision < interval.high


def test_a_paired_difference_is_more_certain_than_its_parts() -> None:
    truth = scene(60, 3)
    found = detections(truth)
    worse = [each._replace(corners=each.corners + np.float32(4)) for each in found]
    first, second = scored(truth, found), scored(truth, worse)
    difference = precision_difference(first.matches, second.matches, resamples=200)
    assert difference.value == pytest.approx(first.score[0] - second.score[0], abs=1e-12)
    assert difference.interval is not None
    assert 0 < difference.interval.low < difference.value < difference.interval.high
    alone = precision_interval(first.matches, resamples=200)
    assert alone is not None
    assert difference.interval.high - difference.interval.low < alone.high - alone.low
    same = precision_difference(first.matches, first.matches, resamples=50)
    assert (same.value, same.interval.low if same.interval else None) == (0, 0)


def test_an_interval_contains_the_figure_if_each_category_is_in_few_images() -> None:
    truth = scene(30, 200)
    evaluation = scored(truth, detections(truth))
    interval = precision_interval(evaluation.matches, resamples=200)
    assert interval is not None
    assert interval.low <= evaluation.score.mean_precision + 1e-12
    assert interval.high >= evaluation.score.mean_precision - 1e-12


def test_one_image_has_no_interval_and_other_images_no_difference() -> None:
    one = scored(ground_truth([[0, 0, 9, 9, 0]]), [boxes([0, 0, 9, 9, 0, 1])])
    other = scored(ground_truth([[0, 0, 9, 9, 1]]), [boxes([0, 0, 9, 9, 0, 1])])
    assert precision_interval(one.matches) is None
    with pytest.raises(ValueError, match="different"):
        precision_difference(one.matches, other.matches)


@pytest.mark.slow
def test_a_thousand_resamples_of_many_boxes() -> None:
    truth = scene(128, 80)
    interval = precision_interval(scored(truth, detections(truth)).matches)
    assert interval is not None
