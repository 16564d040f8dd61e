"""Weeks and quiet nights in which each Run is measured on this machine: `python -m studies.nights.weeks --real LOG`.

Three engines are measured in turn, each by `edge-bench run` in a process of its own. One is not asked any more from the
fourth night on. One gets a model with more layers from the fifth night on, under the name and checksum of the first
model: to `edge-bench nightly`, this is an engine that has become slower. The number of layers is chosen before the
first week, so that the model takes 5 % longer in Runs of this machine. Nights follow each other within seconds, so the
variation between them is that of this machine within a few minutes.

Each week and each quiet night is appended to the log as a line of JSON. A later call continues: finished weeks and
nights are not repeated, and a week that was interrupted begins again. A ratio of the true times, from the Runs
themselves, is part of each week's line.
"""

import datetime
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from tabulate import tabulate

from edge_bench.app.nightly.work.this_machine import measure_here
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.records.run import Run
from studies.nights.fleet import Deliver, as_night, nights_of, run_nights
from studies.nights.models import chain
from studies.nights.told import DEAD, NIGHTS, SLOW, Week, week_told

__all__ = ["Sizes", "measure", "summary"]

_LAYERS, _WIDTH = 200, 32
#: To choose the layers of the slower model: this many more are measured, in so many pairs of Runs.
_STEP, _PAIRS = 20, 3
_SLOWER = 0.05
_OPTIONS = ("--runtime", "onnxruntime", "--limit", "20")
#: Trials in each process.
_TRIALS = 3


