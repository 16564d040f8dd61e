"""`compare` and `run` in a real terminal of 80, 100 and 140 columns."""

from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import write_run
from tests.app.cli.terminal import shown_in_terminal
from tests.nine_configurations import nine, on_pi

WIDTHS = (80, 100, 140)


def in_terminal(*arguments: object, columns: int, cwd: Path) -> tuple[int, list[str]]:
    """Run a command with stdout in a terminal of this width; return its exit code and the lines without colours."""
    done = shown_in_terminal(*arguments, columns=columns, cwd=cwd, stderr=cwd / "stderr")
    assert done.code == 0, (cwd / "stderr").read_text()
    return done.code, done.lines


def written(folder: Path, *runs: Run) -> None:
    folder.mkdir()
    for each in runs:
        write_run(each, folder)


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_compare_of_two_machines_fits_the_terminal(columns: int, tmp_path: Path) -> None:
    written(tmp_path / "runs", nine(), on_pi())
    _, shown = in_terminal("compare", "runs", columns=columns, cwd=tmp_path)
    assert len(shown) <= 40
    assert max(map(len, shown)) <= columns
    assert shown[0].startswith("Fastest: dynamic on litert (desk), ")
    assert "faster than keras on desk" in shown[1]
    assert "reliable" in shown[2]
    assert sum(line.startswith("▸") for line in shown) == 1
    assert shown[-1] == "next: edge-bench report runs"


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_compare_of_one_machine_fits_the_terminal(columns: int, tmp_path: Path) -> None:
    written(tmp_path / "runs", nine())
    _, shown = in_terminal("compare", "runs", columns=columns, cwd=tmp_path)
    assert len(shown) <= 30
    assert max(map(len, shown)) <= columns
    assert shown[0].startswith("Fastest: dynamic on litert, ")
    assert sum(line.split()[:1] == ["int8"] for line in shown) == 2


@pytest.mark.slow
def test_compare_all_columns_and_all_notes(tmp_path: Path) -> None:
    written(tmp_path / "runs", nine())
    _, shown = in_terminal("compare", "runs", "--wide", "--why", columns=140, cwd=tmp_path)
    assert shown[0].startswith("Fastest: dynamic on litert, ")
    text = "\n".join(shown)
    assert "time ×" in text
    assert "where the time comes from" in text


@pytest.mark.slow
def test_run_fits_the_terminal_and_ends_with_the_next_command(tmp_path: Path, digits_bundle: Bundle) -> None:
    quick = ("--trials", 4, "--processes", 2, "--limit", 40)
    _, shown = in_terminal("run", digits_bundle.folder, *quick, columns=80, cwd=tmp_path)
    assert len(shown) <= 30
    (path,) = (tmp_path / "results").glob("run-*.json")
    end = " ".join(shown[-2:])
    assert f"saved: results/{path.name}" in end
    assert end.endswith("next: edge-bench report results")
    assert shown[0].startswith(("Fastest: ", "No clear winner: "))
    _, again = in_terminal("run", digits_bundle.folder, *quick, "--once", columns=80, cwd=tmp_path)
    assert again == shown
