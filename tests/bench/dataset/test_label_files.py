"""Labels files of all forms that people write, and the columns in them."""

import os
from pathlib import Path

import pytest

from edge_bench.bench.dataset.image_list import ImageList, list_images
from edge_bench.bench.errors import DatasetError


def listed(
    root: Path, files: list[str], text: str | bytes, column: str | None = None, classes: str | None = None
) -> ImageList:
    for name in files:
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    if classes is not None:
        (root / "classes.txt").write_text(classes)
    return list_images(
        root / "images", root / "labels.csv", root / "classes.txt" if classes else None, label_column=column
    )


def labels_of(found: ImageList) -> list[int]:
    assert found.labels is not None
    return [int(label) for label in found.labels]


TWO = ["a.png", "b 1.png"]


@pytest.mark.parametrize(
    "text",
    [
        "a.png 4\nb 1.png 7\n",
        "a.png\t 4\nb 1.png 7\n",
        "a.png,4\nb 1.png,7\n",
        "a.png, 4\r\nb 1.png, 7\r\n",
        "a.png;4\nb 1.png;7",
        "a.png\t4\nb 1.png\t7\n\n",
        '"a.png" 4\n"b 1.png" 7\n',
        '"a.png","4"\n"b 1.png","7"\n',
        "4 a.png\n7 b 1.png\n",
        "filename,label\na.png,4\nb 1.png,7\n",
        "label,filename\n04,a.png\n007,b 1.png\n",
        "image;class\na.png;4\nb 1.png;7\n",
        "Bild;Klasse\na.png;4\nb 1.png;7\n",
        "a,4\nb 1,7\n",
        "a.jpg,4\nb 1.JPEG,7\n",
        "./a.png 4\n/data/images/b 1.png 7\n",
        "C:\\data\\images\\a.png,4\nC:\\data\\images\\b 1.png,7\n",
        "other.png,9\na.png,4\nb 1.png,7\nanother.png,8\n",
        "a.png,4\na.png,4\nb 1.png,7\n",
        "id,file,width,label\n0,a.png,8,4\n1,b 1.png,9,7\n",
        "file,class_id,class_name\na.png,4,cat\nb 1.png,7,dog\n",
        "4\n7\n",
        "label\n4\n7\n",
        "﻿a.png,4\nb 1.png,7\n",
        "a.png,4\nb 1.png,7\n".encode("utf-16"),
        "file\tlabel\r\na.png\t4\r\nb 1.png\t7\r\n".encode("utf-16"),
    ],
)
def test_numbers_are_read_as_written(tmp_path: Path, text: str | bytes) -> None:
    found = listed(tmp_path, TWO, text)
    assert (labels_of(found), found.order, found.classes) == ([4, 7], "numbers", [])


@pytest.mark.parametrize(
    "text",
    [
        "a.png golden retriever\nb.png ant\n",
        "a.png,golden retriever\nb.png,ant\n",
        'a.png,"golden retriever"\nb.png,"ant"\n',
        "golden retriever\nant\n",
    ],
)
def test_names_are_classes_in_alphabetical_order(tmp_path: Path, text: str) -> None:
    found = listed(tmp_path, ["a.png", "b.png"], text)
    assert (labels_of(found), found.order, found.classes) == ([1, 0], "alphabetical", ["ant", "golden retriever"])


def test_a_name_with_separators_and_accents(tmp_path: Path) -> None:
    composed, decomposed = "ni\u00f1o, 1.png", "nin\u0303o, 1.png"
    found = listed(tmp_path, [decomposed, "b.png"], f'"{composed}",3\nb.png,5\n')
    assert dict(zip(found.files, labels_of(found), strict=True)) == {decomposed: 3, "b.png": 5}


def test_names_that_are_not_utf8_match_by_their_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"ni\xf1o.png")
    found = listed(tmp_path, ["b.png", name], b"ni\xf1o.png,3\nb.png,5\n")
    assert dict(zip(found.files, labels_of(found), strict=True)) == {name: 3, "b.png": 5}


SAME_NAMES = ["left/0.png", "right/0.png"]


@pytest.mark.parametrize(
    "text",
    [
        "left/0.png 3\nright/0.png 7\n",
        "recordings/right/0.png 7\nrecordings/left/0.png 3\n",
        "right\\0.png,7\nleft\\0.png,3\n",
        "0.png 3\nright/0.png 7\n",
        "x/right/0.bmp 7\nx/left/0.bmp 3\n",
    ],
)
def test_equal_names_are_distinguished_by_their_folders(tmp_path: Path, text: str) -> None:
    assert labels_of(listed(tmp_path, SAME_NAMES, text)) == [3, 7]


