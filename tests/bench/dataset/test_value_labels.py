"""True values as numbers: arrays, and tables that are matched with files."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.dataset.value_labels import read_values, task_of_values
from edge_bench.bench.errors import DatasetError

FILES = ["a/1.png", "a/2.png", "b/3.png"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_rows_of_a_table_are_matched_with_files(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", "name,left,top", "b/3.png,5,6.5", "a/1.png,1,2", "other.png,9,9", "2,3,4")
    found = read_values(table, 3, tmp_path, FILES)
    assert found.values.tolist() == [[1, 2], [3, 4], [5, 6.5]]
    assert found.headings == ("left", "top")
    assert read_values(table, 3, tmp_path, FILES, "top").values.tolist() == [[2], [4], [6.5]]
    assert read_values(table, 3, tmp_path, FILES, "2").values.tolist() == [[1], [3], [5]]


def test_rows_without_files_are_in_order(tmp_path: Path) -> None:
    assert read_values(written(tmp_path / "one.txt", "1", "2.5"), 2).values.tolist() == [[1], [2.5]]
    assert read_values(written(tmp_path / "two.csv", "x;y", "1;2", "3;4"), 2).values.tolist() == [[1, 2], [3, 4]]
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3))
    assert read_values(tmp_path / "a.npy", 2).values.tolist() == [[0, 1, 2], [3, 4, 5]]
    np.savez(tmp_path / "a.npz", y=np.array([True, False]), other=np.zeros(1))
    assert read_values(tmp_path / "a.npz", 2).values.tolist() == [[1], [0]]


@pytest.mark.parametrize(
    "lines",
    [
        ["name,x", "a/1.png,1", "a/2.png,2"],
        ["name,x", "a/1.png,1", "a/2.png,2", "b/3.png,many"],
        ["name,x", "a/1.png,1", "a/2.png,2", "b/3.png,nan"],
        ["name,x", "c/7.png,1", "c/8.png,2", "c/9.png,3"],
        ["a/1.png,1", "a/1.png,2", "a/2.png,2", "b/3.png,1"],
    ],
    ids=["missing", "no number", "not finite", "other files", "twice"],
)
def test_tables_that_do_not_fit_the_files_are_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(DatasetError):
        read_values(written(tmp_path / "t.csv", *lines), 3, tmp_path, FILES)


def test_arrays_of_files_need_names_in_one_order(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    assert read_values(tmp_path / "a.npy", 3, tmp_path, FILES).notes
    with pytest.raises(DatasetError):
        read_values(tmp_path / "a.npy", 3, tmp_path, ["1.png", "10.png", "2.png"])
    with pytest.raises(DatasetError):
        read_values(tmp_path / "a.npy", 4)
    np.savez(tmp_path / "a.npz", first=np.zeros(3), second=np.zeros(3))
    with pytest.raises(DatasetError):
        read_values(tmp_path / "a.npz", 3)


def test_labels_of_classes_tell_no_task(tmp_path: Path) -> None:
    for lines in (
        ["a.png cat", "b.png dog"],
        ["0", "1", "2"],
        ["file,label", "a.png,1"],
        ["a.png,1,cat", "b.png,0,dog"],
    ):
        assert task_of_values(written(tmp_path / "t.csv", *lines)) is None, lines
    assert task_of_values(written(tmp_path / "t.csv", "a.png,1,1,0", "b.png,0,0,1")) == "multilabel"
    assert task_of_values(written(tmp_path / "t.csv", "label", "0.5")) == "regress"


def test_points_that_separate_thousands_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        read_values(written(tmp_path / "t.csv", "value", "1.016", "719", "12.500"), 3)
    for cells in (["1.016", "0.719", "12.500"], ["1.016", "719", "12.5"], ["1.016", "7190", "12.500"], ["719", "5"]):
        values = read_values(written(tmp_path / "t.csv", "value", *cells), len(cells)).values
        assert values[:, 0].tolist() == [float(cell) for cell in cells]
