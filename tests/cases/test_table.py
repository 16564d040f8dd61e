"""The tables in docs/real-data.md name the tests of each kind of problem."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.command_line import REPOSITORY

PAGE = REPOSITORY / "docs" / "real-data.md"
#: Kinds of problems that were found in public reports.
KINDS = 26


def rows() -> list[list[str]]:
    """Return the cells of all rows of the tables, without headings."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    return [cells for cells in lines if cells[0] != "problem" and not cells[0].startswith("---")]


def named() -> set[str]:
    return {name for row in rows() for name in re.findall(r"`(tests/[^`]+::\w+)`", row[-1])}


def functions_in(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield f"{path.relative_to(REPOSITORY)}::{node.name}"


def test_every_kind_names_a_test_that_exists() -> None:
    files = {name.split("::")[0] for name in named()}
    existing = {test for file in files for test in functions_in(REPOSITORY / file)}
    assert named() - existing == set()
    assert [row[0] for row in rows() if "::" not in row[-1]] == []
    assert len(rows()) >= KINDS


def test_every_test_of_a_case_is_in_the_tables() -> None:
    cases = {test for path in Path(__file__).parent.glob("test_*.py") for test in functions_in(path)}
    assert cases - named() == set(functions_in(Path(__file__)))
