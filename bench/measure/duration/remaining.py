"""The remaining time of a run, from the warm-up of its workers and from its trials so far."""

import statistics
from collections.abc import Mapping

__all__ = ["Remaining"]

#: Seconds of a trial in addition to its passes, before the first is measured: messages, sensors and the journal.
_TRIAL_OVERHEAD = 0.02


class Remaining:
    """Estimates how long the rest of a run takes. All times are in seconds; configurations are numbers."""

    def __init__(self, trials: Mapping[int, int], generations: int) -> None:
        """Begin with the planned trials of each configuration, in this many generations of fresh workers."""
        self._trials, self._generations = dict(trials), generations
        self._starts = list[float]()
        self._expected: dict[int, float] = {}  # of a trial, from the warm-up
        self._seconds: dict[int, list[float]] = {number: [] for number in trials}  # of the trials so far
        self._recordings: dict[int, float] = {}  # of the passes that record outputs
        self._recordings_left: dict[int, int] = {}
        self._failed = set[int]()

    def started(self, seconds: float) -> None:
        """Add the ``seconds`` that a generation took to start and prepare its workers, without recording outputs."""
        self._starts.append(seconds)
        self._generations -= 1

    def prepared(self, number: int, pass_seconds: float, passes: int) -> None:
        """Add the expected duration of a configuration's trial, from the warm-up of its worker."""
        self._expected[number] = pass_seconds * passes + _TRIAL_OVERHEAD

    def recorded(self, number: int, seconds: float, left: int) -> None:
        """Add the ``seconds`` of recording a configuration's outputs, and how many recordings are ``left``."""
        self._recordings[number], self._recordings_left[number] = seconds, left

    def trial(self, number: int, seconds: float | None) -> None:
        """Add the ``seconds`` of a trial; None if it is skipped because its configuration has failed."""
        self._trials[number] -= 1
        if seconds is not None:
            self._seconds[number].append(seconds)

    def failed(self, number: int) -> None:
        """Add that a configuration has failed, and has no further trials."""
        self._failed.add(number)
        self._expected.pop(number, None)
        self._seconds.pop(number, None)
        self._recordings_left.pop(number, None)

    @property
    def has_started(self) -> bool:
        """Whether a generation has started its workers."""
        return bool(self._starts)

    @property
    def trials(self) -> int:
        """Largest number of trials that a configuration has left."""
        return max((self._trials[number] for number in self._known), default=0)

    @property
    def configurations(self) -> int:
        """Number of configurations that have not failed, if any was prepared."""
        return len(self._known)

    @property
    def trial_seconds(self) -> float:
        """Mean duration of a trial of the configurations that were prepared; 0 if there are none."""
        return statistics.mean(map(self._trial_seconds, self._expected)) if self._expected else 0.0

    @property
    def start_seconds(self) -> float:
        """Mean duration of starting a worker."""
        return statistics.mean(self._starts) / max(1, len(self._expected)) if self._starts else 0.0

    @property
    def _known(self) -> list[int]:
        """The configurations with trials left, whose duration can be estimated."""
        left = [number for number, trials in self._trials.items() if trials and number not in self._failed]
        return left if self._expected else []

    @property
    def every_configuration_has_a_trial(self) -> bool:
        """Whether each configuration that has not failed has finished a trial."""
        return all(self._seconds[number] for number in self._expected)

    def seconds(self) -> float:
        """Return the estimate: starts, recorded outputs and trials that are left."""
        starts = statistics.mean(self._starts) * self._generations if self._starts else 0.0
        records = sum(self._recordings[number] * left for number, left in self._recordings_left.items())
        trials = sum(
            self._trials[number] * (self._trial_seconds(number) if number in self._expected else self.trial_seconds)
            for number in self._known
        )
        return starts + records + trials

    def _trial_seconds(self, number: int) -> float:
        own = self._seconds[number]
        return statistics.mean(own) if own else self._expected[number]
