"""Folders of images as programs and people leave them: the accuracy is right, or the folder is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import DatasetError
from tests.bench.interpretation.in_process import accuracy
from tests.command_line import Refuses
from tests.made.brightness import level
from tests.made.images import SIDE, class_folders, image
from tests.made.tflite_models import brightness_tflite

CLASSES = range(6)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return brightness_tflite(tmp_path / "model.tflite", CLASSES)


@pytest.mark.parametrize(
    "left",
    [
        "__MACOSX/word 0/._0.png", ".ipynb_checkpoints/0.png", "word 3/.ipynb_checkpoints/0-checkpoint.png",
        "@eaDir/0.png", "word 2/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "lost+found/0.png", "$RECYCLE.BIN/S-1/0.png",
    ],
)  # fmt: skip
def test_files_of_other_programs_are_not_a_class(left: str, model: Path, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images", CLASSES, name="word {}")
    image(folder / left, 9)
    assert accuracy(model, DataOptions(data=folder), images=24) == 1
    larger = brightness_tflite(tmp_path / "larger.tflite", range(7))  # one output more than classes
    options = DataOptions(data=folder, preprocess="unit", label_offset=0)
    assert accuracy(larger, options, images=24) == 1


@pytest.mark.parametrize("parts", [("train", "val"), ("training", "validation", "test"), ("Train", "TEST")])
def test_a_folder_above_train_and_val_is_refused(
    parts: tuple[str, ...], model: Path, refuses: Refuses, tmp_path: Path
) -> None:
    for part in parts:
        class_folders(tmp_path / "dataset" / part, CLASSES)
    error = refuses("run", model, "--data", "dataset", kind=DatasetError)
    assert error.exit_code == 2
    assert all(f"--data dataset/{part}" in error.remedy for part in parts)
    assert accuracy(model, DataOptions(data=tmp_path / "dataset" / parts[-1]), images=24) == 1


def linked_class(folder: Path, elsewhere: Path) -> None:
    (folder / "5").rename(elsewhere / "5")
    (folder / "5").symlink_to(elsewhere / "5")


def linked_classes(folder: Path, elsewhere: Path) -> None:
    for label in CLASSES:
        (folder / str(label)).rename(elsewhere / str(label))
        (folder / str(label)).symlink_to(Path("..") / elsewhere.name / str(label))


def linked_subfolder(folder: Path, elsewhere: Path) -> None:
    (folder / "2").rename(elsewhere / "2")
    (folder / "2").mkdir()
    (folder / "2" / "monday").symlink_to(elsewhere / "2")


def linked_files(folder: Path, elsewhere: Path) -> None:
    for path in sorted((folder / "0").iterdir()):
        path.rename(elsewhere / path.name)
        path.symlink_to(elsewhere / path.name)


def circle(folder: Path, elsewhere: Path) -> None:
    (folder / "3" / "up").symlink_to(folder)
    (folder / "4" / "self").symlink_to(folder / "4")


@pytest.mark.parametrize("link", [linked_class, linked_classes, linked_subfolder, linked_files, circle])
def test_links_are_followed_without_loops(link: Callable[[Path, Path], None], model: Path, tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images", CLASSES)
    (tmp_path / "elsewhere").mkdir()
    link(folder, tmp_path / "elsewhere")
    assert accuracy(model, DataOptions(data=folder), images=24) == 1


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_16_bit_images_are_read_by_their_high_byte(suffix: str, model: Path, tmp_path: Path) -> None:
    for label in CLASSES:
        for number in range(4):
            path = tmp_path / "images" / str(label) / f"{number}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((SIDE, SIDE), level(label) << 8 | 99, np.uint16)).save(path)
    assert accuracy(model, DataOptions(data=tmp_path / "images"), images=24) == 1


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
@pytest.mark.parametrize("highest", [1, 255, 65_535, 2**31 - 1])
def test_32_bit_images_are_refused(
    dtype: type[np.generic], highest: int, model: Path, refuses: Refuses, tmp_path: Path
) -> None:
    for label in CLASSES:
        path = tmp_path / "images" / str(label) / "a.tif"
        path.parent.mkdir(parents=True)
        pixels = np.full((SIDE, SIDE), level(label) / 255 * highest).astype(dtype)
        Image.fromarray(pixels).save(path)
    error = refuses("run", model, "--data", "images", kind=DatasetError)
    assert error.exit_code == 2
    assert "images/0/a.tif" in error.problem
