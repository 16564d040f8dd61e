"""What a fleet command tells whoever watches; how it is shown is the watcher's business."""

from typing import Protocol

__all__ = ["FleetView"]


class FleetView(Protocol):
    """Many engines at once, each somewhere in its steps. Called from several threads."""

    def update(self, engine: str, what: str, done: int = 0, steps: int = 0, note: str = "") -> None:
        """An engine is doing ``what``; ``done`` of ``steps`` where these are known."""

    def ended(self, engine: str, well: bool, message: str) -> None:
        """An engine is done, or has failed."""

    def say(self, message: str) -> None:
        """A sentence that stays on the screen."""
