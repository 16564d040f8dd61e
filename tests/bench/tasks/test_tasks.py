"""Measures, differences and agreement of every task, with known answers."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.outputs.masks import Segmentation
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.tasks.detection.matches import evaluate
from edge_bench.bench.tasks.detection.truth import packed_truth, unpacked_detections, unpacked_truth
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement
from edge_bench.bench.tasks.registry import TASKS, task_named
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values, unpacked_flags, unpacked_values
from edge_bench.bench.tasks.true_values import differing_truths
from tests.made.graph.boxes import boxes, detections, ground_truth, scene
from tests.made.graph.task_runs import found, masks, perfect_boxes, scores, tensors

EXAMPLES = 60
ALL = (np.arange(EXAMPLES), np.arange(EXAMPLES))
DRAW = np.random.default_rng(3)
VALUES = DRAW.normal(5, 2, (EXAMPLES, 2)).astype(np.float32).astype(np.float64)
FLAGS = (np.arange(EXAMPLES) % 3 == 0).astype(np.int64)
SEVERAL = (DRAW.random((EXAMPLES, 4)) < 0.4).astype(np.int64)
TRUTH = scene(EXAMPLES, 4)
TRUE_MASKS = [((np.indices((8, 9)).sum(axis=0) + number) // 4 % 3) for number in range(EXAMPLES)]


def measured(task: str, outputs: TaskOutputs, truth: TaskTruth | None, seed: int | None = 0) -> list[Measure]:
    return list(task_named(task).measures(outputs, truth, seed))


def differences(task: str, first: TaskOutputs, second: TaskOutputs, truth: TaskTruth | None) -> list[MeasureDifference]:
    return list(task_named(task).differences(first, second, truth, ALL, 0))


def agreement(task: str, first: TaskOutputs, second: TaskOutputs) -> TaskAgreement:
    return task_named(task).agreement(first, second, ALL)


def values(measures: Sequence[Measure]) -> list[float | None]:
    return [each.value for each in measures]


def test_every_task_is_there_and_another_name_is_refused() -> None:
    assert list(TASKS) == ["tensor", "regress", "binary", "multilabel", "detect", "segment"]
    with pytest.raises(BadInput) as caught:
        task_named("transcribe")
    assert "classify" in caught.value.remedy


def test_regression() -> None:
    truth = packed_values(VALUES)
    right = measured("regress", scores(VALUES), truth)
    assert [each.name for each in right] == ["MAE", "RMSE", "R²"]
    assert values(right) == [0, 0, 1]
    assert [(each.percent, each.higher_is_better) for each in right] == [(False, False), (False, False), (False, True)]
    off = scores(VALUES + 3)
    assert values(measured("regress", off, truth))[:2] == pytest.approx([3, 3])
    first = differences("regress", off, scores(VALUES), truth)[0]
    assert first.value == pytest.approx(3)
    assert (first.baseline, first.differing) == (0, EXAMPLES)
    assert first.interval is not None
    assert first.interval.low == pytest.approx(3)
    broken = VALUES.copy()
    broken[7, 0] = np.nan
    (mae, *_) = measured("regress", scores(broken), truth)
    assert mae.value is None
    assert mae.remark
    (lost, *_) = differences("regress", scores(broken), scores(VALUES), truth)
    assert (lost.value, lost.baseline) == (None, 0)
    assert agreement("regress", scores(broken), scores(VALUES)).worst == [7]
    assert measured("regress", off, None) == []


def test_binary() -> None:
    truth = packed_flags(FLAGS, threshold=0.4)
    right = measured("binary", scores(FLAGS), truth)
    assert [each.name for each in right] == ["accuracy", "AUC", "average precision"]
    assert values(right) == [1, 1, 1]
    wrong = scores(1 - FLAGS)
    assert values(measured("binary", wrong, truth))[:2] == [0, 0]
    assert values(measured("binary", scores(np.full(EXAMPLES, 0.45)), truth))[:2] == pytest.approx([1 / 3, 0.5])
    lost, *_ = differences("binary", wrong, scores(FLAGS), truth)
    assert lost.value == -1
    assert lost.interval is not None
    assert lost.interval.high < -0.9
    one = measured("binary", scores(FLAGS), packed_flags(np.ones(EXAMPLES, np.int64)))
    assert (one[1].value, bool(one[1].remark)) == (None, True)


def test_several_labels() -> None:
    truth = packed_flags(SEVERAL, classes=list("abcd"))
    assert values(measured("multilabel", scores(SEVERAL), truth)) == [pytest.approx(1)]
    inverse = values(measured("multilabel", scores(1 - SEVERAL), truth))
    assert inverse[0] is not None
    assert inverse[0] == pytest.approx(SEVERAL.mean(), abs=0.01)  # all positives last, as one step
    (same,) = differences("multilabel", scores(SEVERAL), scores(SEVERAL), truth)
    assert (same.value, same.differing) == (0, 0)
    other = measured("multilabel", scores(SEVERAL[:, :3]), truth)
    assert other[0].value is None


@pytest.mark.slow
def test_detection() -> None:
    pytest.importorskip("pycocotools")
    truth = packed_truth(TRUTH)
    right = measured("detect", found(TRUTH, perfect_boxes(TRUTH)), truth)
    assert [each.name for each in right] == ["mAP", "mAP@.50", "AR@100"]
    assert values(right) == pytest.approx([1, 1, 1], abs=1e-6)
    nothing = found(TRUTH, [boxes() for _ in range(EXAMPLES)])
    assert values(measured("detect", nothing, truth)) == [0, 0, 0]
    near = detections(TRUTH)
    score = evaluate(TRUTH, near, np.arange(4)).score
    some = measured("detect", found(TRUTH, near), truth)
    assert values(some) == pytest.approx([score.mean_precision, score.precision_50, score.recall_100], abs=1e-4)
    assert all(each.interval and each.value and each.interval.low <= each.value <= each.interval.high for each in some)
    assert [each.interval for each in measured("detect", found(TRUTH, near), truth, None)] == [None] * 3
    lost, *_ = differences("detect", nothing, found(TRUTH, near), truth)
    assert lost.value == pytest.approx(-score.mean_precision, abs=1e-4)
    assert lost.baseline == pytest.approx(score.mean_precision, abs=1e-4)
    assert measured("detect", msgspec.structs.replace(nothing, categories=None), truth) == []


def test_a_detector_is_scored_on_common_images_in_any_order() -> None:
    pytest.importorskip("pycocotools")
    near, chosen = detections(TRUTH), np.arange(EXAMPLES)[10:50]
    sizes = TRUTH.sizes[chosen][::-1]
    part = ground_truth(*[[] for _ in chosen], categories=4)
    turned = found(
        type(TRUTH)(TRUTH.categories, part.images, sizes), [near[number] for number in chosen[::-1]], [0, 1, 2, 3]
    )
    common = (chosen, np.arange(len(chosen))[::-1].copy())
    differences_found = task_named("detect").differences(found(TRUTH, near), turned, packed_truth(TRUTH), common, 0)
    assert [each.value for each in differences_found] == [0, 0, 0]
    assert [each.differing for each in differences_found] == [0, 0, 0]


def test_boxes_agree_by_category_if_the_models_number_classes_differently() -> None:
    known = perfect_boxes(TRUTH)
    moved = [each._replace(classes=each.classes + 1) for each in known]
    same = agreement("detect", found(TRUTH, known), found(TRUTH, moved, [-1, 0, 1, 2, 3]))
    assert (same.share, same.identical, same.worst) == (1, EXAMPLES, [])
    raw = agreement(
        "detect",
        msgspec.structs.replace(found(TRUTH, known), categories=None),
        msgspec.structs.replace(found(TRUTH, moved), categories=None),
    )
    assert raw.share == 0
    quiet = found(TRUTH, perfect_boxes(TRUTH, 0.1))
    assert agreement("detect", quiet, quiet).share is None


def test_true_boxes_and_values_survive_packing() -> None:
    again = unpacked_truth(packed_truth(TRUTH))
    assert again.categories == TRUTH.categories
    assert np.array_equal(again.sizes, TRUTH.sizes)
    for one, other in zip(again.images, TRUTH.images, strict=True):
        assert all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))
    assert np.array_equal(unpacked_values(packed_values(VALUES)), VALUES)
    assert np.array_equal(unpacked_flags(packed_flags(SEVERAL)), SEVERAL == 1)
    assert len(unpacked_detections(found(TRUTH, detections(TRUTH)))) == EXAMPLES
    empty = unpacked_truth(packed_truth(ground_truth([], [])))
    assert [len(each.categories) for each in empty.images] == [0, 0]


def test_segmentation() -> None:
    right = masks(TRUE_MASKS, TRUE_MASKS, 3)
    assert [(each.name, each.value) for each in measured("segment", right, None)] == [
        ("mean IoU", 1), ("pixel accuracy", 1),
    ]  # fmt: skip
    wrong = masks([(mask + 1) % 3 for mask in TRUE_MASKS], TRUE_MASKS, 3)
    assert values(measured("segment", wrong, None)) == [0, 0]
    lost, *_ = differences("segment", wrong, right, None)
    assert (lost.value, lost.baseline, lost.differing) == (-1, 1, EXAMPLES)
    half = [mask.copy() for mask in TRUE_MASKS]
    half[5][:4] = (half[5][:4] + 1) % 3
    part = agreement("segment", masks(half, None, 3), right)
    assert part.share == pytest.approx(1 - 0.5 / EXAMPLES)
    assert (part.identical, part.worst) == (EXAMPLES - 1, [5])
    assert agreement("segment", masks(half, None, 4), right).share is None
    assert measured("segment", masks(half, None, 3), None) == []


def test_tensors() -> None:
    first = DRAW.normal(size=(EXAMPLES, 5)).astype(np.float32)
    second = first.copy()
    second[9, 2] += np.float32(0.5)
    second[11, 1] += np.float32(0.25)
    same = agreement("tensor", tensors(a=first, b=first), tensors(a=first, b=first))
    assert (same.share, same.identical, same.worst) == (1, EXAMPLES, [])
    other = agreement("tensor", tensors(a=first, b=first), tensors(a=first, b=second))
    assert other.share == pytest.approx((EXAMPLES - 2) / EXAMPLES)
    assert (other.identical, other.worst) == (EXAMPLES - 2, [9])
    assert "b" in other.text
    assert "0.5" in other.text
    # the baseline is the signal: 10 log10(4 / 1), not 10 log10(9 / 1)
    signal = agreement("tensor", tensors(a=np.full((EXAMPLES, 5), 3.0)), tensors(a=np.full((EXAMPLES, 5), 2.0)))
    assert "6.0 dB" in signal.text
    assert measured("tensor", tensors(a=first), None) == []
    assert agreement("tensor", tensors(a=first), tensors(a=first, b=first)).share is None
    assert agreement("tensor", tensors(a=first), tensors(a=first.astype(np.float64))).identical is None


def test_true_values_of_common_examples_are_compared() -> None:
    part = (np.arange(10, EXAMPLES), np.arange(EXAMPLES - 10))
    changed = VALUES.copy()
    changed[20] += 1
    assert differing_truths(packed_values(VALUES), packed_values(changed), ALL) == 1
    assert differing_truths(packed_values(VALUES), packed_values(changed[10:]), part) == 1
    assert differing_truths(packed_flags(FLAGS), packed_flags(1 - FLAGS), ALL) == EXAMPLES
    assert differing_truths(packed_flags(FLAGS), packed_values(FLAGS), ALL) == EXAMPLES
    assert differing_truths(packed_truth(TRUTH), packed_truth(scene(EXAMPLES, 4)), ALL) == 0
    assert differing_truths(packed_truth(TRUTH), packed_truth(scene(EXAMPLES, 4, 1)), ALL) > EXAMPLES // 2


def test_masks_without_room_are_not_compared() -> None:
    record = masks(TRUE_MASKS, None, 3)
    cut = Segmentation(classes=3, images=EXAMPLES, masks=[None] * EXAMPLES)
    assert agreement("segment", cut, record).share is None
    some = msgspec.structs.replace(record, masks=[*record.masks[:20], *[None] * (EXAMPLES - 20)])
    assert agreement("segment", some, record).identical is None
