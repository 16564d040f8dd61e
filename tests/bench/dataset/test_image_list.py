"""Lists of image files and their labels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.image_list import list_images
from edge_bench.bench.dataset.label_files import read_names
from edge_bench.bench.errors import DatasetError
from tests.bench.messages import numbers_in


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (9, 9, 9)).save(path)
    return path


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        picture(root / name)
    return root


def test_each_folder_is_a_class_in_alphabetical_order(tmp_path: Path) -> None:
    listed = list_images(folder_of(tmp_path, "dog/1.png", "cat/2.jpg", "cat/1.JPEG", "dog/sub/3.png"))
    assert listed.classes == ["cat", "dog"]
    assert listed.files == ["cat/1.JPEG", "cat/2.jpg", "dog/1.png", "dog/sub/3.png"]
    assert listed.labels is not None
    assert listed.labels.tolist() == [0, 0, 1, 1]
    assert listed.notes == ()


def test_a_file_decides_the_order_of_classes(tmp_path: Path) -> None:
    names = tmp_path / "classes.txt"
    names.write_text("dog\nbird\ncat\n")
    listed = list_images(folder_of(tmp_path / "images", "dog/1.png", "cat/1.png"), classes=names)
    assert listed.labels is not None
    assert (listed.classes, listed.labels.tolist()) == (["dog", "bird", "cat"], [2, 0])


def test_other_files_and_empty_classes_are_noted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "photos", "cat/1.png")
    (folder / "bird").mkdir()
    (folder / "cat" / "README.txt").write_text("not an image")
    listed = list_images(folder)
    assert listed.classes == ["bird", "cat"]
    assert listed.labels is not None
    assert listed.labels.tolist() == [1]
    other_files, empty_class = listed.notes
    assert "photos" in other_files
    assert 1 in numbers_in(other_files)
    assert "bird" in empty_class


def test_a_folder_of_images_has_no_labels(tmp_path: Path) -> None:
    assert list_images(folder_of(tmp_path, "b.png", "a.png")).labels is None


@pytest.mark.parametrize(
    "text", ["a.png 2\nb.png 0\n", "b.png,0\na.png,2\n", "images/b.png\t0\nimages/a.png\t2\n", "2\n0\n"]
)
def test_labels_by_file_or_by_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    listed = list_images(folder_of(tmp_path / "images", "a.png", "b.png"), labels=tmp_path / "labels.txt")
    assert listed.labels is not None
    assert listed.labels.tolist() == [2, 0]
    assert (listed.classes, listed.order) == ([], "numbers")


def test_labels_by_name(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a.png zebra\nb.png ant\n")
    listed = list_images(folder_of(tmp_path / "images", "a.png", "b.png"), labels=tmp_path / "labels.txt")
    assert listed.labels is not None
    assert (listed.classes, listed.labels.tolist()) == (["ant", "zebra"], [1, 0])


def test_ilsvrc_ids_are_mapped_by_their_names_to_the_alphabetical_order(tmp_path: Path) -> None:
    (tmp_path / "truth.txt").write_text("1\n3\n")
    (tmp_path / "ids.txt").write_text("n02119789 kit fox\nn02100735 English setter\nn01440764 tench\n")
    listed = list_images(
        folder_of(tmp_path / "images", "val_1.JPEG", "val_2.JPEG"),
        labels=tmp_path / "truth.txt",
        label_names=tmp_path / "ids.txt",
    )
    assert listed.classes == ["n01440764", "n02100735", "n02119789"]
    assert listed.labels is not None
    assert listed.labels.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("labels", "named"),
    [("1\n", ["1", "2"]), ("a.png 1\n", ["b.png"]), ("", []), ("99999999\n1\n", ["99999999"])],
)
def test_labels_that_do_not_match_the_images_are_refused(tmp_path: Path, labels: str, named: list[str]) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(labels)
    with pytest.raises(DatasetError) as caught:
        list_images(folder_of(tmp_path / "images", "a.png", "b.png"), labels=path)
    assert str(path) in caught.value.problem
    text = caught.value.problem.replace(str(path), "")
    assert all(value in text for value in named)


def test_images_outside_of_class_folders_unknown_classes_and_no_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        list_images(folder_of(tmp_path / "one", "cat/1.png", "loose.png"))
    assert "loose.png" in caught.value.problem
    (tmp_path / "classes.txt").write_text("dog\n")
    with pytest.raises(DatasetError) as caught:
        list_images(folder_of(tmp_path / "two", "cat/1.png"), classes=tmp_path / "classes.txt")
    assert "cat" in caught.value.problem
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError) as caught:
        list_images(tmp_path / "empty")
    assert str(tmp_path / "empty") in caught.value.problem


def test_a_binary_file_is_refused_as_a_list_of_names(tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    with pytest.raises(DatasetError) as caught:
        read_names(tmp_path / "names")
    assert str(tmp_path / "names") in caught.value.problem
