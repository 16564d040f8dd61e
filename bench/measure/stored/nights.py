"""The Runs of nights in a results folder: all those of one model on one engine in a night count as one."""

import contextlib
import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.analysis.over_time.measured import MeasuredRun
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.records.nights.files import FOLDER, MORE
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.records.run_files import read_run

__all__ = ["in_night_order", "more_files", "read_together", "result_of", "together"]


def more_files(nights: Iterable[Night], results: Path) -> dict[str, tuple[str, ...]]:
    """Return the further Run files of each Run file of a night, relative to the results folder, if they still exist."""
    try:
        present = {path.name for path in (results / FOLDER / MORE).iterdir()}
    except OSError:
        return {}
    found = {}
    for night in nights:
        for each in night.measurements:
            # names that are not in the listing may be paths to somewhere else
            names = tuple(f"{FOLDER}/{MORE}/{name}" for name in each.more_runs if name in present)
            if names:
                found[each.run_file] = names
    return found


def read_together(paths: Sequence[Path], remedy: str = "") -> Run:
    """Return the Runs of one night as one, without damaged ones. Raise ResultsError if the first is damaged."""
    runs = [read_run(paths[0], remedy)]
    for path in paths[1:]:
        with contextlib.suppress(ResultsError):
            runs.append(read_run(path))
    return together(runs)


def together(runs: Sequence[Run]) -> Run:
    """Return the Runs of one night as one: the first, with the trials of the others as those of further processes.

    Runs of other files are left out.
    """
    others = [run for run in runs[1:] if run.bundle.sha256 == runs[0].bundle.sha256]
    if not others:
        return runs[0]
    results = []
    for result in runs[0].results:
        trials = list(result.trials)
        for run in others:
            other = result_of(run, result.configuration)
            first = 1 + max((trial.process for trial in trials), default=-1)
            for trial in other.trials if other and trials else ():
                trials.append(msgspec.structs.replace(trial, process=first + trial.process))
        results.append(msgspec.structs.replace(result, trials=trials))
    return msgspec.structs.replace(runs[0], results=results)


def result_of(run: Run, configuration: Configuration) -> Result | None:
    """Return the result of a configuration with trials; None if there is none."""
    return next((each for each in run.results_with_trials if each.configuration == configuration), None)


def in_night_order(runs: Sequence[MeasuredRun]) -> list[MeasuredRun]:
    """Return Runs, which are in the order of their nights, with an ``order`` by which they are sorted so.

    It is the time when they began, unless that was before an earlier night, because a clock was set: then it is a
    second later than that of the earlier one.
    """
    ordered, last = list[MeasuredRun](), None
    for run in runs:
        began = datetime.datetime.fromisoformat(run.began)
        if last is None or began > last:
            ordered.append(run)
        else:
            began = last + datetime.timedelta(seconds=1)
            ordered.append(msgspec.structs.replace(run, order=began.isoformat(timespec="microseconds")))
        last = began
    return ordered
