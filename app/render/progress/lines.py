"""Progress on stderr: a bar with the remaining time on a terminal, periodic lines in a log."""

import contextlib
import sys
import time
from typing import Any

from edge_bench.app.render.escaping import one_line
from edge_bench.bench.progress import Progress, Silent

__all__ = ["Bar", "Lines", "progress_on_stderr"]

#: Minimum seconds between two log lines.
_LOG_INTERVAL = 10.0


def progress_on_stderr(*, quiet: bool) -> Progress:
    """Return the progress view that suits stderr: silent, a bar for a terminal, or log lines."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()


class Bar:
    """One rich bar per task, redrawn on updates only, so that it never draws while a worker is timed."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._task: Any = None

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Replace the bar by a new one."""
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
        """Advance and redraw the bar."""
        if self._bar is not None:
            with contextlib.suppress(OSError):  # a closed terminal must not end the run
                self._bar.update(self._task, advance=steps, note=one_line(note), refresh=True)

    def finish(self, note: str = "") -> None:
        """Stop the bar and keep it on the screen."""
        self.advance(0, note)
        self._stop()

    def say(self, message: str) -> None:
        """Print the message above the bar."""
        with contextlib.suppress(OSError):
            self._console.print(one_line(message), markup=False, soft_wrap=True)

    def _stop(self) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()
        self._bar = None


class Lines:
    """Log lines for the first step, the last step, and every ten seconds in between."""

    def __init__(self) -> None:
        self._what, self._steps, self._first, self._done = "", 0, 0, 0
        self._began = self._last_line = 0.0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Print the name of the task and its number of steps."""
        self._what, self._steps, self._first, self._done = what, steps, done, done
        self._began = self._last_line = time.monotonic()
        self.say(f"{what}: {steps} step{'' if steps == 1 else 's'}{f', {done} done before' if done else ''}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Print the progress and the remaining time if the last line is old enough."""
        self._done += steps
        now = time.monotonic()
        if now - self._last_line < _LOG_INTERVAL or self._done == self._first:
            return
        self._last_line = now
        left = (now - self._began) / (self._done - self._first) * (self._steps - self._done)
        self.say(f"{self._what}: {self._done}/{self._steps}, about {_clock(left)} left{f': {note}' if note else ''}")

    def finish(self, note: str = "") -> None:
        """Print how long the task took."""
        took = _clock(time.monotonic() - self._began)
        self.say(f"{self._what}: {self._done}/{self._steps} in {took}{f': {note}' if note else ''}")

    def say(self, message: str) -> None:
        """Print the message; a closed stderr is ignored, so that it does not end the run."""
        with contextlib.suppress(OSError):
            print(one_line(message), file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
