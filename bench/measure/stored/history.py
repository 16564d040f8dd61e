"""The series of the Runs in files and folders, with the nights of `edge-bench nightly` in their order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_bench.bench.analysis.over_time.found_in_nights import with_changes_of_nights
from edge_bench.bench.analysis.over_time.history import Series, series_of
from edge_bench.bench.analysis.over_time.measured import MeasuredRun
from edge_bench.bench.measure.stored.measured import read_measured_files, stored_charts
from edge_bench.bench.measure.stored.nights import in_night_order, more_files
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.nights.files import night_files, read_nights
from edge_bench.bench.records.nights.night import Night

__all__ = ["StoredHistory", "read_history"]


class StoredHistory(NamedTuple):
    """Runs by file, their series, and notes on records of nights that cannot be read."""

    files: dict[Path, MeasuredRun]
    series: list[Series]
    notes: list[str]


def read_history(paths: Sequence[Path], progress: Progress) -> StoredHistory:
    """Return the Runs in files and folders and their series.

    The Runs of one model on one engine in a night count as one, in the order of the nights. The changes of these series
    are those in the records of the nights.
    """
    nights, notes = dict[Path, list[Night]](), list[str]()
    for folder in paths:
        if records := list(night_files(folder).values()):
            nights[folder], damaged = read_nights(records)
            notes += damaged
    more = {folder: more_files(found, folder) for folder, found in nights.items()}
    files = read_measured_files(paths, progress, without_damaged=True, more=more)
    files |= _with_nights(files, nights)
    runs = list(files.values())
    charts = stored_charts(paths, len(runs))
    series = series_of(runs, charts)
    charts.keep()
    recorded = [night for found in nights.values() for night in found]
    return StoredHistory(files, with_changes_of_nights(series, recorded), notes)


def _with_nights(files: Mapping[Path, MeasuredRun], nights: Mapping[Path, Sequence[Night]]) -> dict[Path, MeasuredRun]:
    """Return the Runs of nights with the number and the order of their nights."""
    ordered: dict[Path, MeasuredRun] = {}
    for folder, found in nights.items():
        places: dict[tuple[str, str], dict[Path, int]] = {}
        for night in found:
            for each in night.measurements:
                if each.run_file and folder / each.run_file in files:
                    places.setdefault((each.model, each.engine), {})[folder / each.run_file] = night.number
        for numbers in places.values():
            runs = in_night_order([files[path] for path in numbers])
            for (path, number), run in zip(numbers.items(), runs, strict=True):
                ordered[path] = msgspec.structs.replace(run, night=number)
    return ordered
