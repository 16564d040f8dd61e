"""Parent folders of the class folders, with any names of parts."""

from pathlib import Path

import pytest

from edge_bench.bench.dataset.image_list import list_images
from edge_bench.bench.errors import DatasetError
from tests.command_line import Refuses
from tests.made.images import class_folders, image
from tests.made.tflite_models import brightness_tflite

PARTS = [
    ["fold1", "fold2"], ["seg_train", "seg_test"], ["2023", "2024"], ["labeled", "unlabeled"], ["left eye", "right"],
    ["1", "2", "3"], ["X_train", "X_val"],
]  # fmt: skip


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("listed", [None, "kind0\nkind1\nkind2\n", "1 kind0\n2 kind1\n3 kind2\n"])
@pytest.mark.parametrize("deeper", [False, True])
def test_parts_of_any_name_are_refused_if_all_have_the_same_subfolders(
    tmp_path: Path, parts: list[str], listed: str | None, deeper: bool
) -> None:
    folder, paths = tmp_path / "data", [f"{part}/{part}" if deeper else part for part in parts]
    for path in paths:
        class_folders(folder / path, range(3), 1, name="kind{}")
    image(folder / paths[0] / "more" / "0.png")  # a folder that the other parts do not have
    image(folder / paths[0] / "preview.png")
    if listed is not None:
        (tmp_path / "classes.txt").write_text(listed)
    with pytest.raises(DatasetError) as caught:
        list_images(folder, classes=tmp_path / "classes.txt" if listed else None)
    assert all(f"--data {folder / path}" in caught.value.remedy for path in paths)
    assert list_images(folder / paths[1]).classes == ["kind0", "kind1", "kind2"]


def test_listed_classes_may_have_the_same_subfolders(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        class_folders(tmp_path / "data" / name, range(2), 1, name="camera {}")
    with pytest.raises(DatasetError) as caught:
        list_images(tmp_path / "data")
    assert "--classes" in caught.value.remedy
    (tmp_path / "classes.txt").write_text("dog\ncat\n")
    found = list_images(tmp_path / "data", classes=tmp_path / "classes.txt")
    assert found.labels is not None
    assert found.labels.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "names",
    [
        ["cat/a/0.png", "cat/b/0.png", "dog/a/0.png", "dog/c/0.png"],
        ["cat/a/0.png", "cat/b/0.png", "dog/0.png"],
        ["cat/a/0.png", "dog/a/0.png"],
    ],
)
def test_classes_with_other_subfolders_are_classes(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        image(tmp_path / name)
    assert list_images(tmp_path).classes == ["cat", "dog"]


def test_a_folder_two_levels_too_high_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path / "archive" / "data" / "images")
    with pytest.raises(DatasetError) as caught:
        list_images(tmp_path / "archive")
    assert str(tmp_path / "archive" / "data" / "images") in caught.value.remedy


def test_a_command_refuses_folds(tmp_path: Path, refuses: Refuses) -> None:
    for part in ("fold1", "fold2"):
        class_folders(tmp_path / "data" / part, range(2))
    model = brightness_tflite(tmp_path / "model.tflite", range(2))
    error = refuses("run", model, "--data", "data", "--preprocess", "unit", kind=DatasetError)
    assert error.exit_code == 2
    assert "--data data/fold2" in error.remedy
