"""Interfaces through which long work reports its progress."""

from typing import Protocol

__all__ = ["FleetView", "Progress", "Silent"]


class Progress(Protocol):
    """Progress of one task after another, each with a known number of steps."""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Begin a task of ``steps`` steps, of which ``done`` were completed earlier."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report ``steps`` more completed steps; ``note`` describes the current one."""

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

    def finish(self, note: str = "") -> None:
        """Do nothing."""

    def say(self, message: str) -> None:
        """Do nothing."""


class FleetView(Protocol):
    """Progress of several engines at once; called from several threads."""

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """Report that an engine is doing ``what``, with ``done`` of ``steps`` steps completed; 0 steps: unknown."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """Report that an engine has finished (``well``) or failed."""

    def say(self, message: str) -> None:
        """Print a message that stays on the screen."""
