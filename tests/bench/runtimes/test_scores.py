"""Labels of scores: ties, scores that are not finite, a single score, and outputs of any shape."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.scores import (
    UNCLASSIFIED_LABEL,
    class_count,
    dequantized,
    label_count,
    labels_and_top_five,
)

FLOAT = TensorSpec(dtype="float32", shape=[1, 10])


@pytest.mark.parametrize(
    ("shape", "classes"),
    [
        ([1, 10], 10), ([4, 10, 1, 1], 10), ([1, 1, 10], 10), ([1, 1, 1, 10], 10), ([1, 1], 1), ([1], 1),
        ([1, 1, 1, 1], 1), ([2, 10, -1, -1], 10), ([1, 65534], 65534),
    ],
)  # fmt: skip
def test_classes_are_on_the_only_axis_that_is_not_1(shape: list[int], classes: int) -> None:
    spec = TensorSpec(dtype="float32", shape=shape)
    assert class_count(spec) == classes
    assert label_count(spec) == max(2, classes)


@pytest.mark.parametrize("shape", [[1, 8, 8, 3], [1, 2, 10], [1, 0], [1, -1], [1, 65535], [1, 10, 0]])
def test_other_outputs_are_no_classifiers(shape: list[int]) -> None:
    with pytest.raises(ValueError, match="×".join("\\?" if size < 0 else str(size) for size in shape)):
        class_count(TensorSpec(dtype="float32", shape=shape))


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int8, np.float16, np.float32, np.int32]),
        st.tuples(st.integers(1, 6), st.integers(2, 12)),
        elements=st.integers(0, 4),
    )
)
def test_ties_go_to_the_lower_class_at_every_place(scores: npt.NDArray[Any]) -> None:
    labelled = labels_and_top_five(scores, FLOAT)
    expected = np.argsort(-scores.astype(np.int64), axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(labelled.top_five, expected)
    np.testing.assert_array_equal(labelled.labels, scores.argmax(axis=1))
    assert labelled.tied == sum(np.count_nonzero(row == row.max()) > 1 for row in scores)


def test_the_lowest_values_of_a_type_are_ranked_as_any_other() -> None:
    for dtype in (np.int8, np.uint8, np.int32):
        scores = np.full((1, 7), np.iinfo(dtype).min, dtype)
        assert labels_and_top_five(scores, FLOAT).top_five.tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_image_with_a_score_that_is_not_finite_has_no_label(value: float) -> None:
    scores = np.tile(np.arange(10, dtype=np.float32), (3, 1))
    scores[1, 4] = value
    labelled = labels_and_top_five(scores, FLOAT)
    assert labelled.labels.tolist() == [9, UNCLASSIFIED_LABEL, 9]
    assert set(labelled.top_five[1]) == {UNCLASSIFIED_LABEL}
    assert labelled.tied == 0


def test_a_single_score_is_class_1_above_the_threshold() -> None:
    scores = np.array([[0.2], [0.5], [0.7], [np.nan]], np.float32)
    spec = TensorSpec(dtype="float32", shape=[1, 1])
    assert labels_and_top_five(scores, spec).labels.tolist() == [0, 0, 1, UNCLASSIFIED_LABEL]
    assert labels_and_top_five(scores, spec, 0.1).labels.tolist() == [1, 1, 1, UNCLASSIFIED_LABEL]
    assert not labels_and_top_five(scores, spec).outside_unit
    assert labels_and_top_five(scores - 1, spec).outside_unit


def test_the_threshold_is_compared_with_the_real_value_of_a_quantized_score() -> None:
    spec = TensorSpec(dtype="int8", shape=[1, 1], scale=1 / 256, zero_point=-128)
    scores = np.array([[-128], [0], [1], [127]], np.int8)
    assert dequantized(scores, spec).ravel().tolist() == [0, 0.5, 129 / 256, 255 / 256]
    assert labels_and_top_five(scores, spec).labels.tolist() == [0, 0, 1, 1]


def test_outputs_are_mapped_to_labels() -> None:
    scores = np.array([[0, 1, 3], [3, 1, 0], [np.nan, 1, 0]], np.float32)
    labelled = labels_and_top_five(scores[..., np.newaxis, np.newaxis], FLOAT, classes=[7, 8, 9])
    assert labelled.labels.tolist() == [9, 7, UNCLASSIFIED_LABEL]
    assert labelled.top_five[:2].tolist() == [[9, 8, 7], [7, 8, 9]]
    single = labels_and_top_five(np.array([[0.9], [0.1]]), FLOAT, classes=[1, 0])
    assert single.labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match="2 classes for 3"):
        labels_and_top_five(scores, FLOAT, classes=[1, 0])
