"""Folders as archives, file servers, notebooks and people leave them."""

import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.dataset.image_list import ImageList, list_images
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine, Refuses
from tests.made.brightness import level
from tests.made.images import SIDE, class_folders, image
from tests.made.onnx import brightness_onnx

NAMES = [str(k) for k in range(10)]


def decoded_right(found: ImageList, names: list[str]) -> int:
    """Return how many images have the brightness of their label's class in ``names``."""
    pixels = open_npy(decoded_images(found.folder, found.files, Geometry(SIDE, SIDE, 3), Silent()).pixels)
    assert found.labels is not None
    brightness = [names.index(found.classes[label]) if found.classes else label for label in found.labels]
    return sum(abs(int(each.mean()) - level(int(k))) < 10 for each, k in zip(pixels, brightness, strict=True))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("other", ["README.txt", "0/notes.md"])
def test_ten_classes_are_read_from_ten_folders(tmp_path: Path, other: str) -> None:
    folder = class_folders(tmp_path / "images")
    (folder / other).write_text("no image")
    found = list_images(folder)
    assert (found.classes, found.order) == (NAMES, "alphabetical")
    assert decoded_right(found, NAMES) == 40


@pytest.mark.parametrize(
    "left",
    [
        "__MACOSX/0/._0.png", "__macosx/0.png", ".ipynb_checkpoints/0.png", "3/.ipynb_checkpoints/0.png",
        "@eaDir/0.png", "3/@eaDir/0.png/SYNOPHOTO_THUMB.jpg", "#recycle/0.png", "lost+found/0.png",
        "$RECYCLE.BIN/S-1-5/0.png",
        "System Volume Information/0.png", ".git/0.png", ".Trash-1000/files/0.png", "__pycache__/0.png",
        "RECYCLER/0.png", "found.003/0.png", "_gsdata_/0.png", "3/_gsdata_/0.png", "TheVolumeSettingsFolder/0.png",
        "DfsrPrivate/0.png", "__MACOSX 2/0.png", "__MACOSX (1)/0.png", "CVS/0.png", "~$tmp/0.png", ".AppleDouble/0.png",
        "@Recycle/0.png", "Network Trash Folder/0.png", "3/.DS_Store", "Thumbs.db", "3/desktop.ini", "3/._0.png",
    ],
)  # fmt: skip
def test_files_of_other_programs_are_neither_classes_nor_images(tmp_path: Path, left: str) -> None:
    folder = class_folders(tmp_path / "images")
    image(folder / f"{left}.png", 9).rename(folder / left)
    found = list_images(folder)
    assert (found.classes, len(found.files)) == (NAMES, 40)
    skipped = next((part for part in left.split("/")[:-1] if part not in NAMES), None)
    assert [note for note in found.notes if skipped and skipped in note] == list(found.notes)
    assert len(found.notes) == (skipped is not None)


def test_a_linked_class_is_followed(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images", range(9))
    class_folders(tmp_path / "elsewhere", range(9, 10))
    (folder / "9").symlink_to("../elsewhere/9", target_is_directory=True)
    found = list_images(folder)
    assert found.classes == NAMES
    assert decoded_right(found, NAMES) == 40


def test_all_classes_and_files_may_be_links_even_to_the_same_folder(tmp_path: Path) -> None:
    class_folders(tmp_path / "elsewhere", range(1))
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).symlink_to(tmp_path / "elsewhere" / "0")
    (folder / "c").mkdir()
    (folder / "c" / "x.png").symlink_to(tmp_path / "elsewhere" / "0" / "0.png")
    found = list_images(folder)
    assert found.labels is not None
    assert Counter(found.labels.tolist()) == {0: 4, 1: 4, 2: 1}


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images")
    (folder / "3" / "all").symlink_to(folder)
    (folder / "4" / "again").symlink_to(folder / "4")
    found = list_images(folder)
    assert len(found.files) == 40
    (note,) = found.notes
    assert "3/all" in note
    assert "4/again" in note