def test_the_folders_above_the_data_count(tmp_path: Path) -> None:
    found = listed(tmp_path / "val", ["a.png"], "train/images/a.png 3\nval/images/a.png 7\n")
    assert labels_of(found) == [7]


@pytest.mark.parametrize("files", [["img2.png", "img10.png"], ["1/2.png", "1/10.png"], ["9/a.png", "10/a.png"]])
def test_labels_without_names_are_refused_if_the_order_of_the_files_matters(tmp_path: Path, files: list[str]) -> None:
    with pytest.raises(DatasetError) as caught:
        listed(tmp_path, files, "label\n3\n7\n")
    assert "line 2" in caught.value.problem
    assert all(file in caught.value.problem for file in files)
    assert labels_of(listed(tmp_path, files, "3\n3\n")) == [3, 3]
    assert sorted(labels_of(listed(tmp_path, files, f"{files[0]} 3\n{files[1]} 7\n"))) == [3, 7]


def test_labels_without_names_are_in_the_order_of_padded_names(tmp_path: Path) -> None:
    found = listed(tmp_path, ["img10.png", "img02.png"], "3\n7\n")
    assert dict(zip(found.files, labels_of(found), strict=True)) == {"img02.png": 3, "img10.png": 7}


FIVE = ["a.png", "b.png", "c.png", "d.png", "e.png"]


@pytest.mark.parametrize("other", ["NA", "unknown", "?", "nan", "12a"])
@pytest.mark.parametrize("form", ["{file},{label}\n", "{label}\n"])
def test_a_label_that_is_no_number_among_numbers_is_refused_naming_its_line(
    tmp_path: Path, form: str, other: str
) -> None:
    labels = ["0", "1", other, "1", "0"]
    text = "".join(form.format(file=file, label=label) for file, label in zip(FIVE, labels, strict=True))
    with pytest.raises(DatasetError) as caught:
        listed(tmp_path, FIVE, text)
    assert f"line 3: label {other} " in caught.value.problem
    with pytest.raises(DatasetError):
        listed(tmp_path, FIVE, text, classes="0 ant\n1 bee\n2 cow\n")
    assert labels_of(listed(tmp_path, FIVE, text, classes=f"1\n{other}\n0\n")) == [2, 0, 1, 0, 2]


def test_names_of_which_few_are_numbers_are_names(tmp_path: Path) -> None:
    found = listed(tmp_path, FIVE[:3], "a.png 7\nb.png up\nc.png quark\n")
    assert (labels_of(found), found.classes) == ([0, 2, 1], ["7", "quark", "up"])


