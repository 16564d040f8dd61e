"""Interfaces through which long work reports its progress, and durations as text."""

from typing import Protocol

__all__ = ["FleetView", "Progress", "Silent", "about", "duration_text", "time_limit"]

#: Durations in seconds, and the step to which `about` rounds those below them.
_STEPS = ((10, 1), (60, 5), (300, 10), (3600, 60), (36_000, 300))


def duration_text(seconds: float) -> str:
    """Return ``45 s``, ``1 min 30 s`` or ``2 h 5 min``; from one hour, seconds are left out."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        parts = (whole // 60, "min"), (whole % 60, "s")
    else:
        minutes = round(whole / 60)
        parts = (minutes // 60, "h"), (minutes % 60, "min")
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count)


def time_limit(seconds: float) -> str:
    """Return ``0.5 s``, ``45 s`` or ``10 min``: a limit that a user has set, exact below one minute."""
    return f"{seconds:g} s" if seconds < 60 else duration_text(seconds)


def about(seconds: float) -> str:
    """Return an estimated duration, rounded to the precision of an estimate: ``about 45 s``, ``about 4 min``."""
    step = next((step for below, step in _STEPS if seconds < below), 1800)
    return f"about {duration_text(max(1, round(seconds / step) * step))}"


class Progress(Protocol):
    """Progress of one task after another, each with a known number of steps."""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Begin a task of ``steps`` steps, of which ``done`` were completed earlier."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report ``steps`` more completed steps; ``note`` describes the current one."""

    def expect(self, seconds: float | None) -> None:
        """Set the expected remaining seconds of the task; None if unknown.

        Without a call, they are estimated from the steps completed so far.
        """

    def finish(self, note: str = "") -> None:
        """End the task."""

    def say(self, message: str) -> None:
        """Print a message that stays on the screen."""


class Silent:
    """Progress that is not shown."""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Do nothing."""

    def expect(self, seconds: float | None) -> None:
        """Do nothing."""

    def finish(self, note: str = "") -> None:
        """Do nothing."""

    def say(self, message: str) -> None:
        """Do nothing."""


class FleetView(Protocol):
    """Progress of several engines at once. Its methods are called from several threads."""

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Report that an engine is doing ``what``, with ``done`` of ``steps`` steps completed; 0 steps: unknown."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Report that an engine has finished (``well``) or failed."""

    def say(self, message: str) -> None:
        """Print a message that stays on the screen."""
