"""Warnings about the outputs of tasks other than classify."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.measure.prediction_warnings import output_warnings
from edge_bench.bench.records.outputs.union import TaskOutputs
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
