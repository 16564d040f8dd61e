"""Which outputs labels may stand for: by names, numbers, orders and offsets."""

from typing import Any

import numpy as np
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.label_maps import ClassLabels, LabelMaps, label_maps
from edge_bench.bench.model_formats.tflite_metadata import ModelMetadata
from edge_bench.bench.records.interpretation import Source


def folders(*names: str) -> ClassLabels:
    return ClassLabels(np.arange(len(names)), list(names), "alphabetical", "photos")


def numbers(*values: int) -> ClassLabels:
    return ClassLabels(np.array(values), [], "numbers", "y")


def maps(labels: ClassLabels, outputs: int, metadata: ModelMetadata | None = None, **options: Any) -> LabelMaps:
    return label_maps(labels, outputs, metadata, DataOptions(**options))


def tables(found: LabelMaps, labels: ClassLabels) -> list[list[int]]:
    return [option.outputs[np.unique(labels.values)].tolist() for option in found.options]


def test_one_output_more_than_classes_leaves_both_offsets_possible() -> None:
    labels = folders("ant", "bee", "cow")

    found = maps(labels, 4)

    assert tables(found, labels) == [[0, 1, 2], [1, 2, 3]]
    assert [option.option for option in found.options] == ["--label-offset 0", "--label-offset 1"]


def test_as_many_outputs_as_classes_leave_one_order() -> None:
    labels = folders("ant", "bee", "cow")

    assert tables(maps(labels, 3), labels) == [[0, 1, 2]]


def test_numbers_in_names_are_outputs_also_if_one_is_missing() -> None:
    labels = folders("digit-0", "digit-1", "digit-3")

    assert tables(maps(labels, 4), labels) == [[0, 1, 3], [0, 1, 2], [1, 2, 3]]


def test_numbers_from_one_are_moved_by_one() -> None:
    labels = folders("1", "10", "2", "3", "4", "5", "6", "7", "8", "9")

    found = tables(maps(labels, 10), labels)

    assert found[0] == [0, 9, 1, 2, 3, 4, 5, 6, 7, 8]
    assert found[1:] == [list(range(10))]  # alphabetical, as Keras and torchvision number them


def test_a_stated_order_and_offset_leave_nothing_to_test() -> None:
    labels = folders("c2", "c10")

    found = maps(labels, 12, class_order="natural", label_offset=1)

    assert tables(found, labels) == [[1, 2]]
    assert found.source is Source.STATED


def test_labels_from_one_to_ten_fit_ten_outputs_in_one_way() -> None:
    labels = numbers(1, 10, 5)

    assert tables(maps(labels, 10), labels) == [[0, 4, 9]]


def test_names_in_the_metadata_decide() -> None:
    labels = folders("bee", "cow")
    metadata = ModelMetadata(None, ("cow", "ant", "bee"), "", "labels.txt")

    found = maps(labels, 3, metadata)

    assert tables(found, labels) == [[2, 0]]
    assert found.source is Source.MODEL


def test_a_list_in_the_metadata_without_the_background_leaves_the_offset_open() -> None:
    labels = folders("bee", "cow")
    metadata = ModelMetadata(None, ("cow", "ant", "bee"), "", "labels.txt")

    assert tables(maps(labels, 4, metadata), labels) == [[2, 0], [3, 1]]
    assert tables(maps(labels, 4, metadata, label_offset=1), labels) == [[3, 1]]


def test_a_complete_list_of_outputs_leaves_no_offset() -> None:
    labels = ClassLabels(np.array([0, 1]), ["a", "b", "c"], "stated", "photos")

    assert tables(maps(labels, 3), labels) == [[0, 1]]
    assert tables(maps(labels, 4), labels) == [[0, 1], [1, 2]]


def test_other_names_in_the_metadata_do_not_decide() -> None:
    labels = folders("bee", "cow")

    found = maps(labels, 3, ModelMetadata(None, ("x", "y", "z"), "", "labels.txt"))

    assert tables(found, labels) == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (folders("a", "b", "c", "d"), {}),
        (numbers(0, 3), {}),
        (numbers(0, 2), {"label_offset": 1}),
        (folders("a", "b"), {"class_order": "number"}),
        (ClassLabels(np.array([0]), ["a", "b", "c", "d"], "stated", "photos"), {}),
    ],
)
def test_label_maps_that_do_not_fit_the_outputs_are_refused(labels: ClassLabels, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        maps(labels, 3, **options)


def test_outputs_are_named_by_their_classes() -> None:
    found = maps(folders("ant", "bee"), 3, label_offset=1)

    assert found.options[0].names(["ant", "bee"], 3) == ["background", "ant", "bee"]
