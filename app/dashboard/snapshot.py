"""What the dashboard shows: the series, devices and Runs of some folders, read again when their files change."""

import datetime
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge_bench.app.dashboard.nights.reading import NightFolder, NightReader
from edge_bench.bench.analysis.over_time.history import Series, not_in_history
from edge_bench.bench.analysis.over_time.measured import MeasuredRun
from edge_bench.bench.analysis.over_time.order import order_notes
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.stored.history import read_history
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.nights.files import night_files

__all__ = ["RunFact", "Snapshot", "Snapshots", "series_id"]

#: Files are looked at again after this time, in seconds, so that many readers do not read the folder all the time.
LOOK_SECONDS = 2.0


class RunFact(msgspec.Struct, frozen=True, kw_only=True):
    """What the overview says about a Run."""

    run_id: str
    path: Path
    began: str  # UTC, ISO 8601
    machine: str
    emulated: bool
    trusted: bool | None  # whether its times are reliable; None: unknown
    incomplete: bool  # whether a configuration failed or was not measured


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the pages show, as of one moment."""

    series: list[Series]
    runs: list[RunFact]  # the oldest first
    notes: list[str]
    nights: list[NightFolder] = []  # of the folders that have nights
    problem: str = ""  # why the files cannot be read; the rest is empty then

    def series_of(self, name: str) -> Series | None:
        """Return the series with this `series_id`; None without one."""
        return next((each for each in self.series if series_id(each) == name), None)

    def nights_of(self, place: str) -> NightFolder | None:
        """Return the folder of nights with this number; None without one."""
        return next((each for each in self.nights if str(each.place) == place), None)

    def run_of(self, run_id: str) -> RunFact | None:
        """Return the Run with this identity; None without one."""
        return next((each for each in self.runs if each.run_id == run_id), None)


def series_id(series: Series) -> str:
    """Return a name for addresses that stays the same when Runs are added: 16 hexadecimal digits."""
    parts = (
        series.machine, series.emulated, series.bundle, series.task, series.images, series.resample,
        str(series.configuration),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


class Snapshots:
    """The newest snapshot of the Runs in some files and folders. Several threads may use it."""

    def __init__(self, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._paths, self._clock = paths, clock
        self._lock = threading.Lock()
        self._looked = -float("inf")
        self._state: tuple[object, ...] = ()
        self._snapshot: Snapshot | None = None
        self._nights = NightReader(paths)

    def newest(self) -> Snapshot:
        """Return the snapshot of the files as they were at most `LOOK_SECONDS` ago."""
        with self._lock:
            if self._snapshot is None or self._clock() - self._looked >= LOOK_SECONDS:
                state = tuple(each for path in self._paths for each in _state(path))
                if self._snapshot is None or state != self._state:
                    self._snapshot, self._state = self._read(), state
                nights = self._nights.newest()  # after the Runs, which are written first
                if nights != self._snapshot.nights:
                    self._snapshot = msgspec.structs.replace(self._snapshot, nights=nights)
                self._looked = self._clock()
            return self._snapshot

    def _read(self) -> Snapshot:
        said = _Said()
        try:
            files, series, _ = read_history(self._paths, said)  # the reader of nights names damaged records
        except EdgeBenchError as cause:
            return Snapshot(series=[], runs=[], notes=said.texts, problem=cause.problem)
        runs = list(files.values())
        now = datetime.datetime.now(datetime.UTC)
        return Snapshot(
            series=series,
            runs=sorted((_fact(path, run) for path, run in files.items()), key=lambda fact: fact.began),
            notes=[*said.texts, *not_in_history(runs), *order_notes(runs, now)],
        )


class _Said(Silent):
    """Keeps what the reading of files reports, so that the page can show it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def say(self, message: str) -> None:
        """Keep the message."""
        self.texts.append(message.removeprefix("! "))


def _state(path: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of change of the files of a folder's Runs and nights, or of the file itself."""
    state = []
    for file in [*sorted(path.glob("run-*.json")), *night_files(path).values()] if path.is_dir() else [path]:
        try:
            found = file.stat()
        except OSError:
            continue  # deleted meanwhile; the reader says what is wrong with it
        state.append((str(file), found.st_size, found.st_mtime_ns))
    return state


def _fact(path: Path, run: MeasuredRun) -> RunFact:
    return RunFact(
        run_id=run.run_id,
        path=path,
        began=run.began,
        machine=run.description.machine,
        emulated=run.description.emulated,
        trusted=run.trusted,
        incomplete=bool(run.missing) or any(result.failure for result in run.results),
    )
