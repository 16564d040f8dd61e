"""Progress, elapsed time and estimated remaining time of a task."""

from collections.abc import Callable

from edge_bench.bench.progress import about, duration_text

__all__ = ["Pace"]


class Pace:
    """Completed steps and elapsed time of one task."""

    def __init__(self, steps: int, done: int, clock: Callable[[], float]) -> None:
        """Begin a task of ``steps`` steps, ``done`` of which were completed earlier; ``clock`` returns seconds."""
        self._clock, self._began = clock, clock()
        self._first, self.done, self.steps = done, done, steps
        self._expected: tuple[float, float] | None = None  # estimated seconds left, and the time of the estimate
        self._extrapolates = True

    def advance(self, steps: int) -> None:
        """Count completed steps."""
        self.done += steps

    def expect(self, seconds: float | None) -> None:
        """Set the seconds left, which are no longer estimated from the completed steps; None: unknown."""
        self._extrapolates = False
        self._expected = None if seconds is None else (seconds, self._clock())

    @property
    def elapsed(self) -> str:
        """Duration of the task so far."""
        return duration_text(self._clock() - self._began)

    @property
    def left(self) -> str:
        """``about 4 min left``; empty if that is unknown or nothing is left."""
        if (seconds := self._seconds_left()) is None or self.done >= self.steps:
            return ""
        return f"{about(max(0.0, seconds))} left"

    def _seconds_left(self) -> float | None:
        if self._expected is not None:
            seconds, known = self._expected
            return seconds - (self._clock() - known)
        advanced = self.done - self._first
        if not self._extrapolates or not advanced:
            return None
        return (self._clock() - self._began) / advanced * (self.steps - self.done)
