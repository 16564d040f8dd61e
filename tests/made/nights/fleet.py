"""Nights without devices: a settings file, engines that deliver made Runs, and clocks that are set."""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.nightly.job import NightJob
from edge_bench.app.nightly.settings.reading import NightlySettings, read_settings
from edge_bench.app.nightly.work.clock import Clock
from edge_bench.app.nightly.work.lock import night_lock
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.nights.night import MeasurementState, Night
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run, write_run
from tests.factories import machine, result, run

__all__ = ["BEGIN", "FakeFleet", "Nights", "made_run", "settings_file", "telling", "told"]

BEGIN = datetime.datetime(2026, 3, 1, 2, 30, tzinfo=datetime.UTC)
ENGINES = ("pi4", "pi5", "desk")


def settings_file(folder: Path, text: str = "", engines: Sequence[str] = ENGINES) -> Path:
    """Write edge-bench.toml, with a model that is a folder with a manifest, and engines that nothing connects to."""
    bundle = folder / "bundle"
    bundle.mkdir(exist_ok=True)
    (bundle / "manifest.json").write_text("{}")
    tables = "".join(f'[[fleet.engine]]\nname = "{name}"\nurl = "ssh://me@{name}"\n' for name in engines)
    path = folder / "edge-bench.toml"
    text += "" if "[run]" in text else "[run]\nruns_per_night = 1\n"
    path.write_text(f'{text}\n[[model]]\nname = "digits"\nbundle = "bundle"\n{tables}')
    return path


def made_run(
    engine: str, began: datetime.datetime, seconds: float, *, wrong: int = 5, bundle: str = "b", kernel: str = "6.1"
) -> Run:
    """Return a Run of one configuration that takes so long per pass."""
    made = run(
        result("int8", "litert", seconds, wrong=wrong), on=machine(hostname=engine, kernel=kernel), bundle=bundle
    )
    return msgspec.structs.replace(made, began=began.isoformat(timespec="seconds"), trusted=True)


@dataclass
class FakeFleet:
    """Delivers the Runs that ``make`` returns, by engine; a text instead is the reason of a silent engine.

    As with `run --once --resume`, a second request in the same folder returns the same Run.
    """

    make: Callable[[str, str], Run | str]  # of the engine and "" or "again"
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None  # called with each engine

    def measure(self, request: Request) -> list[EngineOutcome]:
        return [self._outcome(engine, request) for engine in request.engines]

    def _outcome(self, engine: str, request: Request) -> EngineOutcome:
        folder = request.fleet_folder
        stored = next((path for path in folder.glob("run-*.json") if read_run(path).machine.hostname == engine), None)
        if stored is None:
            self.before(engine)
            self.calls.append(engine)
            made = self.make(engine, "again" if "again" in request.folder.parts else "")
            if isinstance(made, str):
                return EngineOutcome(engine, MeasurementState.SILENT, made)
            folder.mkdir(parents=True, exist_ok=True)
            stored = write_run(made, folder)
        return EngineOutcome(engine, MeasurementState.DELIVERED, run=read_run(stored), path=stored)


@dataclass
class Nights:
    """A sequence of nights with one settings file. ``now`` is the clock's time, which tests set."""

    path: Path
    fleet: FakeFleet
    now: datetime.datetime = BEGIN
    uptime: float = 1000.0
    boot: str = "boot-1"

    @property
    def settings(self) -> NightlySettings:
        return read_settings(self.path)

    @property
    def results(self) -> Path:
        return self.settings.results

    def night(self) -> Night:
        """Run a night at the clock's time."""
        with night_lock(self.results):
            return self._job().run()

    def resume(self) -> Night | None:
        """Continue an interrupted night at the clock's time."""
        with night_lock(self.results):
            return self._job().resume()

    def _job(self) -> NightJob:
        clock = Clock(lambda: self.now, lambda: self.uptime, lambda: self.boot)
        return NightJob(self.settings, self.fleet, Silent(), clock)

    def next_day(self) -> None:
        """Set the clocks a day ahead."""
        self.now += datetime.timedelta(days=1)
        self.uptime += 86_400


def telling(folder: Path) -> str:
    """Return settings with a command that appends each notification to the file ``told``."""
    script = folder / "tell.sh"
    script.write_text(f"#!/bin/sh\ncat >> {folder}/told && echo >> {folder}/told\n")
    script.chmod(0o755)
    return '[notify]\ncommand = ["./tell.sh"]\n'


def told(folder: Path) -> list[dict[str, Any]]:
    """Return the notifications that the command of `telling` got."""
    path = folder / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
