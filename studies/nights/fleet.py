"""Three engines that deliver recorded Runs, as Runs of the night in which they are asked."""

import datetime
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.nightly.job import NightJob
from edge_bench.app.nightly.settings.reading import read_settings
from edge_bench.app.nightly.work.clock import Clock
from edge_bench.app.nightly.work.lock import night_lock
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.bench.io.record_codec import encode_record, pack, unpack
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import MeasurementState, Night, NightState
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import run_file_name

__all__ = ["ENGINES", "Deliver", "as_night", "drawn", "nights_of", "run_nights", "scaled"]

ENGINES = ("dying", "quiet", "slowing")
_BEGIN = datetime.datetime(2026, 3, 1, 2, 30, tzinfo=datetime.UTC)
_SETTINGS = """
[run]
runs_per_night = {runs_per_night}
[[model]]
name = "model"
bundle = "bundle"
[notify]
command = ["./tell.sh"]
"""

#: The Run of an engine in a night that began then, or None if it is dead. It is called for each Run of a night.
Deliver = Callable[[str, int, datetime.datetime], Run | None]


def scaled(run: Run, factor: float) -> Run:
    """Return a Run whose times are multiplied by a factor."""
    results = [
        msgspec.structs.replace(
            result,
            trials=[
                msgspec.structs.replace(
                    trial,
                    elapsed_ns=max(1, round(trial.elapsed_ns * factor)),
                    latencies=pack(np.rint(unpack(trial.latencies) * factor).astype(np.int64)),
                )
                for trial in result.trials
            ],
        )
        for result in run.results
    ]
    return msgspec.structs.replace(run, results=results)


def as_night(run: Run, like: Run, engine: str, began: datetime.datetime) -> Run:
    """Return a recorded Run as one of an engine that began then, with the model and data of ``like``."""
    results = [
        msgspec.structs.replace(result, configuration=other.configuration, sha256=other.sha256, bytes=other.bytes)
        for result, other in zip(run.results, like.results, strict=True)
    ]
    return msgspec.structs.replace(
        run, run_id=uuid.uuid4().hex, began=began.isoformat(timespec="seconds"), results=results, bundle=like.bundle,
        images=like.images, machine=msgspec.structs.replace(run.machine, hostname=engine, container=False),
    )  # fmt: skip


@dataclass
class _Engines:
    deliver: Deliver
    night: int = 0
    now: datetime.datetime = _BEGIN

    def measure(self, request: Request) -> list[EngineOutcome]:
        """Return the Runs of this night."""
        return [self._outcome(engine, request) for engine in request.engines]

    def _outcome(self, engine: str, request: Request) -> EngineOutcome:
        run = self.deliver(engine, self.night, self.now)
        if run is None:
            return EngineOutcome(engine, MeasurementState.SILENT, "no route to host")
        folder = request.fleet_folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / run_file_name(run.began, engine, run.run_id)
        path.write_bytes(encode_record(run))
        return EngineOutcome(engine, MeasurementState.DELIVERED, run=run, path=path)


@contextmanager
def nights_of(deliver: Deliver, count: int, runs_per_night: int = 1) -> Iterator[tuple[list[Night], Path]]:
    """Run ``count`` nights of `edge-bench nightly` with these engines; yield them and the folder of notifications."""
    with tempfile.TemporaryDirectory(prefix="edge-bench-nights-") as name:
        folder = Path(name)
        yield list(run_nights(folder, deliver, count, runs_per_night)), folder / "told"


def run_nights(folder: Path, deliver: Deliver, count: int, runs_per_night: int) -> Iterator[Night]:
    """Run the nights up to ``count`` that are not yet in a folder, and yield each."""
    path = _write_settings(folder, runs_per_night)
    engines, settings = _Engines(deliver), read_settings(path)
    nights = read_recent_nights(settings.results, 1)[0]
    done = nights[-1].number - (nights[-1].state is not NightState.DONE) if nights else 0
    for number in range(done + 1, count + 1):
        engines.night, engines.now = number, _BEGIN + number * datetime.timedelta(days=1)
        clock = Clock(lambda: engines.now, lambda: 0.0, lambda: "")
        with night_lock(settings.results):
            yield NightJob(settings, engines, Silent(), clock).run()


def _write_settings(folder: Path, runs_per_night: int) -> Path:
    path = folder / "edge-bench.toml"
    if path.exists():
        return path
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle" / "manifest.json").write_text("{}")
    (folder / "told").mkdir()
    script = folder / "tell.sh"
    script.write_text(f"#!/bin/sh\ncat > {folder}/told/$EDGE_BENCH_NIGHT.json\n")
    script.chmod(0o755)
    tables = "".join(f'[[fleet.engine]]\nname = "{name}"\nurl = "ssh://me@{name}"\n' for name in ENGINES)
    path.write_text(_SETTINGS.format(runs_per_night=runs_per_night) + tables)
    return path


def drawn(runs: Sequence[Run], generator: np.random.Generator) -> Run:
    """Return one of the Runs by chance."""
    return runs[int(generator.integers(len(runs)))]
