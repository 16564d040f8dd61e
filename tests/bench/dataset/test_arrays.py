"""Labels in arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.dataset.arrays import Arrays, load_arrays
from edge_bench.bench.errors import DatasetError
from tests.bench.messages import numbers_in


def loaded(folder: Path, labels: npt.NDArray[Any], shape: tuple[int, ...] = (3, 8, 8)) -> Arrays:
    np.save(folder / "x.npy", np.zeros(shape, np.uint8))
    np.save(folder / "y.npy", labels)
    return load_arrays(folder / "x.npy", folder / "y.npy")


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1, 0, 2], np.uint8),
        np.array([1, 0, 2], np.int64),
        np.array([[1], [0], [2]], np.int32),
        np.array([1.0, 0.0, 2.0]),
        np.eye(3)[[1, 0, 2]],
        np.eye(3, dtype=np.uint8)[[1, 0, 2]],
    ],
)
def test_whole_numbers_and_one_hot_rows_are_labels(tmp_path: Path, labels: npt.NDArray[Any]) -> None:
    arrays = loaded(tmp_path, labels)
    assert arrays.labels is not None
    assert arrays.labels.dtype == np.int64
    assert arrays.labels.tolist() == [1, 0, 2]
    assert bool(arrays.notes) == (labels.shape == (3, 3))


def test_booleans_are_labels(tmp_path: Path) -> None:
    arrays = loaded(tmp_path, np.array([True, False, True]))
    assert arrays.labels is not None
    assert arrays.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (np.array([0, 100_000_000, 1]), [1e8, 1]),
        (np.array([0, 1, -1]), [2]),
        (np.array([0.5, 1, 1]), [0.5, 0]),
        (np.array([0, np.nan, 1]), [1]),
        (np.array([0, 1]), [2]),
        (np.full((3, 3), 1.0), [3, 3]),
        (np.array(["a", "b", "c"]), []),
    ],
)
def test_other_labels_are_refused_naming_the_first(
    tmp_path: Path, labels: npt.NDArray[Any], named: list[float]
) -> None:
    with pytest.raises(DatasetError) as caught:
        loaded(tmp_path, labels)
    problem = caught.value.problem.removeprefix(str(tmp_path / "y.npy"))
    assert set(named) <= set(numbers_in(problem))


def test_stated_labels_replace_those_of_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "both.npz", images=np.zeros((2, 4), np.float32), labels=np.array([0, 1]))
    np.save(tmp_path / "y.npy", np.array([3, 4]))
    own, stated = load_arrays(tmp_path / "both.npz", None), load_arrays(tmp_path / "both.npz", tmp_path / "y.npy")
    assert own.labels is not None
    assert stated.labels is not None
    assert (own.labels.tolist(), stated.labels.tolist()) == ([0, 1], [3, 4])
    assert own.sha256 != stated.sha256