def test_images_in_other_folders_than_in_the_labels_file_cause_a_note(tmp_path: Path) -> None:
    found = listed(tmp_path, ["cats/1.png", "dogs/2.png"], "all/1.png 3\nall/2.png 7\n")
    assert labels_of(found) == [3, 7]
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("files", "text", "mentioned"),
    [
        (SAME_NAMES, "0.png 3\n", "0.png"),
        (SAME_NAMES, "a/0.png 3\nb/0.png 7\n", "lines 1 and 2"),
        (SAME_NAMES, "left/0.png 3\n", "right/0.png"),
        (["a.png"], "a.png 3\na.png 4\n", "lines 1 and 2"),
        (["a.png"], "train/a.png 3\nval/a.png 4\n", "lines 1 and 2"),
        (["a.png"], "a.jpg 3\na.gif 4\n", "lines 1 and 2"),
        (["a.jpg", "a.png"], "a 3\n", "line 1"),
        (TWO, "file,label\nc.png,3\nd.png,4\n", "a.png"),
        (TWO, "a.png,3\nb 1.png,\n", "b 1.png"),
        (TWO, "a.png\nb 1.png\n", "a.png"),
        (TWO, "a.png,-1\nb 1.png,4\n", "-1"),
        (TWO, "a.png,65535\nb 1.png,4\n", "65535"),
        (TWO, "a.png,3\nb 1.png,99999999999999999999999\n", "line 2"),
        (TWO, "a.png,3.0\nb 1.png,4.0\n", "3.0"),
        (TWO, "a.png,3,cat\nb 1.png,4,dog\n", "--label-column"),
        (TWO, "file,class_id,label\na.png,3,1\nb 1.png,4,2\n", "class_id"),
        (TWO, "file,class_id,class_name\na.png,3,cat\nb 1.png,4,cat\n", "class_id"),
        (TWO, "a.png,4\nb 1.png,7,0.98\n", "b 1.png"),
        (["a.png", "b.png"], "a.png 4\nb.png 7 0.98\n", "b.png"),
        (TWO, b"\x00\x01", "labels.csv"),
    ],
)
def test_ambiguous_missing_and_impossible_labels_are_refused(
    tmp_path: Path, files: list[str], text: str | bytes, mentioned: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        listed(tmp_path, files, text)
    said = f"{caught.value.problem} {caught.value.remedy}"
    assert str(tmp_path / "labels.csv") in said
    assert mentioned in said


@pytest.mark.parametrize(("column", "expected"), [("breed", [1, 0]), ("2", [5, 6]), ("Age", [5, 6]), ("3", [1, 0])])
def test_a_column_is_selected_by_heading_or_number(tmp_path: Path, column: str, expected: list[int]) -> None:
    found = listed(tmp_path, TWO, "id,age,breed\na,5,pug\nb 1,6,boxer\n", column)
    assert labels_of(found) == expected


@pytest.mark.parametrize("column", ["colour", "0", "1", "9"])
def test_a_column_that_is_not_there_is_refused(tmp_path: Path, column: str) -> None:
    with pytest.raises(DatasetError) as caught:
        listed(tmp_path, TWO, "id,age,breed\na,5,pug\nb 1,6,boxer\n", column)
    assert "breed" in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (",fname,lbl\n0,a,5\n1,b 1,6\n", ["1 (no heading)", "3 (lbl)"]),
        (",file,size,class,label\n0,a,9,2,5\n1,b 1,9,2,6\n", ["4 (class)", "5 (label)", "1 (no heading)"]),
        ("a,5,pug\nb 1,6,boxer\n", ["2 (5 in the first line)", "3 (pug in the first line)"]),
    ],
)
def test_possible_columns_are_listed_with_the_likely_ones_first(tmp_path: Path, text: str, columns: list[str]) -> None:
    with pytest.raises(DatasetError) as caught:
        listed(tmp_path, TWO, text)
    assert ", ".join(columns) in caught.value.remedy


def test_the_chosen_column_is_noted(tmp_path: Path) -> None:
    found = listed(tmp_path, TWO, "file,width,label\na.png,5,0\nb 1.png,6,1\n")
    assert labels_of(found) == [0, 1]
    assert any("--label-column" in note for note in found.notes)


def test_names_are_preferred_to_numbers_if_the_outputs_have_names(tmp_path: Path) -> None:
    text = "file,class_id,class_name\na.png,1,dog\nb 1.png,2,cat\n"
    found = listed(tmp_path, TWO, text, classes="cat\nbird\ndog\n")
    assert (labels_of(found), found.order, found.classes) == ([2, 0], "stated", ["cat", "bird", "dog"])


def test_repeated_names_of_outputs_do_not_matter_to_numbers(tmp_path: Path) -> None:
    found = listed(tmp_path, TWO, "a.png 3\nb 1.png 1\n", classes="heron\ncrane\ndredger\ncrane\n")
    assert (labels_of(found), found.order) == ([3, 1], "numbers")
    assert found.classes == ["heron", "crane", "dredger", "crane"]


@pytest.mark.parametrize(
    ("numbers", "names", "expected"),
    [
        ("0\n2\n", "fox\nsetter\ntench\n", [0, 2]),
        ("1\n3\n", "fox\nsetter\ntench\n", [0, 2]),
        ("1\n2\n", "1 fox\n2 setter\n3 tench\n", [0, 1]),
        ("1\n2\n", "0 fox\n1 setter\n2 tench\n", [1, 2]),
        ("1\n2\n", "fox\nsetter\ntench\n", None),
        ("0\n3\n", "fox\nsetter\ntench\n", None),
        ("0\n1\n", "fox\ncrane\ncrane\n", None),
    ],
)
def test_names_of_numbers_count_from_0_or_1_only_if_that_is_certain(
    tmp_path: Path, numbers: str, names: str, expected: list[int] | None
) -> None:
    (tmp_path / "names.txt").write_text(names)
    (tmp_path / "labels.txt").write_text(numbers)
    for name in ("a.png", "b.png"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / name).touch()
    if expected is None:
        with pytest.raises(DatasetError):
            list_images(tmp_path / "images", tmp_path / "labels.txt", label_names=tmp_path / "names.txt")
        return
    found = list_images(tmp_path / "images", tmp_path / "labels.txt", label_names=tmp_path / "names.txt")
    assert (labels_of(found), found.order) == (expected, "alphabetical")
