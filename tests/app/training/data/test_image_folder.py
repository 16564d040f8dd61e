"""A folder of images as a data set for training."""

from pathlib import Path

import pytest

from edge_bench.app.training.data.image_folder import image_folder
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.progress import Silent
from tests.made.images import class_folders, image


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))


class _Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def say(self, message: str) -> None:
        self.notes.append(message)


def test_files_of_other_programs_are_not_training_images(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "zip", range(3), 5)
    image(folder / "__MACOSX" / "0" / "0.png", 9)
    image(folder / "2" / ".ipynb_checkpoints" / "0.png", 9)
    progress = _Notes()
    info, parts = image_folder(folder, progress)
    assert info.classes == ["0", "1", "2"]
    assert sum(len(labels) for _, labels in parts.values()) == 15
    assert any("__MACOSX" in note for note in progress.notes)


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "Validation", "Testing")])
def test_parts_are_recognized_in_any_case(tmp_path: Path, names: tuple[str, ...]) -> None:
    for count, name in enumerate(names, 1):
        class_folders(tmp_path / name, range(2), count)
    _, parts = image_folder(tmp_path, Silent())
    assert {part: len(labels) for part, (_, labels) in parts.items()} == {"train": 2, "validation": 4, "test": 6}


def test_parts_without_training_images_are_refused(tmp_path: Path) -> None:
    for name in ("val", "test"):
        class_folders(tmp_path / name, range(2))
    with pytest.raises(DatasetError) as caught:
        image_folder(tmp_path, Silent())
    assert str(tmp_path) in caught.value.problem
