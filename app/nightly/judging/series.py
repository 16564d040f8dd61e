"""The Runs of a model on an engine, night by night, and the speed of each configuration over them."""

import contextlib
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.analysis.over_time.history import Series, history
from edge_bench.bench.analysis.over_time.history import series_of as series_of_runs
from edge_bench.bench.analysis.over_time.measured import MeasuredRun, measured
from edge_bench.bench.measure.stored.measured import read_measured_nights
from edge_bench.bench.measure.stored.nights import in_night_order, more_files, read_together
from edge_bench.bench.records.nights.night import Level, Night
from edge_bench.bench.records.run import Run

__all__ = ["NIGHTS", "NightRun", "NightRuns", "levels_of", "series_of"]

#: Number of nights that a night is compared with: enough for the history's rules, and few enough to read every night.
NIGHTS = 100


@dataclass(frozen=True)
class NightRun:
    """The Runs of a model on an engine in a night, as one."""

    night: int
    measured: MeasuredRun
    read: Callable[[], Run]

    @functools.cached_property
    def run(self) -> Run:
        """All of its trials, which are read from its files."""
        return self.read()


class NightRuns:
    """The Runs of nights in a results folder. Their numbers are from the index of the folder, as far as it has them."""

    def __init__(self, nights: Sequence[Night], results: Path) -> None:
        """``nights`` are in their order."""
        self._nights, self._results = nights, results
        self._more = more_files(nights, results)
        self._measured = self._read()

    def of(self, model: str, engine: str) -> list[NightRun]:
        """Return the Runs of a model on an engine in the order of the nights, without archived and damaged ones."""
        found = []
        for night in self._nights:
            for each in night.measurements:
                measured = self._measured.get(each.run_file)
                if (each.model, each.engine) == (model, engine) and measured:
                    paths = [self._results / name for name in (each.run_file, *self._more.get(each.run_file, ()))]
                    found.append(NightRun(night.number, measured, functools.partial(read_together, paths)))
        return found

    def _read(self) -> dict[str, MeasuredRun]:
        groups = [
            [each.run_file, *self._more.get(each.run_file, ())]
            for night in self._nights
            for each in night.measurements
            if each.run_file
        ]
        try:
            return read_measured_nights(self._results, groups)
        except Exception:  # one Run of another machine must not stop the night
            found = {}
            for names in groups:
                with contextlib.suppress(Exception):
                    found[names[0]] = measured(read_together([self._results / name for name in names]))
            return found


def series_of(entries: Sequence[NightRun]) -> list[Series]:
    """Return the series that have a point of the last Run, on real machines, in the order of the nights."""
    if not entries:
        return []
    last = entries[-1].measured.run_id
    found = series_of_runs(in_night_order([entry.measured for entry in entries]))
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
