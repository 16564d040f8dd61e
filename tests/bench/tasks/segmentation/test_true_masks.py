"""PNG masks: their values as stored, and which image each belongs to."""

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.segmentation.mask_values import IGNORED, MaskValues
from edge_bench.bench.tasks.segmentation.true_masks import find_true_masks, png_values
from tests.bench.messages import numbers_in

VALUES = MaskValues(4, ignored=(255,))
#: Greyscale and palette in the header of a PNG.
GREY, PALETTE = 0, 3


def png(values: npt.NDArray[np.int64], bits: int, kind: int = GREY, size: tuple[int, int] | None = None) -> bytes:
    """Write a PNG with exactly these values, by the format's specification."""
    rows = b""
    for row in values:
        packed = "".join(f"{value:0{bits}b}" for value in row)
        rows += b"\0" + bytes(int(packed[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(packed), 8))

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    width, height = size or (values.shape[1], values.shape[0])
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(3 * (1 << bits))) if kind == PALETTE else b""
    return b"\x89PNG\r\n\x1a\n" + header + palette + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bits", "kind"), [(1, GREY), (2, GREY), (4, GREY), (8, GREY), (16, GREY)] + [(n, PALETTE) for n in (1, 2, 4, 8)]
)
def test_values_are_read_as_they_are_stored(tmp_path: Path, bits: int, kind: int) -> None:
    values = np.random.default_rng(bits).integers(0, 1 << bits, (5, 7))
    (tmp_path / "m.png").write_bytes(png(values, bits, kind))
    found = png_values(tmp_path / "m.png")
    assert found.dtype == np.uint16
    assert np.array_equal(found, values)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_colours_are_refused(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "m.png")
    with pytest.raises(DatasetError):
        png_values(tmp_path / "m.png")


def test_files_that_are_no_whole_png_are_refused(tmp_path: Path) -> None:
    whole = png(np.zeros((50, 50), np.int64), 8)
    Image.new("L", (4, 4)).save(tmp_path / "other.bmp")
    bad = {
        "empty": b"",
        "text": b"not a mask",
        "cut": whole[: len(whole) - 30],
        "bmp": (tmp_path / "other.bmp").read_bytes(),
        "bomb": png(np.zeros((1, 1), np.int64), 8, size=(60_000, 60_000)),
        "larger": png(np.zeros((2, 2), np.int64), 8, size=(3, 3)),
    }
    for name, content in bad.items():
        (tmp_path / f"{name}.png").write_bytes(content)
        with pytest.raises(DatasetError) as caught:
            png_values(tmp_path / f"{name}.png")
        assert caught.value.exit_code == 2
        assert "\n" not in caught.value.problem
    (tmp_path / "folder.png").mkdir()
    for name in ("folder.png", "missing.png"):
        with pytest.raises(DatasetError):
            png_values(tmp_path / name)


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(np.array([[0, 1, 255]]), 8))
    return folder


def test_masks_are_found_by_the_names_of_their_images(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "a.png", "deep/b.PNG", "unused.png", ".hidden.png", ".folder/c.png", "notes.txt")
    found = find_true_masks(folder, ["a.jpg", "b.jpg", "c.jpg"], VALUES)
    assert found.files == ("a.png", "deep/b.PNG", None)
    assert found.unused == 1
    read = found.read(0, (1, 3))
    assert read is not None
    assert read.tolist() == [[0, 1, IGNORED]]
    assert found.read(2, (1, 3)) is None


def test_the_same_subfolder_goes_before_the_same_name(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "x/1.png", "y/1.png", "v1.2.png")
    found = find_true_masks(folder, ["x/1.jpg", "y/1.jpg", "v1.2.jpg"], VALUES)
    assert found.files == ("x/1.png", "y/1.png", "v1.2.png")


@pytest.mark.parametrize(
    ("masks", "images"),
    [
        (("b.png",), ["a.jpg"]),  # for other images
        ((), ["a.jpg"]),
        (("x/1.png", "y/1.png"), ["1.jpg"]),  # two masks
        (("1.png",), ["x/1.jpg", "y/1.jpg"]),  # two images
        (("a.png", "a.PNG"), ["a.jpg"]),
    ],
)
def test_masks_of_other_images_and_of_several_are_refused(
    tmp_path: Path, masks: tuple[str, ...], images: list[str]
) -> None:
    with pytest.raises(DatasetError) as caught:
        find_true_masks(folder_with(tmp_path, *masks), images, VALUES)
    assert "\n" not in caught.value.problem + caught.value.remedy


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        find_true_masks(tmp_path / "missing", ["a.jpg"], VALUES)


def test_masks_of_another_size_and_unknown_values_are_refused(tmp_path: Path) -> None:
    found = find_true_masks(folder_with(tmp_path, "a.png"), ["a.jpg"], VALUES)
    with pytest.raises(DatasetError) as caught:
        found.read(0, (3, 1))
    assert numbers_in(caught.value.problem.removeprefix(str(tmp_path / "a.png")))[:4] == [3, 1, 1, 3]
    with pytest.raises(DatasetError) as caught:
        find_true_masks(tmp_path, ["a.jpg"], MaskValues(4)).read(0, (1, 3))
    assert numbers_in(caught.value.problem.removeprefix(str(tmp_path / "a.png"))) == [255, 0, 2, 4]
