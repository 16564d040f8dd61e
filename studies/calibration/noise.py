"""Simulated trial times with the disturbances of real ones and a known true value."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BEYOND", "SCENARIOS", "Noise", "Times"]

Times = npt.NDArray[np.float64]

#: Rounds after which the autocorrelation of the machine's speed has fallen to 1/e.
_DRIFT_ROUNDS = 3.0
#: Fraction by which a trial takes longer while a neighbour uses the other half of the core, and the number of trials
#: after which its autocorrelation has fallen to 1/e. Both as recorded by studies/calibration/self_comparison.py.
_NEIGHBOUR_SLOWDOWN, _NEIGHBOUR_TRIALS = 0.24, 2.0


@dataclass(frozen=True)
class Noise:
    """Noise model of trial times. Unless stated otherwise, values are standard deviations as fractions of the time.

    process: variation between processes (memory layout, page colours), constant for all trials of a process
    trial: variation between trials
    outliers: fraction of trials that are disturbed; each is then up to several times as long (Pareto, shape 2.5)
    neighbours: fraction of the time with an intermittent neighbour on the same core
    drift: variation of the machine's speed in phases of about three rounds, the same for all configurations
    long_run: whether the true value is that of the machine over a long time (True) or during the run (False)
    """

    process: float
    trial: float
    outliers: float = 0.0
    neighbours: float = 0.0
    drift: float = 0.0
    long_run: bool = True

    def draw(self, generator: np.random.Generator, processes: int, rounds: int, configurations: int) -> Times:
        """Return seconds of interleaved trials, shape [configurations, processes, rounds]; all true values are 1."""
        shape = (configurations, processes, rounds)
        of_processes = generator.normal(0, self.process, (configurations, processes, 1))
        logs = of_processes + generator.normal(0, self.trial, shape)
        walk = _autoregression(generator, processes * rounds)
        if not self.long_run:
            walk -= walk.mean()
        times: Times = np.exp(logs + self.drift * walk.reshape(1, processes, rounds))
        if self.neighbours:
            times[_bursts(generator, self.neighbours, shape)] *= 1 + _NEIGHBOUR_SLOWDOWN
        outliers = generator.random(shape) < self.outliers
        times[outliers] *= 1 + generator.pareto(2.5, int(outliers.sum())) * 0.3
        return times


def _autoregression(generator: np.random.Generator, count: int) -> Times:
    """Return a stationary first-order autoregression of variance 1, shape [count]."""
    correlation = np.exp(-1 / _DRIFT_ROUNDS)
    steps = generator.normal(0, 1, count)
    walk = np.empty(count)
    walk[0] = steps[0]
    for number in range(1, count):
        walk[number] = correlation * walk[number - 1] + np.sqrt(1 - correlation**2) * steps[number]
    return walk


def _bursts(generator: np.random.Generator, share: float, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Return which trials have a neighbour, shape ``shape``.

    Phases with and without a neighbour alternate in the order in which a run's shuffled rounds execute the trials.
    """
    configurations, processes, rounds = shape
    correlation, count = np.exp(-1 / _NEIGHBOUR_TRIALS), configurations * processes * rounds
    starts, drawn = generator.random(count) > correlation, generator.random(count) < share
    starts[0] = True
    last_start = np.maximum.accumulate(np.where(starts, np.arange(count), 0))  # a phase keeps the state of its start
    states = drawn[last_start].reshape(processes, rounds, configurations)
    return generator.permuted(states, axis=2).transpose(2, 0, 1)


#: From a quiet machine to a shared virtual one. "As recorded" has the components that `studies.calibration.components`
#: found on the latter, with nothing else running and with one core kept busy.
SCENARIOS = {
    "quiet": Noise(process=0.002, trial=0.004),
    "processes differ": Noise(process=0.02, trial=0.01),
    "heavy tails": Noise(process=0.01, trial=0.01, outliers=0.08),
    "as recorded": Noise(process=0.006, trial=0.023, drift=0.011),
    "as recorded, truth in the run": Noise(process=0.006, trial=0.023, drift=0.011, long_run=False),
    "as recorded, one core busy": Noise(process=0.004, trial=0.027, drift=0.017),
    "as recorded, one core busy, truth in the run": Noise(process=0.004, trial=0.027, drift=0.017, long_run=False),
    "neighbours a tenth of the time": Noise(process=0.006, trial=0.01, neighbours=0.1),
    "neighbours 30 % of the time": Noise(process=0.006, trial=0.01, neighbours=0.3),
    "neighbours 70 % of the time": Noise(process=0.006, trial=0.01, neighbours=0.7),
    "all at once": Noise(process=0.006, trial=0.023, outliers=0.08, drift=0.011, neighbours=0.2),
}

#: Stronger noise than any that was recorded, to find the limits of the intervals.
BEYOND = {
    "drift of 3 %, truth in the run": Noise(process=0.01, trial=0.01, drift=0.03, long_run=False),
    "drift of 3 %, truth in the long run": Noise(process=0.01, trial=0.01, drift=0.03),
}
