"""Files of class names in folders of YOLO labels."""

from pathlib import Path

import pytest

from edge_bench.bench.dataset.box_labels.names import find_name_file, read_class_names
from edge_bench.bench.errors import DatasetError

pytest.importorskip("yaml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "cat\nno\n12\n"),
        ("data.yaml", "nc: 3\nnames: ['cat', 'no', '12']\n"),
        ("data.yaml", "names: [cat, no, 12]\n"),  # YAML's False and 12 elsewhere
        ("data.yaml", "path: ../x\nnames:\n  0: cat\n  1: no\n  2: 12\n"),
        ("dataset.yml", "names:\n- cat\n- no\n- 12\n"),
        ("data.yaml", "names: !!python/object/apply:os.abort [cat, no, 12]"),  # nothing is called
    ],
)
def test_names(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_class_names(tmp_path / name) == ["cat", "no", "12"]


@pytest.mark.parametrize(
    "text",
    [
        "", "nc: 2", "names: cat", "names: []", "names: [[a]]", "names: {0: a, 2: b}", "names: {a: 0}",
        "nc: 3\nnames: [a]", "names: [a, a]", "names: [a, '']", "[", "- a", "a: &a [*a]", "x: " + "[" * 5000, "\0",
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError):
        read_class_names(tmp_path / "data.yaml")


def test_files_up_to_two_levels_above(tmp_path: Path) -> None:
    images = tmp_path / "images" / "val"
    labels = tmp_path / "labels" / "val"
    images.mkdir(parents=True)
    labels.mkdir(parents=True)
    assert find_name_file([images, labels]) is None
    (tmp_path / "data.yaml").write_text("names: [a, b]")
    assert find_name_file([images, labels]) == tmp_path / "data.yaml"
    (labels / "classes.txt").write_text("a\nb\n")
    assert find_name_file([images, labels]) == labels / "classes.txt"


def test_two_files_that_differ(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: [a, b]")
    (tmp_path / "classes.txt").write_text("a\nb\n")
    assert find_name_file([tmp_path]) == tmp_path / "classes.txt"
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "classes.txt").write_text("b\na\n")
    with pytest.raises(DatasetError):
        find_name_file([tmp_path / "labels"])
