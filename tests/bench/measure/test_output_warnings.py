"""Warnings about the outputs of tasks other than classify."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.measure.prediction_warnings import output_warnings, truth_warnings
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.tasks.detection.truth import packed_truth
from edge_bench.bench.tasks.scores.tables import packed_flags, packed_values
from tests.made.graph.boxes import boxes, detections, scene
from tests.made.graph.task_runs import found, masks, perfect_boxes, scores, tensors

EXAMPLES = 20
SCENE = scene(EXAMPLES, 3)
RAMP = np.arange(EXAMPLES * 2.0, dtype=np.float32).reshape(EXAMPLES, 2)
BROKEN = np.where(RAMP == 7, np.float32(np.nan), RAMP)
VARIED = [np.full((4, 4), number % 3) for number in range(EXAMPLES)]


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(found(SCENE, detections(SCENE)), id="boxes"),
        pytest.param(masks(VARIED, None, 3), id="masks"),
        pytest.param(scores(RAMP), id="scores"),
        pytest.param(tensors(a=RAMP), id="tensors"),
        pytest.param(scores(RAMP[:1]), id="one example"),
        pytest.param(masks(VARIED[:1], None, 3), id="one mask"),
        pytest.param(tensors(a=RAMP[:1]), id="one example of a tensor"),
    ],
)
def test_usual_outputs_give_no_warning(outputs: TaskOutputs) -> None:
    assert output_warnings(outputs) == []


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(found(SCENE, perfect_boxes(SCENE, 0.3)), id="low scores"),
        pytest.param(found(SCENE, [boxes()] * EXAMPLES), id="no box"),
        pytest.param(msgspec.structs.replace(found(SCENE, detections(SCENE)), not_finite=3), id="boxes left out"),
        pytest.param(masks([np.full((4, 4), 1)] * EXAMPLES, None, 3), id="one class"),
        pytest.param(masks([*VARIED[1:], np.full((4, 4), 3)], None, 3), id="a pixel without a class"),
        pytest.param(scores(np.ones((EXAMPLES, 2))), id="constant scores"),
        pytest.param(scores(BROKEN), id="a score that is not finite"),
        pytest.param(tensors(a=np.ones((EXAMPLES, 2), np.float32)), id="constant tensor"),
        pytest.param(tensors(a=RAMP, b=BROKEN), id="a tensor that is not finite"),
    ],
)
def test_doubtful_outputs_give_one(outputs: TaskOutputs) -> None:
    assert len(output_warnings(outputs)) == 1


FLAGS = np.arange(EXAMPLES) % 2 == 0
GOOD = RAMP / 10
CORRECT = perfect_boxes(SCENE)
MOVED = [each._replace(corners=each.corners + np.float32(300)) for each in CORRECT]
OTHER_CLASS = [each._replace(classes=(each.classes + 1) % 3) for each in CORRECT]
SHIFTED = [(mask + 1) % 3 for mask in VARIED]
# a background of 12 pixels, which any reading finds, and an object of class 1, 2 or 3
OBJECTS = [np.array([[0] * 12 + [1 + number % 3] * 4]) for number in range(EXAMPLES)]
EXCHANGED = [np.where(mask > 0, mask % 3 + 1, 0) for mask in OBJECTS]
CONFUSED = [np.where(mask == 3, 1, mask) for mask in OBJECTS]
SOME_RIGHT = [
    each._replace(classes=np.array([1, 0, 2])[each.classes] if len(each.classes) else each.classes) for each in CORRECT
]


@pytest.mark.parametrize(
    ("good", "bad", "truth"),
    [
        pytest.param(found(SCENE, CORRECT), found(SCENE, MOVED), packed_truth(SCENE), id="boxes elsewhere"),
        pytest.param(found(SCENE, CORRECT), found(SCENE, OTHER_CLASS), packed_truth(SCENE), id="other classes"),
        pytest.param(masks(VARIED, VARIED, 3), masks(SHIFTED, VARIED, 3), None, id="other values of masks"),
        pytest.param(masks(CONFUSED, OBJECTS, 4), masks(EXCHANGED, OBJECTS, 4), None, id="exchanged values of masks"),
        pytest.param(found(SCENE, CORRECT), found(SCENE, SOME_RIGHT), packed_truth(SCENE), id="two classes exchanged"),
        pytest.param(scores(GOOD), scores(GOOD * 1000), packed_values(GOOD), id="another unit"),
        pytest.param(scores(GOOD), scores(GOOD[:, ::-1] + [[0, 9]]), packed_values(GOOD), id="other columns"),
        pytest.param(scores(FLAGS), scores(~FLAGS), packed_flags(FLAGS), id="inverted scores"),
    ],
)
def test_outputs_that_fit_the_truth_less_than_a_constant_give_one(
    good: TaskOutputs, bad: TaskOutputs, truth: TaskTruth | None
) -> None:
    assert truth_warnings(good, truth) == []
    assert len(truth_warnings(bad, truth)) == 1


def test_few_examples_or_unknown_values_say_nothing_about_the_truth() -> None:
    assert truth_warnings(scores(GOOD[:3] * 1000), packed_values(GOOD[:3])) == []
    assert truth_warnings(scores(~FLAGS[:3]), packed_flags(FLAGS[:3])) == []
    assert truth_warnings(scores(BROKEN), packed_values(GOOD)) == []
    assert truth_warnings(scores(FLAGS), packed_flags(np.ones(EXAMPLES))) == []
    assert truth_warnings(masks(VARIED, None, 3), None) == []
    assert truth_warnings(found(SCENE, [boxes()] * EXAMPLES), packed_truth(SCENE)) == []
    noise = np.random.default_rng(0).random(EXAMPLES)
    assert truth_warnings(scores(noise), packed_flags(FLAGS)) == []
