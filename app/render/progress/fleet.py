"""Many engines at once on stderr: a live line each on a terminal, a line for each step in a log."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from edge_bench.bench.progress import FleetView

__all__ = ["fleet_view"]

#: A log gets a line of the same engine and step at most this often; a terminal is drawn at most so often.
LINE_SECONDS = 10.0
DRAW_SECONDS = 0.25


@contextmanager
def fleet_view(engines: Sequence[str], *, quiet: bool) -> Iterator[FleetView]:
    """What fits where stderr goes, until the end of the block."""
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        with _Live(engines) as live:
            yield live
    else:
        yield _Lines()


class _Silent:
    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Nothing."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""


class _Lines:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step: dict[str, str] = {}
        self._said: dict[str, float] = {}

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """A line for a new step, and one now and then within it."""
        with self._lock:
            now = time.monotonic()
            if self._step.get(engine) == what and now - self._said.get(engine, 0.0) < LINE_SECONDS:
                return
            self._step[engine], self._said[engine] = what, now
        count = f" {done}/{steps}" if steps else ""
        self.say(f"{engine}: {what}{count}{f', {note}' if note else ''}")

    def ended(self, engine: str, well: bool, message: str) -> None:
        """A line."""
        self.say(f"{engine}: {'done' if well else '! no Run'}: {message}")

    def say(self, message: str) -> None:
        """A line."""
        print(message, file=sys.stderr, flush=True)


class _Live:
    """One rich line an engine, drawn when something is told and never more often than it can be read."""

    def __init__(self, engines: Sequence[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            TextColumn("{task.fields[what]}"),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=Console(stderr=True, highlight=False),
            auto_refresh=False,
        )
        self._tasks: dict[str, Any] = {
            name: self._bars.add_task(name, total=None, what="waiting", note="") for name in engines
        }
        self._drawn = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> "_Live":
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.refresh()
        self._bars.stop()

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Moves its line."""
        self._bars.update(self._tasks[engine], what=what, completed=done, total=steps or None, note=note)
        with self._lock:
            if time.monotonic() - self._drawn < DRAW_SECONDS:
                return
            self._drawn = time.monotonic()
        self._bars.refresh()

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Its line stays as it is."""
        task = self._tasks[engine]
        self._bars.update(task, what="done" if well else "no Run", total=1, completed=int(well), note=message)
        self._bars.stop_task(task)
        self._bars.refresh()

    def say(self, message: str) -> None:
        """Prints above the lines."""
        self._bars.console.print(message, markup=False, soft_wrap=True)
