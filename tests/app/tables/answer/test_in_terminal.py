"""`compare`, `run` and `fleet run` in a real terminal of 80, 100 and 140 columns."""

import json
from pathlib import Path

import pytest

from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import write_run
from tests.app.cli.terminal import in_terminal
from tests.command_line import call
from tests.models import INTERPRETERS
from tests.nine_configurations import nine, on_pi

WIDTHS = (80, 100, 140)


def written(folder: Path, *runs: Run) -> None:
    folder.mkdir()
    for each in runs:
        write_run(each, folder)


@pytest.mark.slow
@pytest.mark.parametrize("columns", WIDTHS)
def test_compare_of_two_machines_fits_the_terminal(columns: int, tmp_path: Path) -> None:
    written(tmp_path / "runs", nine(), on_pi())
    shown = in_terminal("compare", "runs", columns=columns, cwd=tmp_path)
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
    shown = in_terminal("compare", "runs", columns=columns, cwd=tmp_path)
    assert len(shown) <= 30
    assert max(map(len, shown)) <= columns
    assert shown[0].startswith("Fastest: dynamic on litert, ")
    assert sum(line.split()[:1] == ["int8"] for line in shown) == 2


@pytest.mark.slow
def test_compare_all_columns_and_all_notes(tmp_path: Path) -> None:
    written(tmp_path / "runs", nine())
    shown = in_terminal("compare", "runs", "--wide", "--why", columns=140, cwd=tmp_path)
    assert shown[0].startswith("Fastest: dynamic on litert, ")
    text = "\n".join(shown)
    assert "time ×" in text
    assert "where the time comes from" in text


@pytest.mark.slow
def test_run_fits_the_terminal_and_ends_with_the_next_command(tmp_path: Path, digits_bundle: Bundle) -> None:
    runtimes = ",".join(["tensorflow", *INTERPRETERS])
    quick = ("--runtime", runtimes, "--trials", 4, "--processes", 2, "--limit", 40)
    shown = in_terminal("run", digits_bundle.folder, *quick, columns=80, cwd=tmp_path)
    assert len(shown) <= 30
    (path,) = (tmp_path / "results").glob("run-*.json")
    end = " ".join(shown[-2:])
    assert f"saved: results/{path.name}" in end
    assert end.endswith("next: edge-bench report results")
    assert shown[0].startswith(("Fastest: ", "No clear winner: "))
    again = in_terminal("run", digits_bundle.folder, *quick, "--once", columns=80, cwd=tmp_path)
    assert again == shown


@pytest.fixture
def fleet(tmp_path: Path, digits_bundle: Bundle) -> tuple[object, ...]:
    """The command that shows a fleet's stored Runs again, of which one machine cannot be reached."""
    file = tmp_path / "fleet.toml"
    names = ("desk", "pi", "nobody")
    file.write_text("".join(f'[[engine]]\nname = "{name}"\nurl = "unix:///nowhere/{name}.sock"\n' for name in names))
    file.chmod(0o644)
    words = ("fleet", "run", digits_bundle.folder, "--fleet", file)
    assert call(*words, cwd=tmp_path).returncode == 1
    (state,) = (tmp_path / "results").glob("fleet-*/state.json")
    record = json.loads(state.read_bytes())
    for device, run in zip(record["devices"], (nine(), on_pi()), strict=False):
        path = write_run(run, tmp_path / "results")
        device |= {"state": "done", "reason": "", "remedy": "", "run_file": path.name, "run_id": run.run_id}
    state.write_text(json.dumps(record))
    return (*words, "--resume")


@pytest.mark.slow
def test_fleet_run_fits_the_terminal(fleet: tuple[object, ...], tmp_path: Path) -> None:
    for columns in WIDTHS:
        shown = in_terminal(*fleet, columns=columns, cwd=tmp_path, code=1)
        assert len(shown) <= 30
        assert max(map(len, shown)) <= columns
        assert shown[0].startswith("Fastest: desk with dynamic on litert, 0.0")
        assert "× faster than pi" in shown[1]
        assert "reliable" in shown[2]
        assert sum(line.startswith("! nobody lost: ") for line in shown[3:6]) == 1
        rows = [line for line in shown if line[2:].startswith(("desk ", "pi "))]
        assert [row[0] for row in rows] == ["▸", " "]
        assert shown[-1] == "next: edge-bench report results"
    wide = call(*fleet, "--wide", "--why", cwd=tmp_path).stdout
    assert "time ×" in wide
    rows = json.loads(call(*fleet, "--format", "json", cwd=tmp_path).stdout)
    assert [(row["engine"], row["fastest"], row["verdict_reliable"]) for row in rows] == [
        ("desk", True, None), ("pi", False, False), ("nobody", None, None),
    ]  # fmt: skip
