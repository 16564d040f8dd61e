"""The category of each class."""

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.boxes import Boxes, Category, GroundTruth
from edge_bench.bench.tasks.detection.class_maps import (
    ClassMap,
    adopted_map,
    check_map,
    compare_maps,
    maps_by_number,
    named_map,
)
from tests.made.graph.boxes import boxes, detections, scene

IDS = [1, 2, 3, 5, 9]  # with gaps, as COCO's


def labelled(images: int = 60) -> GroundTruth:
    truth = scene(images, len(IDS))
    return GroundTruth(tuple(Category(n, f"name {n}") for n in IDS), truth.images, truth.sizes)


def found_by(truth: GroundTruth, classes: list[int]) -> list[Boxes]:
    """Detections of a model whose class of category ``i`` is ``classes[i]``."""
    return [each._replace(classes=np.array(classes)[each.classes]) for each in detections(truth)]


@pytest.mark.parametrize(
    ("classes", "option"),
    [
        ([1, 2, 3, 5, 9], "--label-offset 0"),
        ([0, 1, 2, 4, 8], "--label-offset -1"),
        ([0, 1, 2, 3, 4], "--class-order id"),
        ([1, 2, 3, 4, 5], "--class-order id-after-background"),
    ],
)
def test_the_data_shows_the_map(classes: list[int], option: str) -> None:
    truth = labelled()
    chosen, _ = adopted_map(maps_by_number(truth.categories), truth, found_by(truth, classes), "model")
    assert chosen.option == option
    assert chosen.of(np.array(classes)).tolist() == [0, 1, 2, 3, 4]
    assert chosen.of(np.array([90, 10_000])).tolist() == [-1, -1]


def test_another_order_is_not_guessed() -> None:
    truth = labelled()
    with pytest.raises(BadInput) as refused:
        adopted_map(maps_by_number(truth.categories), truth, found_by(truth, [8, 0, 4, 2, 1]), "model")
    assert "--label-offset" in refused.value.problem


@pytest.mark.parametrize("images", [0, 3])
def test_few_images_show_nothing(images: int) -> None:
    truth = labelled(images)
    tested = compare_maps(maps_by_number(truth.categories), truth, found_by(truth, IDS))
    assert not tested.clear
    with pytest.raises(BadInput):
        adopted_map(maps_by_number(truth.categories), truth, found_by(truth, IDS), "model")


def test_a_model_that_predicts_one_class_shows_no_class_map() -> None:
    truth = labelled()
    frequent = [each._replace(classes=np.full_like(each.classes, 1)) for each in detections(truth)]
    assert not compare_maps(maps_by_number(truth.categories), truth, frequent).clear


def test_boxes_elsewhere_show_nothing() -> None:
    truth = labelled()
    nowhere = [boxes([600, 440, 601, 441, 1, 0.9]) for _ in truth.images]
    tested = compare_maps(maps_by_number(truth.categories), truth, nowhere)
    assert (tested.images, tested.clear) == (0, False)


def test_equal_maps_are_listed_once_and_a_stated_offset_is_the_only_one() -> None:
    yolo = [Category(n, str(n)) for n in range(3)]
    assert len({each.categories.tobytes() for each in maps_by_number(yolo)}) == len(maps_by_number(yolo))
    (stated,) = maps_by_number(yolo, label_offset=1)
    assert stated.of(np.array([0, 1, 2, 3])).tolist() == [-1, 0, 1, 2]


def test_names_need_no_test_but_every_category_needs_a_class() -> None:
    truth = labelled()
    outputs = {category.name: 10 - number for number, category in enumerate(truth.categories)}
    chosen = named_map(outputs, truth.categories)
    assert chosen.of(np.array([10, 9, 8, 7, 6, 5, 0])).tolist() == [0, 1, 2, 3, 4, -1, -1]
    check_map(chosen, truth)
    with pytest.raises(BadInput):
        check_map(named_map({"name 1": 0}, truth.categories), truth)
    with pytest.raises(BadInput):
        check_map(ClassMap(np.zeros(0, np.int64), ""), truth)