def test_links_to_nothing_are_noted_and_refused_as_a_class(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images")
    (folder / "3" / "gone.png").symlink_to("/nowhere/gone.png")
    assert any("gone.png" in note for note in list_images(folder).notes)
    (folder / "99").symlink_to("/nowhere/99")
    with pytest.raises(DatasetError) as caught:
        list_images(folder)
    assert str(folder / "99") in caught.value.problem


@pytest.mark.parametrize(
    "parts",
    [["train", "val"], ["Train", "Test"], ["val"], ["training_set", "test_set"], ["train2017", "val2017"], ["TESTING"]],
)
@pytest.mark.parametrize("beside", [[], ["__MACOSX/a.png"], ["annotations/a.json"], ["empty/.keep"]])
def test_a_folder_of_parts_is_refused_naming_them(tmp_path: Path, parts: list[str], beside: list[str]) -> None:
    for part in parts:
        class_folders(tmp_path / "dataset" / part, range(3), 1)
    for name in beside:
        (tmp_path / "dataset" / name).parent.mkdir()
        (tmp_path / "dataset" / name).touch()
    with pytest.raises(DatasetError) as caught:
        list_images(tmp_path / "dataset")
    assert all(f"--data {tmp_path / 'dataset' / part}" in caught.value.remedy for part in parts)
    assert list_images(tmp_path / "dataset" / parts[0]).classes == ["0", "1", "2"]


def test_parts_beside_a_folder_of_other_images_are_refused(tmp_path: Path) -> None:
    for part in ("train", "val", "examples"):
        class_folders(tmp_path / part, range(3), 1)
    with pytest.raises(DatasetError):
        list_images(tmp_path)


def test_a_folder_of_other_files_may_be_a_class_only_if_listed(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "images", range(2), 1)
    (folder / "0 annotations").mkdir()
    (folder / "0 annotations" / "a.json").touch()
    with pytest.raises(DatasetError):
        list_images(folder)
    (tmp_path / "classes.txt").write_text("0\n1\n")
    found = list_images(folder, classes=tmp_path / "classes.txt")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train", "plane", "boat"):
        image(tmp_path / name / "0.png")
    assert list_images(tmp_path).classes == ["boat", "plane", "train"]


def test_a_folder_one_level_too_high_is_refused(tmp_path: Path) -> None:
    class_folders(tmp_path / "archive" / "images")
    with pytest.raises(DatasetError) as caught:
        list_images(tmp_path / "archive")
    assert str(tmp_path / "archive" / "images") in caught.value.remedy


def test_files_and_classes_may_have_any_name(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / os.fsdecode(b"d\xe4ta"), range(3), name="class {}")
    (folder / "class 0" / "0.png").rename(folder / "class 0" / os.fsdecode(b"ni\xf1o \n \x1b[31m.png"))
    (folder / "class 1").rename(folder / os.fsdecode(b"class 1 \xe9"))
    found = list_images(folder)
    names = ["class 0", r"class 1 \xe9", "class 2"]
    assert found.classes == names
    assert decoded_right(found, names) == 12


def test_a_class_list_in_latin_1_names_folders_in_latin_1(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "data", range(2))
    (folder / "1").rename(folder / os.fsdecode(b"\xe9"))
    (tmp_path / "classes.txt").write_bytes(b"\xe9\n0\n")
    found = list_images(folder, classes=tmp_path / "classes.txt")
    assert found.labels is not None
    assert (found.classes, found.labels.tolist()) == ([r"\xe9", "0"], [1] * 4 + [0] * 4)


def test_a_class_list_in_another_form_of_unicode_names_the_folders(tmp_path: Path) -> None:
    folder = class_folders(tmp_path / "data", range(2))
    (folder / "1").rename(folder / unicodedata.normalize("NFD", "é"))
    (tmp_path / "classes.txt").write_text("é\n0\n")
    found = list_images(folder, classes=tmp_path / "classes.txt")
    assert found.labels is not None
    assert found.labels.tolist() == [1] * 4 + [0] * 4


@pytest.mark.parametrize(
    ("text", "columns"), [("{name},{k}", 2), ("{name}\t{k}", 2), ("{name} {k}", 2), ("{name};x;{k}", 3)]
)
def test_names_of_photos_with_blanks_and_brackets(tmp_path: Path, text: str, columns: int) -> None:
    lines = []
    for k in range(10):
        name = f"Photo {k} (edited).png"
        image(tmp_path / "phone" / name, k)
        lines.append(text.format(name=name, k=k))
    (tmp_path / "labels").write_text("\n".join(lines) + "\n")
    found = list_images(tmp_path / "phone", tmp_path / "labels", label_column="3" if columns == 3 else None)
    assert found.order == "numbers"
    assert decoded_right(found, NAMES) == 10


@pytest.mark.parametrize("numbered", [True, False])
def test_a_numbered_class_list_states_the_outputs(tmp_path: Path, numbered: bool) -> None:
    folder = class_folders(tmp_path / "data", range(4), name="kind{}")
    (tmp_path / "classes.txt").write_text("".join(f"{k} kind{k}\n" if numbered else f"kind{k}\n" for k in range(4)))
    found = list_images(folder, classes=tmp_path / "classes.txt")
    assert (found.order, found.classes) == ("stated", [f"kind{k}" for k in range(4)])
    assert decoded_right(found, found.classes) == 16


def test_options_of_a_labels_file_need_one(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        list_images(class_folders(tmp_path / "data"), label_column="label")


@pytest.mark.slow
def test_a_run_of_names_that_are_not_utf8(tmp_path: Path, edge_bench: CommandLine) -> None:
    folder = class_folders(tmp_path / os.fsdecode(b"d\xe4ta"))
    (folder / "4" / "0.png").rename(folder / "4" / os.fsdecode(b"ni\xf1o.png"))
    (folder / "9").rename(folder / os.fsdecode(b"9 \xe9"))
    model = brightness_onnx(tmp_path / "model.onnx", range(10)).rename(tmp_path / os.fsdecode(b"mod\xe8le.onnx"))
    results = tmp_path / os.fsdecode(b"r\xe9sultats")
    done = edge_bench(
        "run", model, "--data", folder, "--preprocess", "unit", "--trials", 2, "--processes", 1, "--results", results,
        PYTHONIOENCODING="utf-8:strict",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = read_run(next(results.glob("run-*.json")))
    assert [trial.correct for trial in run.results[0].trials] == [40, 40]
    assert (run.results[0].configuration.variant, run.bundle.classes[9]) == (r"mod\xe8le", r"9 \xe9")
    assert run.bundle.dataset.endswith(r"/d\xe4ta")


def test_a_command_refuses_a_folder_of_parts(tmp_path: Path, refuses: Refuses) -> None:
    for part in ("train", "val"):
        class_folders(tmp_path / "dataset" / part, range(2), 1)
    brightness_onnx(tmp_path / "model.onnx", range(10))
    error = refuses("run", tmp_path / "model.onnx", "--data", tmp_path / "dataset", kind=DatasetError)
    assert "dataset/val" in error.remedy
