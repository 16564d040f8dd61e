"""Outputs to class masks, and nearest resizing."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.tasks.segmentation.class_maps import ClassAxis, MaskLayout, class_map, mask_layout, resized
from tests.bench.messages import numbers_in


@pytest.mark.parametrize(
    ("shape", "dtype", "scale", "classes", "expected"),
    [
        ([1, 257, 257, 21], "float32", 0.0, None, MaskLayout(ClassAxis.LAST, 21)),
        ([1, 21, 257, 257], "float32", 0.0, None, MaskLayout(ClassAxis.FIRST, 21)),
        ([-1, -1, -1, 21], "float32", 0.0, None, MaskLayout(ClassAxis.LAST, 21)),
        ([1, 128, 96, 19], "uint8", 0.1, 19, MaskLayout(ClassAxis.LAST, 19)),
        ([1, 19, 128, 96], "int8", 0.1, 19, MaskLayout(ClassAxis.FIRST, 19)),
        ([1, 513, 513], "int64", 0.0, 21, MaskLayout(ClassAxis.NONE, 21)),
        ([1, 513, 513, 1], "uint8", 0.0, 21, MaskLayout(ClassAxis.NONE, 21)),
        ([1, 1, 513, 513], "int32", 0.0, 2, MaskLayout(ClassAxis.NONE, 2)),
    ],
)
def test_the_class_axis_follows_from_shape_and_classes(
    shape: list[int], dtype: str, scale: float, classes: int | None, expected: MaskLayout
) -> None:
    assert mask_layout(TensorSpec(dtype=dtype, shape=shape, scale=scale), classes) == expected


def test_a_stated_axis_decides() -> None:
    output = TensorSpec(dtype="float32", shape=[1, 21, 64, 21])
    with pytest.raises(BadInput):
        mask_layout(output, 21)
    assert mask_layout(output, 21, ClassAxis.FIRST).axis is ClassAxis.FIRST
    indices = TensorSpec(dtype="float32", shape=[1, 64, 64])
    assert mask_layout(indices, 21, ClassAxis.NONE) == MaskLayout(ClassAxis.NONE, 21)


@pytest.mark.parametrize(
    ("shape", "dtype", "classes"),
    [
        ([1, 128, 96, 19], "float32", None),  # no two axes are equal
        ([1, 32, 32, 32], "float32", None),
        ([1, 257, 257, 21], "float32", 20),
        ([1, 1001], "float32", None),
        ([1, 5, 5, 5, 5], "float32", 5),
        ([1, 257, 257], "int64", None),  # how many classes?
        ([1, 257, 257], "float32", 21),  # one score per pixel, or indices?
        ([1, 257, 257, 1], "float32", 2),
        ([1, 257, 257, 1], "float32", None),
        ([1, 257, 257, 1], "float32", 1),
        ([1, 257, 257], "int64", 65_001),
        ([1], "float32", None),
        ([], "float32", None),
    ],
)
def test_other_outputs_are_refused(shape: list[int], dtype: str, classes: int | None) -> None:
    with pytest.raises(BadInput):
        mask_layout(TensorSpec(dtype=dtype, shape=shape), classes)


def test_the_first_of_equal_scores_counts_and_scores_that_are_not_finite_give_no_class() -> None:
    scores = np.array([[[1, 3, 2], [5, 5, 0]], [[np.nan, 9, 9], [0, np.inf, 0]]], np.float32)  # [2, 2, 3]
    last = class_map(scores, MaskLayout(ClassAxis.LAST, 3))
    assert last.tolist() == [[1, 0], [3, 3]]
    assert last.dtype == np.uint16
    assert np.array_equal(class_map(scores.transpose(2, 0, 1), MaskLayout(ClassAxis.FIRST, 3)), last)
    assert class_map(np.array([[[-5, -4]]], np.int8), MaskLayout(ClassAxis.LAST, 2)).tolist() == [[1]]


@pytest.mark.parametrize("values", [[[0, 1], [2, 3]], [[0.0, 1.0], [2.0, 3.0]]])
def test_class_indices_of_any_type(values: list[list[float]]) -> None:
    layout = MaskLayout(ClassAxis.NONE, 4)
    for output in (np.array(values), np.array(values)[..., np.newaxis], np.array(values)[np.newaxis]):
        assert class_map(output, layout).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize("value", [4, -1, 255, 1.5, np.nan, np.inf])
def test_class_indices_that_the_model_does_not_have_are_refused(value: float) -> None:
    with pytest.raises(BadInput) as caught:
        class_map(np.array([[0, value]]), MaskLayout(ClassAxis.NONE, 4))
    assert numbers_in(caught.value.problem)[-1] == 3


def test_an_output_of_another_shape_is_refused() -> None:
    with pytest.raises(BadInput):
        class_map(np.zeros((4, 4, 5)), MaskLayout(ClassAxis.LAST, 21))


def test_resizing_by_hand() -> None:
    mask = np.array([[1, 2, 3]], np.uint16)
    assert resized(mask, 1, 6).tolist() == [[1, 1, 2, 2, 3, 3]]
    assert resized(mask, 1, 1).tolist() == [[2]]  # the middle one
    assert resized(mask, 2, 2).tolist() == [[1, 3], [1, 3]]
    assert np.array_equal(resized(mask, 1, 3), mask)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60))
def test_resizing_takes_the_pixel_below_the_centre_as_pillow_does(
    height: int, width: int, rows: int, columns: int
) -> None:
    mask: npt.NDArray[np.uint8] = np.random.default_rng(height * width).integers(0, 256, (height, width), np.uint8)
    found = resized(mask, rows, columns)
    exact = [
        [(2 * i + 1) * height // (2 * rows) for i in range(rows)],
        [(2 * i + 1) * width // (2 * columns) for i in range(columns)],
    ]
    assert np.array_equal(found, mask[np.ix_(*exact)])
    # Pillow adds up steps in floating point, so a centre on a border may fall on either side of it
    on_border = [
        [(2 * i + 1) * own % (2 * size) == 0 for i in range(size)] for own, size in ((height, rows), (width, columns))
    ]
    kept = np.ix_(~np.array(on_border[0]), ~np.array(on_border[1]))
    pillow = np.asarray(Image.fromarray(mask).resize((columns, rows), Image.Resampling.NEAREST))
    assert np.array_equal(found[kept], pillow[kept])
