"""Progress on stderr: a bar with the remaining time on a terminal, periodic lines in a log."""

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.progress.pace import Pace
from edge_bench.app.render.text.terminal import message_lines
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.wording import counted

__all__ = ["Bar", "Lines", "progress_on_stderr", "stop_bar"]

#: Minimum seconds between two log lines.
_LOG_INTERVAL = 10.0
#: The bars on the screen; rich allows one at a time.
_running: list["Bar"] = []


def progress_on_stderr(*, quiet: bool) -> Progress:
    """Return the progress view that suits stderr: silent, a bar for a terminal, or log lines."""
    if quiet:
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()


def stop_bar() -> None:
    """Stop the bar that an interruption or an error has left on the screen; it would overwrite the next output."""
    for bar in list(_running):
        bar.stop()


class Bar:
    """One rich bar per task, redrawn on updates only, so that it never draws while a worker is timed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._clock = clock
        self._bar: Any = None
        self._task: Any = None
        self._pace = Pace(0, 0, clock)

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Replace the bar by a new one."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.table import Column

        self.stop()
        self._pace = Pace(steps, done, self._clock)
        bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[time]}", markup=False, table_column=Column(no_wrap=True)),
            # a narrow terminal cuts off the note, not the numbers
            TextColumn(
                "{task.fields[note]}",
                style="dim",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=self._console,
            auto_refresh=False,
            expand=True,
            redirect_stdout=False,  # results belong to stdout, even if a bar is still running
        )
        with defer_interrupts():  # a bar that is started but not known could not be stopped
            self._bar = bar
            _running.append(self)
            with contextlib.suppress(OSError):
                bar.start()
            self._task = bar.add_task(one_line(what), total=steps, completed=done, time="", note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Advance and redraw the bar."""
        if self._bar is not None:
            self._pace.advance(steps)
            times = ", ".join(filter(None, (self._pace.elapsed, self._pace.left)))
            with contextlib.suppress(OSError):  # a closed terminal must not end the run
                self._bar.update(self._task, advance=steps, time=times, note=one_line(note), refresh=True)

    def expect(self, seconds: float | None) -> None:
        """Set the remaining time that the next redraw shows."""
        self._pace.expect(seconds)

    def finish(self, note: str = "") -> None:
        """Stop the bar and keep it on the screen."""
        self.advance(0, note)
        self.stop()

    def say(self, message: str) -> None:
        """Print the message above the bar."""
        with contextlib.suppress(OSError):
            from rich.text import Text

            # wrapped here, because rich breaks paths that are longer than a line
            text = Text.from_ansi("\n".join(message_lines(message, sys.stderr)))
            self._console.print(text, soft_wrap=True)

    def stop(self) -> None:
        """Stop the bar, if there is one, as it is."""
        with defer_interrupts():
            if self._bar is not None:
                with contextlib.suppress(OSError):
                    self._bar.stop()
                _running.remove(self)
            self._bar = None


class Lines:
    """Log lines for the first step, the last step, and every ten seconds in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._what, self._pace = clock, "", Pace(0, 0, clock)
        self._last_line = 0.0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Print the name of the task and its number of steps."""
        self._what, self._pace, self._last_line = what, Pace(steps, done, self._clock), self._clock()
        self.say(f"{what}: {counted(steps, 'step')}{f', {done:,} already done' if done else ''}")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Print progress and remaining time, unless the last line is recent or `finish` prints the next one."""
        self._pace.advance(steps)
        now = self._clock()
        if now - self._last_line < _LOG_INTERVAL or (steps and self._pace.done >= self._pace.steps):
            return
        self._last_line = now
        self._line(self._pace.left, note)

    def expect(self, seconds: float | None) -> None:
        """Set the remaining time that the next line shows."""
        self._pace.expect(seconds)

    def finish(self, note: str = "") -> None:
        """Print how long the task took."""
        self._line(f"in {self._pace.elapsed}", note)

    def say(self, message: str) -> None:
        """Print the message; a closed stderr is ignored, so that it does not end the run."""
        with contextlib.suppress(OSError):
            print("\n".join(message_lines(message, sys.stderr)), file=sys.stderr, flush=True)

    def _line(self, times: str, note: str) -> None:
        """Print ``measuring: 12/270, about 4 min left: note``, which `parse_progress` reads."""
        between = " " if times.startswith("in ") else ", "
        self.say(
            f"{self._what}: {self._pace.done}/{self._pace.steps}{between if times else ''}{times}"
            f"{f': {note}' if note else ''}"
        )
