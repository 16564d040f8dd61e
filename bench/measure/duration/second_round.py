"""The expected duration of the second round of --find-fastest, during the first one."""

from edge_bench.bench.measure.duration.remaining import Remaining
from edge_bench.bench.records.settings.settings import Settings
from edge_bench.bench.wording import counted

__all__ = ["SecondRound"]

#: Fewest configurations of a second round.
_FEWEST = 2


class SecondRound:
    """The second round, whose configurations are not known yet."""

    def __init__(self, settings: Settings, configurations: int) -> None:
        most = settings.first_round.finalists if settings.first_round else configurations
        self._settings, self._most = settings, min(most, configurations)

    @property
    def text(self) -> str:
        """What follows the first round: ``, then 2 to 8 × 30 trials``."""
        return f", then {_FEWEST} to {self._most} × {counted(self._settings.trials, 'trial')}"

    def seconds(self, remaining: Remaining) -> tuple[float, float]:
        """Return the shortest and the longest expected duration, from the start of the first round."""
        processes = min(self._settings.processes, self._settings.trials)
        each = self._settings.trials * remaining.trial_seconds + processes * remaining.start_seconds
        return _FEWEST * each, self._most * each
