"""The option --budget and the default budget of an image."""

from pathlib import Path

import pytest

from edge_bench.app.cli import parsing
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.duration.fitting import Budget
from edge_bench.bench.measure.run_budget import DEFAULT_BUDGET, run_budget
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine, Refuses


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2 min", 120), ("45", 45), ("1H 1M 1S", 3661)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parsing.duration(text) == seconds


@pytest.mark.parametrize("text", ["soon", "0s", "-5m", "5 parsecs", "1.5h", "m", "9999h", "5m5m", "½h", "nan"])
def test_other_texts_are_refused(text: str, refuses: Refuses, digits_bundle: Bundle, tmp_path: Path) -> None:
    for command in (
        ("run", digits_bundle.folder),
        ("all",),
        ("fleet", "run", digits_bundle.folder, "--engine", "unix:///nowhere"),
    ):
        refused = refuses(*command, f"--budget={text}", kind=BadInput)
        assert "--budget" in refused.problem
    assert not list(tmp_path.rglob("run-*"))


def budget(text: str | None, settings: Settings, stated: set[str], results: Path) -> Budget | None:
    return run_budget(text, settings, stated, results, once=False, resume=False, explicit_options=None)


def test_the_default_budget_of_an_image_yields_to_limit_and_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DEFAULT_BUDGET, raising=False)
    assert budget(None, Settings(), set(), tmp_path) is None
    monkeypatch.setenv(DEFAULT_BUDGET, "10m")
    default = budget(None, Settings(trials=3), {"trials", "seed"}, tmp_path)
    assert default is not None
    assert (default.seconds, default.stated) == (600.0, frozenset({"trials"}))
    assert budget(None, Settings(limit=5), {"limit"}, tmp_path) is None
    stated = budget("1m", Settings(limit=5), {"limit"}, tmp_path)
    assert stated is not None
    assert (stated.seconds, stated.stated) == (60.0, frozenset({"limit"}))
    monkeypatch.setenv(DEFAULT_BUDGET, "")  # how it is switched off
    assert budget(None, Settings(), set(), tmp_path) is None
    monkeypatch.setenv(DEFAULT_BUDGET, "ten minutes")
    with pytest.raises(BadInput, match=DEFAULT_BUDGET):
        budget(None, Settings(), set(), tmp_path)


def test_a_results_folder_that_cannot_be_written_is_refused_before_the_speed_is_measured(
    refuses: Refuses, digits_bundle: Bundle
) -> None:
    refused = refuses("run", digits_bundle.folder, "--budget", "5m", "--results", "/proc/results", kind=BadInput)
    assert "/proc/results" in refused.problem


@pytest.mark.slow
def test_run_says_what_the_budget_chose_and_how_long_it_takes(
    edge_bench: CommandLine, digits_bundle: Bundle, tmp_path: Path
) -> None:
    done = edge_bench(
        "run", digits_bundle.folder, "--variant", "dynamic", "--runtime", "litert", "--budget", "5m", "--trials", 2,
        "--processes", 1, "--results", "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    chosen = next(number for number, line in enumerate(lines) if line.startswith("--budget 5 min: all 300 images"))
    expected = next(number for number, line in enumerate(lines) if line.startswith("about "))
    assert chosen < expected
    assert "1 configuration × 2 trials" in lines[expected]
    (path,) = (tmp_path / "out").glob("run-*.json")
    assert read_run(path).settings == Settings(trials=2, processes=1, budget_s=300)
