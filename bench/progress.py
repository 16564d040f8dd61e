"""What long work tells whoever watches; how it is shown is the watcher's business."""

from typing import Protocol

__all__ = ["FleetView", "Progress", "Silent"]


class Progress(Protocol):
    """One piece of work after another, each with a known number of steps."""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """A new piece of work begins, ``done`` of its steps before now."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """So many more steps are done; ``note`` is the newest thing worth knowing."""

    def finish(self, note: str = "") -> None:
        """This piece of work is over."""

    def say(self, message: str) -> None:
        """A sentence that stays on the screen."""


class Silent:
    """Shows nothing."""

    def start(self, what: str, steps: int, done: int = 0) -> None:
        """Nothing."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Nothing."""

    def finish(self, note: str = "") -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""


class FleetView(Protocol):
    """Many engines at once, each somewhere in its steps. Called from several threads."""

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """An engine is doing ``what``; ``done`` of ``steps`` where these are known."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """An engine is done, or has failed."""

    def say(self, message: str) -> None:
        """A sentence that stays on the screen."""
