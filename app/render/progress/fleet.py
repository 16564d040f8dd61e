"""Progress of several engines on stderr: a live line per engine on a terminal, a line per step in a log."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.text.terminal import message_lines
from edge_bench.bench.progress import FleetView, duration_text

__all__ = ["fleet_view"]

#: Minimum seconds between two log lines of the same engine and step.
_LOG_INTERVAL = 10.0
#: Minimum seconds between two redraws of a terminal.
_DRAW_INTERVAL = 0.25


@contextmanager
def fleet_view(engines: Sequence[str], *, quiet: bool) -> Iterator[FleetView]:
    """Yield the view that suits stderr: silent, live lines for a terminal, or log lines."""
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        with _Live(engines) as live:
            yield live
    else:
        yield _Lines()


class _Silent:
    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Show nothing."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Show nothing."""

    def say(self, message: str) -> None:
        """Show nothing."""


class _Lines:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._step: dict[str, str] = {}
        self._last_line: dict[str, float] = {}

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Print a line if the step is new or the last line is old enough."""
        with self._lock:
            now = time.monotonic()
            if self._step.get(engine) == what and now - self._last_line.get(engine, 0.0) < _LOG_INTERVAL:
                return
            self._step[engine], self._last_line[engine] = what, now
        count = f" {done}/{steps}" if steps else ""
        self.say(f"{engine}: {what}{count}{f', {note}' if note else ''}")

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Print whether the engine has a Run."""
        self.say(f"{engine}: {'done' if well else '! no Run'}: {message}")

    def say(self, message: str) -> None:
        """Print the message."""
        print("\n".join(message_lines(message, sys.stderr)), file=sys.stderr, flush=True)


class _Live:
    """One rich progress line per engine, redrawn on updates, at most every ``_DRAW_INTERVAL`` seconds."""

    def __init__(self, engines: Sequence[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[what]}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[elapsed]}", markup=False),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=Console(stderr=True, highlight=False),
            auto_refresh=False,
            redirect_stdout=False,
        )
        self._tasks: dict[str, Any] = {
            name: self._bars.add_task(one_line(name, 60), total=None, what="waiting", elapsed="", note="")
            for name in engines
        }
        self._drawn, self._began = 0.0, time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> "_Live":
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.refresh()
        self._bars.stop()

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Update the engine's line."""
        self._bars.update(
            self._tasks[engine], what=one_line(what), completed=done, total=steps or None, elapsed=self._elapsed(),
            note=one_line(note),
        )  # fmt: skip
        with self._lock:
            if time.monotonic() - self._drawn < _DRAW_INTERVAL:
                return
            self._drawn = time.monotonic()
        self._bars.refresh()

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Stop the engine's line and keep it on the screen."""
        task = self._tasks[engine]
        self._bars.update(
            task, what="done" if well else "no Run", total=1, completed=int(well), elapsed=self._elapsed(),
            note=one_line(message),
        )  # fmt: skip
        self._bars.stop_task(task)
        self._bars.refresh()

    def say(self, message: str) -> None:
        """Print the message above the lines."""
        from rich.text import Text

        self._bars.console.print(Text.from_ansi("\n".join(message_lines(message, sys.stderr))), soft_wrap=True)

    def _elapsed(self) -> str:
        return duration_text(time.monotonic() - self._began)
