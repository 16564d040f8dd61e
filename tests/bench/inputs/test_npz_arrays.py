"""An .npz with one array per input, and what is refused."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.inputs.npz_arrays import load_npz
from edge_bench.bench.inputs.specs import InputSpec
from edge_bench.bench.io.npy import open_npy

IMAGE, TOKENS = InputSpec("image", "float32", (1, 4, 4, 3)), InputSpec("serving:tokens/0", "int32", (-1, -1))
SCALAR = InputSpec("scale", "float64", (-1,))
WHOLE = {
    "image": np.arange(240, dtype=np.float32).reshape(5, 4, 4, 3),
    "serving:tokens/0": np.arange(35, dtype=np.int32).reshape(5, 7),
    "scale": np.arange(5.0),
}
Arrays = dict[str, npt.NDArray[Any]]


def saved(folder: Path, arrays: Arrays, **changed: npt.NDArray[Any]) -> Path:
    path = folder / "x.npz"
    np.savez(path, **(arrays | changed))
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_each_input_gets_the_array_of_its_name(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "x.npz", **WHOLE, labels=np.arange(5))
    found = load_npz(tmp_path / "x.npz", [IMAGE, TOKENS, SCALAR])
    assert found.examples == 5
    assert found.shapes == {"image": (4, 4, 3), "serving:tokens/0": (7,), "scale": ()}
    for name, values in WHOLE.items():
        array = open_npy(found.arrays[name])
        assert isinstance(array, np.memmap)
        assert np.array_equal(array, values)
    assert len(found.notes) == 1
    again = load_npz(saved(tmp_path, WHOLE), [IMAGE, TOKENS, SCALAR])
    assert (again.sha256, again.notes) == (found.sha256, ())
    changed = load_npz(saved(tmp_path, WHOLE, scale=np.ones(5)), [IMAGE, TOKENS, SCALAR])
    assert changed.sha256 != found.sha256


def test_arrays_in_fortran_order_keep_their_values(tmp_path: Path) -> None:
    found = load_npz(saved(tmp_path, WHOLE, image=np.asfortranarray(WHOLE["image"])), [IMAGE])
    assert np.array_equal(open_npy(found.arrays["image"]), WHOLE["image"])


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"image": np.zeros((5, 4, 4, 3))}, "float64"),
        ({"image": np.zeros((5, 4, 4, 3), ">f4")}, "byte order"),
        ({"image": np.zeros((5, 4, 4), np.float32)}, "5×4×4"),
        ({"image": np.zeros((4, 4, 3), np.float32)}, "4×4×3"),
        ({"image": np.zeros((5, 1, 4, 4, 3), np.float32)}, "5×1×4×4×3"),
        ({"image": np.zeros((0, 4, 4, 3), np.float32)}, "0×4×4×3"),
        ({"image": np.zeros((6, 4, 4, 3), np.float32)}, "6"),
        ({"serving:tokens/0": np.zeros((5, 0), np.int32)}, "5×0"),
        ({"serving:tokens/0": np.zeros((5, 7), np.int64)}, "int64"),
        ({"scale": np.float64(3)}, "scale"),
        ({"scale": np.array(["a"] * 5)}, "plain numbers"),
        ({"scale": np.array([None] * 5)}, "pickle"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_a_line(tmp_path: Path, changed: Arrays, named: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load_npz(saved(tmp_path, WHOLE | changed), [IMAGE, TOKENS, SCALAR])
    assert named in caught.value.problem
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.problem + caught.value.remedy


def test_a_missing_array_is_named_and_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        load_npz(saved(tmp_path, {"img": WHOLE["image"]}), [IMAGE, SCALAR])
    assert {"image", "scale", "img"} <= set(caught.value.problem.replace(",", "").replace(";", "").split())


def npy(values: npt.NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def zipped(folder: Path, *members: tuple[str, bytes], deflated: bool = False) -> Path:
    path = folder / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def false_size() -> bytes:
    """Return an array whose header claims a million times as many values as it has."""
    return npy(np.zeros(5)).replace(b"(5,), ", b"(5000000,), ").replace(b" " * 6 + b"\n", b"\n")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_archives_are_refused_and_write_nothing_outside_the_cache(tmp_path: Path) -> None:
    whole = npy(np.zeros(5))
    spec = InputSpec("scale", "float64", (-1,))
    hostile: dict[str, Path | tuple[str, ...]] = {
        "false size": zipped(tmp_path, ("scale.npy", false_size())),
        "twice": ("scale.npy", "scale.npy"),
        "twice, by suffix": ("scale.npy", "scale"),
        "path": ("../scale.npy",),
        "absolute": ("/scale.npy",),
        "folder": ("scale.npy/",),
    }
    for kind, names in hostile.items():
        path = names if isinstance(names, Path) else zipped(tmp_path, *((name, whole) for name in names))
        with pytest.raises(DatasetError):
            load_npz(path, [spec])
        assert kind
    bomb = zipped(tmp_path, ("scale.npy", npy(np.zeros(1 << 22))), deflated=True)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(DatasetError) as caught:
        load_npz(bomb, [spec])
    assert "33,554" in caught.value.problem
    evil = zipped(tmp_path, ("scale.npy", whole), ("../../evil.npy", whole))
    load_npz(evil, [InputSpec("scale", "float64", (-1,)), InputSpec("../../evil", "float64", (-1,))])
    assert not list(tmp_path.parent.glob("evil*"))
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz", "cache"}


def test_files_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "array.npz").write_bytes(npy(np.zeros(5)))
    cut = saved(tmp_path, WHOLE).read_bytes()
    (tmp_path / "cut.npz").write_bytes(cut[: len(cut) // 2])
    for name in ("text.npz", "array.npz", "cut.npz", "missing.npz", "."):
        with pytest.raises(DatasetError):
            load_npz(tmp_path / name, [SCALAR])
