"""The four outputs of TFLite_Detection_PostProcess."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.heads.postprocess import (
    ROLES,
    OutputOrder,
    decode_postprocess,
    output_order,
    stated_order,
)
from edge_bench.bench.tasks.detection.letterbox import letterboxed, stretched
from tests.made.graph.boxes import boxes

OPERATOR = ["TFLite_Detection_PostProcess", *(f"TFLite_Detection_PostProcess:{n}" for n in (1, 2, 3))]
NAMES = {
    "operator": OPERATOR,
    "operator in a scope": [f"detect/{name}" for name in OPERATOR],
    "TensorFlow's detection API": ["detection_boxes", "detection_classes", "detection_scores", "num_detections"],
    "metadata": ["location", "category", "score", "number of detections"],
}
FOUND = boxes([64, 48, 128, 96, 3, 0.9], [-6.4, 0, 640, 480, 87, 0.5], [1, 2, 30, 40, 0, 0.25])
Outputs = list[npt.NDArray[Any]]


def outputs(valid: int = 3, capacity: int = 10) -> Outputs:
    """The operator's outputs for FOUND in an image of 640 × 480 pixels, in its order; garbage after ``valid``."""
    corners = np.full((1, capacity, 4), np.nan, np.float32)
    classes, scores = np.full((1, capacity), -7.5, np.float32), np.full((1, capacity), 99, np.float32)
    corners[0, :3] = (FOUND.corners / [640, 480, 640, 480])[:, [1, 0, 3, 2]]
    classes[0, :3], scores[0, :3] = FOUND.classes, FOUND.scores
    return [corners, classes, scores, np.array([valid], np.float32)]


def shapes(values: Outputs) -> list[tuple[int, ...]]:
    return [each.shape for each in values]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_tell_every_order(order: tuple[int, ...], names: list[str]) -> None:
    values = outputs()
    found = output_order([names[index] for index in order], shapes([values[index] for index in order]))
    assert [order[index] for index in found] == [0, 1, 2, 3]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_values_tell_every_order_without_names(order: tuple[int, ...]) -> None:
    names = [f"StatefulPartitionedCall:{n}" for n in range(4)]
    sample = [outputs()[index] for index in order]
    found = output_order(names, shapes(sample), [sample])
    assert [order[index] for index in found] == [0, 1, 2, 3]


def test_outputs_of_at_most_one_box_are_identified_by_name() -> None:
    values = outputs(1, 3)
    one = [each[:, :1] if each.ndim > 1 else each for each in values]
    assert output_order(NAMES["metadata"], shapes(one)) == OutputOrder(0, 1, 2, 3)


def test_scores_that_may_be_classes_are_refused_and_can_be_stated() -> None:
    values = outputs()
    values[1][:], values[2][:] = 1, 1
    names = ["a", "b", "c", "d"]
    with pytest.raises(BadInput) as refused:
        output_order(names, shapes(values), [values])
    assert refused.value.remedy.count("boxes,") == 2  # both orders that are possible
    with pytest.raises(BadInput):
        output_order(names, shapes(values))
    assert stated_order("number, scores,classes,boxes") == OutputOrder(3, 2, 1, 0)
    assert str(stated_order("number,scores,classes,boxes")) == "number,scores,classes,boxes"


@pytest.mark.parametrize("text", ["", "boxes", "boxes,classes,scores,scores", "boxes,classes,scores,number,number"])
def test_other_statements(text: str) -> None:
    with pytest.raises(BadInput):
        stated_order(text)


@pytest.mark.parametrize(
    "other",
    [
        [(1, 10, 4), (1, 10), (1, 10)],
        [(1, 10, 4), (1, 10), (1, 9), (1,)],
        [(1, 10, 5), (1, 10), (1, 10), (1,)],
        [(2, 10, 4), (2, 10), (2, 10), (2,)],
        [(1, 1001)],
        [],
    ],
)
def test_other_outputs(other: list[tuple[int, ...]]) -> None:
    with pytest.raises(BadInput):
        output_order([f"{role}" for role in ROLES][: len(other)], other)


def test_names_that_contradict_the_shapes() -> None:
    with pytest.raises(BadInput):
        output_order(["detection_scores", "detection_classes", "detection_boxes", "n"], shapes(outputs()))


@pytest.mark.parametrize("valid", [0, 1, 3])
def test_boxes_up_to_the_number_in_pixels_of_the_image(valid: int) -> None:
    found = decode_postprocess(outputs(valid), OutputOrder(0, 1, 2, 3), stretched((640, 480), (300, 300)))
    assert found.boxes.corners == pytest.approx(FOUND.corners[:valid], abs=1e-4)  # beyond the border, too
    assert found.boxes.classes.tolist() == FOUND.classes[:valid].tolist()
    assert found.boxes.scores.tolist() == FOUND.scores[:valid].tolist()
    assert found.not_finite == 0


def test_borders_are_taken_off() -> None:
    placement = letterboxed((640, 480), (320, 320))
    values = outputs()
    values[0][0, :3] = (placement.to_input(FOUND.corners.astype(float)) / 320)[:, [1, 0, 3, 2]]
    found = decode_postprocess(values, OutputOrder(0, 1, 2, 3), placement)
    assert found.boxes.corners == pytest.approx(FOUND.corners, abs=1e-3)


def test_boxes_that_are_not_finite_are_counted() -> None:
    found = decode_postprocess(outputs(5), OutputOrder(0, 1, 2, 3), stretched((640, 480), (300, 300)))
    assert found.not_finite == 2
    assert len(found.boxes.scores) == 3


@pytest.mark.parametrize("category", [-1, 0.5, 1e30])
def test_impossible_classes(category: float) -> None:
    values = outputs()
    values[1][0, 1] = category
    with pytest.raises(ValueError, match="class"):
        decode_postprocess(values, OutputOrder(0, 1, 2, 3), stretched((640, 480), (300, 300)))


@pytest.mark.parametrize("number", [-1, 11, 2.5, np.nan, np.inf])
def test_impossible_numbers(number: float) -> None:
    values = outputs()
    values[3][:] = number
    with pytest.raises(ValueError, match="number"):
        decode_postprocess(values, OutputOrder(0, 1, 2, 3), stretched((640, 480), (300, 300)))
