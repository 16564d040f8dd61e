"""The newest Run of a folder, and the last one before it under the same conditions."""

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.analysis.over_time.measured import MeasuredRun, earlier_results
from edge_bench.bench.analysis.over_time.order import in_order, order_notes
from edge_bench.bench.analysis.times.earlier_runs import EarlierResult, EarlierRuns
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.stored.measured import read_measured, read_measured_files
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.run import Run

__all__ = ["NewestRuns", "newest_runs", "variation_from"]

#: The variation from run to run is estimated from this many Runs before the newest, as in a control chart.
_EARLIER = 30


class NewestRuns(NamedTuple):
    """A Run with the one before it; both with their repeats."""

    new: list[Run]
    before: list[Run]
    earlier: EarlierRuns  # those before the newest, which show how much the machine varies from run to run


def newest_runs(paths: Sequence[Path], progress: Progress) -> NewestRuns:
    """Return the newest Run in files and folders, and the last one before it under the same conditions.

    They are of the same machine and cores, model, data, preprocessing and number of images, have a configuration in
    common, and the earlier one is complete. Repeats of both belong to them. Sustained loads are left out. Report which
    Runs they are. Raise ResultsError if there are none.
    """
    files = read_measured_files(paths, progress, without_damaged=True)
    by_id = {run.run_id: file for file, run in files.items()}
    runs = in_order([run for run in files.values() if run.results and not run.description.sustained])
    if not runs:
        raise ResultsError("no Run has times to compare", "measure first with `edge-bench run`")
    newest = runs[-1]
    alike = [run for run in runs if run.series_key == newest.series_key]
    before = [run for run in alike if run.complete and not _together(run, newest) and _in_common(run, newest)]
    if not before:
        raise ResultsError(
            f"no earlier Run under the conditions of the newest, {by_id[newest.run_id]}: same machine, model and data",
            "name Runs to compare it with: --baseline PATH",
        )
    sides = [[by_id[run.run_id] for run in alike if _together(run, last)] for last in (newest, before[-1])]
    for note in order_notes(alike, datetime.datetime.now(datetime.UTC)):
        progress.say(f"NOTE: {note}")
    progress.say(f"comparing {_named(sides[0])} with {_named(sides[1])}")
    new, old = ([read_run_or_journal(file) for file in side] for side in sides)
    return NewestRuns(new, old, EarlierRuns(derived=_results(before[-_EARLIER:])))


def variation_from(paths: Sequence[Path], progress: Progress) -> EarlierRuns:
    """Return the levels of the Runs in files and folders, which show how much machines vary from run to run."""
    return EarlierRuns(derived=_results(read_measured(paths, progress)))


def _results(runs: Iterable[MeasuredRun]) -> list[EarlierResult]:
    return [result for run in runs for result in earlier_results(run)]


def _together(run: MeasuredRun, other: MeasuredRun) -> bool:
    """Return whether two Runs of one series are the same, or repeats of each other."""
    return run is other or bool(run.repeat_group and run.repeat_group == other.repeat_group)


def _in_common(run: MeasuredRun, other: MeasuredRun) -> bool:
    return not set(run.description.configurations).isdisjoint(other.description.configurations)


def _named(files: Sequence[Path]) -> str:
    return f"{files[-1]}{f' and {len(files) - 1} repeats of it' if len(files) > 1 else ''}"
