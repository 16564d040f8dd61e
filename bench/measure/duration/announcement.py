"""The expected duration of measuring: printed before the first trial, then updated in the progress view."""

from edge_bench.bench.measure.duration.remaining import Remaining
from edge_bench.bench.measure.duration.second_round import SecondRound
from edge_bench.bench.progress import Progress, about
from edge_bench.bench.wording import counted

__all__ = ["Announcement"]

#: The longest expected duration is printed, too, if it exceeds the shortest by more than this fraction.
_WIDE = 0.2


class Announcement:
    """Prints the duration that `Remaining` estimates, and nothing before there is an estimate."""

    def __init__(
        self, remaining: Remaining, progress: Progress, noun: str, second_round: SecondRound | None = None
    ) -> None:
        """``noun`` is what is measured, in the singular: ``configuration``. A ``second_round`` may follow."""
        self._remaining, self._progress, self._noun, self._second = remaining, progress, noun, second_round
        progress.expect(None)  # until the workers of the first generation are warm

    def started(self, seconds: float, more: float = 0.0) -> None:
        """Add that a generation took ``seconds`` to start its workers. After the first one, print the whole duration.

        more: seconds that the warm-up cannot predict, by which it may take longer
        """
        remaining, is_first = self._remaining, not self._remaining.has_started
        remaining.started(seconds)
        if is_first and remaining.configurations:
            shortest, then = remaining.seconds(), ""
            if self._second:
                low, high = self._second.seconds(remaining)
                shortest, more, then = shortest + low, high - low, self._second.text
            longest = f" to {about(shortest + more).removeprefix('about ')}" if more > _WIDE * shortest else ""
            trials = remaining.trials
            counts = f"{counted(remaining.configurations, self._noun)} × {counted(trials, 'trial')}"
            self._progress.say(f"{about(shortest)}{longest}: {counts}{then}")
        self._expect()

    def trial(self, number: int, seconds: float | None) -> None:
        """Add that a trial took ``seconds``, or that it is left out because its configuration has failed (None)."""
        self._remaining.trial(number, seconds)
        self._expect()

    def _expect(self) -> None:
        # not before each configuration has a trial, since the slowest may come last
        is_known = self._remaining.every_configuration_has_a_trial
        self._progress.expect(self._remaining.seconds() if is_known else None)
