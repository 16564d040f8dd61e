"""Progress on stderr: a bar with the time left on a terminal, a line now and then in a log."""

import contextlib
import sys
import time
from typing import Any

from edge_bench.app.render.escaping import one_line
from edge_bench.bench.progress import Progress, Silent

__all__ = ["Bar", "Lines", "progress_on_stderr"]

#: A log gets a line at most this often.
LINE_SECONDS = 10.0


def progress_on_stderr(*, quiet: bool) -> Progress:
    """What fits where stderr goes."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()


class Bar:
    """One rich bar a piece of work. It draws only when told something, never while a worker is being timed."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._task: Any = None

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """A new bar."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._stop()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=self._console,
            auto_refresh=False,
        )
        with contextlib.suppress(OSError):
            self._bar.start()
        self._task = self._bar.add_task(one_line(what), total=steps, completed=done, note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Moves and redraws it."""
        if self._bar is not None:
            with contextlib.suppress(OSError):  # the terminal is gone: no reason to end
                self._bar.update(self._task, advance=steps, note=one_line(note), refresh=True)

    def finish(self, note: str = "") -> None:
        """Leaves it as it is."""
        self.advance(0, note)
        self._stop()

    def say(self, message: str) -> None:
        """Prints above the bar."""
        with contextlib.suppress(OSError):
            self._console.print(one_line(message), markup=False, soft_wrap=True)

    def _stop(self) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()
        self._bar = None


class Lines:
    """Plain lines for logs: the first step, the last, and one every ten seconds between."""

    def __init__(self) -> None:
        self._what, self._steps, self._before, self._done = "", 0, 0, 0
        self._began = self._said = 0.0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Says what begins."""
        self._what, self._steps, self._before, self._done = what, steps, done, done
        self._began = self._said = time.monotonic()
        self.say(f"{what}: {steps} steps{f', {done} done before' if done else ''}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Says how far it is, if it has been silent for long enough."""
        self._done += steps
        now = time.monotonic()
        if now - self._said < LINE_SECONDS or self._done == self._before:
            return
        self._said = now
        left = (now - self._began) / (self._done - self._before) * (self._steps - self._done)
        self.say(f"{self._what}: {self._done}/{self._steps}, about {_clock(left)} left{f': {note}' if note else ''}")

    def finish(self, note: str = "") -> None:
        """Says how long it took."""
        took = _clock(time.monotonic() - self._began)
        self.say(f"{self._what}: {self._done}/{self._steps} in {took}{f': {note}' if note else ''}")

    def say(self, message: str) -> None:
        """A line; that nobody reads it any more is no reason to end."""
        with contextlib.suppress(OSError):
            print(one_line(message), file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