class Sizes(NamedTuple):
    """How much is measured for each engine and night."""

    runs_per_night: int
    processes: int  # of each Run


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the log."""

    week: Week | None = None  # None: a quiet night
    ratio: float | None = None  # of the times of the slower model to those of the other one, in this week
    deviation: float | None = None  # standard deviation from Run to Run of the logarithms of times of the first model
    quiet_night: int = 0
    false_alarms: int = 0  # in this quiet night
    runs: int  # Runs that were measured
    seconds: float
    load: float  # average number of programs that wanted a core in the last minute, at the end
    layers: int = 0  # of the slower model


class _Bench:
    """Measures both models, and keeps the times."""

    def __init__(self, folder: Path, processes: int) -> None:
        self._folder = folder
        self._options = [*_OPTIONS, "--trials", str(_TRIALS * processes), "--processes", str(processes)]
        self._like: Run | None = None
        self.levels: dict[int, list[float]] = {}  # logarithms of times by number of layers

    def run(self, layers: int, engine: str, now: datetime.datetime) -> Run:
        """Return a new Run of a model, as one of an engine that began then."""
        model = self._folder / f"model{layers}.onnx"
        if not model.exists():
            chain(model, layers, _WIDTH)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            arguments = [str(model), *self._options]
            outcome = measure_here(arguments, Path(name), None, quiet=True)
        if outcome.run is None:
            raise SystemExit(f"no Run: {outcome.reason}\n{outcome.remedy}")
        self._like = self._like or outcome.run
        self.levels.setdefault(layers, []).append(math.log(history([outcome.run])[0].points[0].median))
        return as_night(outcome.run, self._like, engine, now)

    def slower_layers(self) -> int:
        """Return the number of layers with which the model takes 5 % longer."""
        for pair in range(_PAIRS):
            for layers in (_LAYERS, _LAYERS + _STEP):
                _say(f"choosing the slower model: pair {pair + 1} of {_PAIRS}, {layers} layers")
                self.run(layers, "none", datetime.datetime.now(datetime.UTC))
        first, more = (math.exp(float(np.median(self.levels[each]))) for each in (_LAYERS, _LAYERS + _STEP))
        return _LAYERS + max(1, round(_SLOWER * first / ((more - first) / _STEP)))


def measure(log: Path, weeks: int, quiet_nights: int, sizes: Sizes, seconds: float) -> str:
    """Measure until the log has this number of weeks and quiet nights, or the time is over. Return its summary."""
    log.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + seconds
    layers = 0
    while (done := sum(line.week is not None for line in _read(log))) < weeks and time.monotonic() < ends:
        layers = layers or _slower_layers(sizes)
        _append(log, _week(done + 1, sizes, layers))
    if time.monotonic() < ends:
        _quiet(log, quiet_nights, sizes, ends)
    return summary(_read(log))


def _slower_layers(sizes: Sizes) -> int:
    with tempfile.TemporaryDirectory(prefix="edge-bench-real-") as name:
        return _Bench(Path(name), sizes.processes).slower_layers()


def _week(number: int, sizes: Sizes, more_layers: int) -> Line:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="edge-bench-real-") as name:
        bench = _Bench(Path(name), sizes.processes)

        def deliver(engine: str, night: int, now: datetime.datetime) -> Run | None:
            _say(f"week {number}, night {night} of {NIGHTS}: {engine}")
            if engine == "dying" and night >= DEAD:
                return None
            slower = engine == "slowing" and night >= SLOW
            return bench.run(more_layers if slower else _LAYERS, engine, now)

        with nights_of(deliver, NIGHTS, sizes.runs_per_night) as (_, told):
            week = week_told(told)
    first, second = (bench.levels[layers] for layers in (_LAYERS, more_layers))
    return Line(
        week=week, ratio=math.exp(float(np.median(second) - np.median(first))),
        deviation=float(np.std(first, ddof=1)), runs=len(first) + len(second), layers=more_layers, **_ended(began),
    )  # fmt: skip


def _quiet(log: Path, count: int, sizes: Sizes, ends: float) -> None:
    """Run quiet nights in succession, in a folder beside the log, so that a later call continues them."""
    folder = log.with_suffix(".nights")
    if folder.exists() and not any(line.quiet_night for line in _read(log)):
        shutil.rmtree(folder)  # of a log that was deleted
    with tempfile.TemporaryDirectory(prefix="edge-bench-real-") as name:
        bench, began, runs = _Bench(Path(name), sizes.processes), time.monotonic(), 0
        for night in run_nights(folder, _quiet_deliver(bench, count), count, sizes.runs_per_night):
            measured = len(bench.levels[_LAYERS])
            alarms = len(night.reported)
            _append(
                log, Line(quiet_night=night.number, false_alarms=alarms, runs=measured - runs, **_ended(began))
            )  # fmt: skip
            began, runs = time.monotonic(), measured
            if began > ends:
                break


def _quiet_deliver(bench: _Bench, count: int) -> Deliver:
    def deliver(engine: str, night: int, now: datetime.datetime) -> Run:
        _say(f"quiet night {night} of {count}: {engine}")
        return bench.run(_LAYERS, engine, now)

    return deliver


def summary(log: Sequence[Line]) -> str:
    """Return a Markdown table of the weeks and quiet nights."""
    lines = [(each.week, each) for each in log if each.week]
    found = [week for week, _ in lines if week.found is not None]
    quiet = [each for each in log if each.quiet_night]
    ratios, deviations = ([getattr(each, name) for _, each in lines] for name in ("ratio", "deviation"))
    nights = [sum(each.found == night for each in found) for night in range(SLOW, NIGHTS + 1)]
    rows = [
        ("weeks in which the slowdown was reported", f"{len(found)} of {len(lines)}"),
        ("in night 5 + 6 + 7", " + ".join(map(str, nights))),
        ("of them since night 5", f"{sum(each.named_since == SLOW for each in found)} of {len(found)}"),
        ("dead engine named", f"{sum(week.death_named for week, _ in lines)} of {len(lines)}"),
        ("false alarms in these weeks", str(sum(week.false_alarms for week, _ in lines))),
        ("false alarms in quiet nights", f"{sum(each.false_alarms for each in quiet)} in {len(quiet)}"),
        ("ratio of the times of both models", _range(ratios, "{:.3f}")),
        ("standard deviation from Run to Run", _range([100 * each for each in deviations], "{:.1f} %")),
        ("duration of a week, s", _range([each.seconds for _, each in lines], "{:.0f}")),
        ("load average", _range([each.load for each in log], "{:.1f}")),
    ]
    return tabulate(rows, ("", "measured"), tablefmt="github", disable_numparse=True)


def _range(values: Sequence[float], text: str) -> str:
    return " to ".join(dict.fromkeys(text.format(each) for each in (min(values), max(values)))) if values else ""


def _ended(began: float) -> dict[str, Any]:
    return {"seconds": round(time.monotonic() - began, 1), "load": os.getloadavg()[0]}


def _append(log: Path, line: Line) -> None:
    text = msgspec.json.encode(line)
    with log.open("ab") as file:
        file.write(text + b"\n")
    _say(text.decode())


def _read(log: Path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in log.read_bytes().splitlines()] if log.exists() else []


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
