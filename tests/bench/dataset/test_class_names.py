"""Lists of class names as they come with models."""

import pytest

from edge_bench.bench.dataset.label_files import index_names, output_names
from edge_bench.bench.errors import DatasetError

FOUR = ["kind0", "kind1", "kind2", "kind3"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (FOUR, [0, 3]),
        (["0 kind0", "1 kind1", "2 kind2", "3 kind3"], [0, 3]),
        (["1 kind0", "2 kind1", "3 kind2", "4 kind3"], [0, 3]),
        (["0: kind0", "1: kind1", "2: kind2", "3: kind3"], [0, 3]),
        (["0,kind0", "1,kind1", "2,kind2", "3,kind3"], [0, 3]),
        (["id,name", "0,kind0", "1,kind1", "2,kind2", "3,kind3"], [0, 3]),
        (["0\tkind0", "1\tkind1", "2\tkind2", "3\tkind3", ""], [0, 3]),
        (["3 kind0", "0 kind3"], [3, 0]),
        (["Kind0", "KIND3"], [0, 1]),
        (["kind3", "other", "kind0"], [2, 0]),
        (['"kind0"', '"kind1"', '"kind2"', '"kind3"'], [0, 3]),
        (['"kind3, red"', "kind3", '"other"', '"kind0"'], [3, 1]),
        (["0. kind0", "1. kind1", "2. kind2", "3. kind3"], [0, 3]),
        (["1) kind0", "2) kind1", "3) kind2", "4) kind3"], [0, 3]),
        (["3.kind0", "0.kind3"], [3, 0]),
        (['"3) kind0"', '"0) kind3"'], [3, 0]),
        (['"id","name"', '"3","kind0"', '"0","kind3"'], [3, 0]),
    ],
)
def test_each_name_has_the_output_of_its_line_or_number(lines: list[str], expected: list[int]) -> None:
    assert list(index_names("list", lines, ["kind0", "kind3"]).values()) == expected


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("n01440764", "n01440764 tench, Tinca tinca"),
        ("tench, Tinca tinca", "n01440764 tench, Tinca tinca"),
        ("tench", "n01440764 tench, Tinca tinca"),
        ("n01440764-tench", "n01440764 tench, Tinca tinca"),
        ("golden_retriever", "golden retriever"),
        ("Golden retriever", "golden_retriever"),
        ("7", "7 cat"),
    ],
)
def test_a_name_is_found_in_the_forms_that_people_use(wanted: str, line: str) -> None:
    others = ["0 dog", "7 cat"] if line == "7 cat" else ["dog", "cat", line]
    assert index_names("list", others, [wanted, "dog"]) == {wanted: 7 if line == "7 cat" else 2, "dog": 0}


def test_names_that_begin_with_numbers_are_not_numbered() -> None:
    assert index_names("list", ["1 euro", "2 euro", "5 euro"], ["5 euro"]) == {"5 euro": 2}
    assert index_names("list", ["1.5 l", "0.5 l"], ["0.5 L"]) == {"0.5 L": 1}


def test_a_repeated_name_matters_only_if_it_is_wanted() -> None:
    lines = ["heron", "crane", "dredger", "crane"]
    assert index_names("list", lines, ["heron", "dredger"]) == {"heron": 0, "dredger": 2}
    with pytest.raises(DatasetError):
        index_names("list", lines, ["heron", "crane"])


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["cat", "dog"], ["bird"]),
        (["cat", "", "dog"], ["dog"]),
        ([], ["dog"]),
        (["3 cat", "3 dog"], ["dog"]),
        (["99999 cat", "3 dog"], ["dog"]),
        (["cat"], ["Cat", "cAt"]),
        (["Cat", "CAT"], ["cat"]),
    ],
)
def test_missing_ambiguous_and_contradictory_names_are_refused(lines: list[str], wanted: list[str]) -> None:
    with pytest.raises(DatasetError) as caught:
        index_names("the list", lines, wanted)
    assert "the list" in caught.value.problem


def test_quotation_marks_are_no_part_of_names() -> None:
    assert output_names("list", ['"dog"', '"a ""big"" cat, red"', "owl"]) == ["dog", 'a "big" cat, red', "owl"]


def test_outputs_without_a_line_are_unnamed() -> None:
    assert output_names("list", ["2 cat", "0 dog"]) == ["dog", "output 1", "cat"]
