"""The Runs of a model on an engine, night by night, and the speed of each configuration over them."""

import contextlib
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_bench.bench.analysis.over_time.history import Series, history
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.records.nights.files import FOLDER, MORE
from edge_bench.bench.records.nights.night import Level, Night
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.records.run_files import read_run

__all__ = ["NIGHTS", "NightRun", "in_night_order", "levels_of", "result_of", "runs_of", "series_of", "together"]

#: Number of nights that a night is compared with: enough for the history's rules, and few enough to read every night.
NIGHTS = 100


class NightRun(NamedTuple):
    """The Run of a night."""

    night: int
    run: Run


def runs_of(nights: Sequence[Night], results: Path, model: str, engine: str) -> list[NightRun]:
    """Return the Runs of a model on an engine in the order of the nights, without archived and damaged ones."""
    found = []
    for night in nights:
        for each in night.measurements:
            if (each.model, each.engine) == (model, engine) and each.run_file:
                paths = [results / each.run_file, *(results / FOLDER / MORE / name for name in each.more_runs)]
                if runs := _readable(paths):
                    found.append(NightRun(night.number, together(runs)))
    return found


def _readable(paths: Sequence[Path]) -> list[Run]:
    runs = []
    for path in paths:
        with contextlib.suppress(ResultsError):
            runs.append(read_run(path))
    return runs


def together(runs: Sequence[Run]) -> Run:
    """Return the Runs of one night as one: the first, with the trials of the others as those of further processes."""
    results = []
    for result in runs[0].results:
        trials = list(result.trials)
        for run in runs[1:]:
            other = result_of(run, result.configuration)
            first = 1 + max((trial.process for trial in trials), default=-1)
            for trial in other.trials if other and trials else ():
                trials.append(msgspec.structs.replace(trial, process=first + trial.process))
        results.append(msgspec.structs.replace(result, trials=trials))
    return msgspec.structs.replace(runs[0], results=results)


def in_night_order(entries: Sequence[NightRun]) -> list[NightRun]:
    """Return the Runs with times that increase from night to night, as the history sorts by time.

    The time of a Run that began before that of an earlier night, because a clock was set, becomes a second later than
    that one's.
    """
    ordered, last = list[NightRun](), None
    for entry in entries:
        began = datetime.datetime.fromisoformat(entry.run.began)
        if last is None or began > last:
            ordered.append(entry)
        else:
            began = last + datetime.timedelta(seconds=1)
            run = msgspec.structs.replace(entry.run, began=began.isoformat(timespec="seconds"))
            ordered.append(entry._replace(run=run))
        last = began
    return ordered


def series_of(entries: Sequence[NightRun]) -> list[Series]:
    """Return the series that have a point of the last Run, on real machines."""
    if not entries:
        return []
    last = entries[-1].run.run_id
    found = history([entry.run for entry in entries])
    return [series for series in found if not series.emulated and series.points[-1].run_id == last]


def levels_of(run: Run) -> list[Level]:
    """Return the facts about each configuration that a night's record keeps."""
    return [
        Level(
            configuration=series.configuration,
            seconds=series.points[0].median,
            trials=series.points[0].trials,
            correct=series.points[0].correct,
            seen=series.points[0].seen,
        )
        for series in history([run])
    ]


def result_of(run: Run, configuration: Configuration) -> Result | None:
    """Return the result of a configuration with trials; None if there is none."""
    return next((each for each in run.results_with_trials if each.configuration == configuration), None)
