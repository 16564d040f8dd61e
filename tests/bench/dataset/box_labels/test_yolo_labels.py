"""True boxes from YOLO's label files."""

import os
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.dataset.box_labels.yolo import find_label_files, read_yolo
from edge_bench.bench.errors import DatasetError
from edge_bench.bench.tasks.detection.boxes import Category, GroundTruth

SIZE = np.array([[200, 100]])


def write(folder: Path, *names: str, text: str = "0 0.5 0.5 0.1 0.2\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder: Path, text: str | bytes, names: list[str] | None = None) -> GroundTruth:
    path = folder / "a.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_yolo([path], ["a.jpg"], SIZE, names)


def test_shares_become_pixels(tmp_path: Path) -> None:
    truth = read(tmp_path, "1 0.5 0.5 0.1 0.2\r\n\r\n 0\t0 0 0 0 \n2 0.25 0.5 0.5 1.0", ["cat", "dog", "cow"])
    assert truth.images[0].corners == pytest.approx(np.array([[90, 40, 110, 60], [0, 0, 0, 0], [0, 0, 100, 100]]))
    assert truth.images[0].categories.tolist() == [1, 0, 2]
    assert not truth.images[0].crowd.any()
    assert truth.categories == (Category(0, "cat"), Category(1, "dog"), Category(2, "cow"))


def test_images_without_objects(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", text="")
    write(tmp_path, "c.txt", text="1 0.5 0.5 1 1")
    truth = read_yolo([tmp_path / "a.txt", None, tmp_path / "c.txt"], ["a", "b", "c"], np.repeat(SIZE, 3, 0), None)
    assert [len(each.corners) for each in truth.images] == [0, 0, 1]
    assert len(truth.categories) == 2
    assert len(truth.notes) == 1
    assert read_yolo([None], ["a"], SIZE, None).categories == ()


@pytest.mark.parametrize(
    "text",
    [
        "0 0.5 0.5 0.1",
        "0 0.5 0.5 0.1 0.2 0.9",  # predictions
        "0 0.1 0.1 0.2 0.2 0.3 0.1",  # an outline
        "dog 0.5 0.5 0.1 0.2",
        "0 0.5 0.5 0.1 x",
        "0.5 0.5 0.5 0.1 0.2",
        "-1 0.5 0.5 0.1 0.2",
        "1e9 0.5 0.5 0.1 0.2",
        "nan 0.5 0.5 0.1 0.2",
        "0 nan 0.5 0.1 0.2",
        "0 0.5 inf 0.1 0.2",
        "0 100 50 20 20",  # pixels
        "0 0.99 0.5 0.1 0.2",  # outside by 8 pixels
        "0 0.5 0.5 -0.1 0.2",
        "0 0.5 0.5 0.1 0.2\n0 0.50 0.5 0.1 0.2",
        "3 0.5 0.5 0.1 0.2",
        b"\xff\xfe0",
        b"\x89PNG\r\n\x1a\n\0\xf1",
    ],
)
def test_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(DatasetError) as refused:
        read(tmp_path, text, ["a", "b", "c"])
    assert "a.txt" in refused.value.problem
    assert "\n" not in refused.value.problem
    assert refused.value.remedy


LAYOUTS = {
    "images and labels, then parts": ("images/val/{}.jpg", "labels/val/{}.txt"),
    "parts, then images and labels": ("val/images/{}.jpg", "val/labels/{}.txt"),
    "labels beside the images": ("val/{}.jpg", "val/labels/{}.txt"),
    "each label beside its image": ("val/{}.jpg", "val/{}.txt"),
}


@pytest.mark.parametrize(("image", "label"), LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_layouts(tmp_path: Path, image: str, label: str, depth: int) -> None:
    """The folder of the images may be named at any level."""
    names = ["0001", "b c", "nin\u0303o", "\udcf1", "x.y"]
    for name in names:
        write(tmp_path, label.format(name.replace("n\u0303", "\u00f1")))
    write(tmp_path, label.format("readme").replace("readme", "classes"), text="person\n")
    parts = image.split("/")
    folder = tmp_path.joinpath(*parts[: min(depth, len(parts) - 1)])
    files = ["/".join(parts[min(depth, len(parts) - 1) :]).format(name) for name in names]
    found = find_label_files(folder, files)
    assert [path.name if path else None for path in found.labels] == [
        f"{name}.txt".replace("n\u0303", "\u00f1") for name in names
    ]
    assert all(path.exists() for path in found.labels if path)


def test_a_named_folder(tmp_path: Path) -> None:
    write(tmp_path / "boxes", "a.txt", "sub/b.txt")
    files = ["images/a.jpg", "images/sub/b.jpg"]
    assert find_label_files(tmp_path, files, tmp_path / "boxes").labels == [
        tmp_path / "boxes" / "a.txt", tmp_path / "boxes" / "sub" / "b.txt",
    ]  # fmt: skip
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, files, tmp_path / "none")
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["z.jpg"], tmp_path / "boxes")


def test_images_without_labels_or_labels_without_images_but_not_both(tmp_path: Path) -> None:
    write(tmp_path / "labels", "a.txt", "b.txt")
    assert find_label_files(tmp_path, ["a.jpg"]).labels == [tmp_path / "labels" / "a.txt"]
    assert find_label_files(tmp_path, ["a.jpg", "b.jpg", "c.jpg"]).labels[2] is None
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["a.jpg", "c.jpg"])


def test_labels_that_are_nowhere_twice_or_shared(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["a.jpg"])
    write(tmp_path, "labels/a.txt")
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["a.jpg", "a.png"])
    write(tmp_path, "a.txt")
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["a.jpg"])


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(DatasetError):
        read_yolo([tmp_path / "a.txt"], ["a.jpg"], SIZE, None)


def test_masks_are_set_aside_and_other_folders_without_labels_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "labels", "a.txt", "b.txt")
    found = find_label_files(tmp_path, ["a.jpg", "b.jpg", "masks/a.png"])
    assert (found.files, len(found.labels), len(found.notes)) == (["a.jpg", "b.jpg"], 2, 1)
    with pytest.raises(DatasetError):
        find_label_files(tmp_path, ["a.jpg", "b.jpg", "night/a.png", "night/c.png"])
