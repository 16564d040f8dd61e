"""The classes of the values in true masks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.tasks.segmentation.mask_values import IGNORED, MaskValues, parse_ignored, read_mask_values
from tests.bench.messages import numbers_in

NAMES = ["background", "dining table", "7", "cat"]


def classes_of(values: MaskValues, *pixels: int) -> list[int]:
    found: list[int] = values.classes_of(np.array([pixels], np.uint16), Path("m.png"))[0].tolist()
    return found


def written(folder: Path, text: str) -> Path:
    path = folder / "values.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_values_are_class_numbers_and_nothing_is_ignored_unless_stated() -> None:
    assert classes_of(MaskValues(4), 0, 1, 3) == [0, 1, 3]
    for value in (4, 255, 65_535):
        with pytest.raises(DatasetError) as caught:
            classes_of(MaskValues(4), 0, value)
        assert numbers_in(caught.value.problem) == [value, 0, 1, 4]
    assert classes_of(MaskValues(4, ignored=(0, 255)), 0, 1, 255) == [IGNORED, 1, IGNORED]


def test_stated_values_and_all_others(tmp_path: Path) -> None:
    text = "# a comment\n\n0 ignore\n17\tcat\n67  dining table \n5 7\n9 0\n* background\n"
    values = read_mask_values(written(tmp_path, text), NAMES, ignored=(255,))
    assert classes_of(values, 0, 17, 67, 5, 9, 42, 255) == [IGNORED, 3, 1, 2, 0, 0, IGNORED]
    only = read_mask_values(written(tmp_path, "\ufeff1 cat\n1 cat\n"), NAMES)
    assert classes_of(only, 1) == [3]
    for value in (0, 2, 3):  # a file states all values
        with pytest.raises(DatasetError):
            classes_of(only, value)
    assert classes_of(read_mask_values(written(tmp_path, "1 cat\n* ignore"), NAMES), 1, 9) == [3, IGNORED]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("0 dog", 1),
        ("1 cat\n0", 2),
        ("cat 0", 1),
        ("-1 cat", 1),
        ("65536 cat", 1),
        ("1.0 cat", 1),
        ("1 cat\n1 background", 2),
        ("* cat\n2 cat\n* background", 3),
        ("1 4", 1),
        ("² cat", 1),
    ],
)
def test_lines_that_say_nothing_or_contradict_are_refused(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(DatasetError) as caught:
        read_mask_values(written(tmp_path, text), NAMES)
    assert line in numbers_in(caught.value.problem.removeprefix(str(tmp_path)))
    assert caught.value.exit_code == 2


def test_files_that_are_missing_or_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("binary", "missing", "."):
        with pytest.raises(DatasetError):
            read_mask_values(tmp_path / name, NAMES)


@pytest.mark.parametrize(("text", "values"), [("0", (0,)), ("0,255", (0, 255)), (" 1 , 65535", (1, 65_535))])
def test_lists_of_ignored_values(text: str, values: tuple[int, ...]) -> None:
    assert parse_ignored(text) == values


@pytest.mark.parametrize("text", ["", "a", "-1", "256,", "65536", "1.5", "1 2", "1" * 9, "²"])
def test_other_lists_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_ignored(text)


def test_classes_and_values_that_do_not_exist_are_refused() -> None:
    bad: list[list[Any]] = [[0], [65_001], [4, (65_536,)], [4, (), {1: 4}], [4, (), {-1: 0}], [4, (), {}, 4]]
    for arguments in bad:
        with pytest.raises(BadInput):
            MaskValues(*arguments)
