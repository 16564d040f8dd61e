"""kill -9 at random moments over `run`, and a resume after each: no trial lost, none doubled, every file valid.

EDGE_BENCH_KILLS says how many kills (``make faults`` makes 200); without it there are a few.
"""

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from bench.assembly import read_run_or_journal
from bench.bundle import Bundle
from bench.journal import JOURNAL
from bench.results import Run, Trial, read_run
from tests.conftest import clean_environment, command

KILLS = int(os.environ.get("EDGE_BENCH_KILLS", "8"))
TRIALS, PROCESSES, CONFIGURATIONS = 12, 4, 2


@pytest.mark.slow
def test_a_run_killed_at_random_moments_loses_and_doubles_nothing(digits_bundle: Bundle, tmp_path: Path) -> None:
    generator, kills, runs = random.Random(7), 0, 0
    while kills < KILLS:
        results = tmp_path / f"results-{runs}"
        kills += _one_run(digits_bundle, results, generator, KILLS - kills)
        runs += 1
    print(f"{kills} kills over {runs} runs")


def _one_run(bundle: Bundle, results: Path, generator: random.Random, most: int) -> int:
    """One run, killed and gone on with until it is whole; how many kills that took."""
    arguments = command(
        "run", bundle.folder, "--variant", "dynamic,int8", "--runtime", "litert", "--limit", 60, "--trials", TRIALS,
        "--processes", PROCESSES, "--results", results, "--quiet", "--resume",
    )  # fmt: skip
    kills, kept = 0, list[Trial]()
    while True:
        # its own session, so that the kill takes all of it, as a power cut would
        process = subprocess.Popen(
            arguments, env=clean_environment(results.parent), stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            code = process.wait(generator.uniform(0.5, 6.0) if kills < most else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            kept = _still_there(results, kept)
            continue
        assert code == 0
        break
    (path,) = results.glob("run-*")  # what a kill left half-made has a dot before its name
    run = read_run(path)
    trials = _trials(run)
    assert run.complete
    assert all(trial in trials for trial in kept)
    assert sorted(trial.place for trial in trials) == list(range(TRIALS * CONFIGURATIONS))
    assert [len(result.trials) for result in run.results] == [TRIALS] * CONFIGURATIONS
    return kills


def _still_there(results: Path, kept: list[Trial]) -> list[Trial]:
    """After a kill, what is on disk is valid and holds every trial that was there before."""
    journals = list(results.glob(f"*{JOURNAL}")) if results.exists() else []
    assert len(journals) <= 1
    for path in [] if journals or not results.exists() else results.glob("run-*.json"):
        return _trials(read_run(path))  # killed after the end
    trials = _trials(read_run_or_journal(journals[0])) if journals else []
    assert trials[: len(kept)] == kept or all(trial in trials for trial in kept)
    return trials


def _trials(run: Run) -> list[Trial]:
    return [trial for result in run.results for trial in result.trials]
