"""Made-up trial times with the faults of real ones, and a truth that is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BEYOND", "SCENARIOS", "Noise", "Times"]

Times = npt.NDArray[np.float64]

#: Rounds after which a phase of the machine is forgotten to a third.
_PHASE_ROUNDS = 3.0
#: What a trial takes longer while a neighbour uses the other half of the core, and after how many trials that is
#: forgotten to a third: as recorded by studies/calibration/self_comparison.py.
_NEIGHBOUR, _NEIGHBOUR_TRIALS = 0.24, 2.0


@dataclass(frozen=True)
class Noise:
    """How trial times vary; figures are shares of the time itself, one standard deviation where nothing else is said.

    process: what a fresh process gets by luck (memory layout, page colours) and keeps for all its trials
    trial: what differs from trial to trial
    outliers: how many trials something interferes with; each is then up to several times as long (Pareto, shape 2.5)
    neighbours: share of the time with a neighbour on the same core, which comes and goes
    drift: how far the machine's speed wanders, alike for all that is measured in it, in phases of some three rounds
    long_run: whether the truth is the machine over a long time, of which a run sees a part, or as it was in the run
    """

    process: float
    trial: float
    outliers: float = 0.0
    neighbours: float = 0.0
    drift: float = 0.0
    long_run: bool = True

    def draw(self, generator: np.random.Generator, processes: int, rounds: int, configurations: int) -> Times:
        """Seconds, shape [configurations, processes, rounds], interleaved as `run` does it; the truth is 1 for all."""
        shape = (configurations, processes, rounds)
        logs = generator.normal(0, self.process, (configurations, processes, 1)) + generator.normal(
            0, self.trial, shape
        )
        walk = _phases(generator, processes * rounds)
        if not self.long_run:
            walk -= walk.mean()
        logs = logs + self.drift * walk.reshape(1, processes, rounds)
        times: Times = np.exp(logs)
        if self.neighbours:
            times[_bursts(generator, self.neighbours, shape)] *= 1 + _NEIGHBOUR
        hit = generator.random(shape) < self.outliers
        times[hit] *= 1 + generator.pareto(2.5, int(hit.sum())) * 0.3
        return times


def _phases(generator: np.random.Generator, count: int) -> Times:
    """A stationary first-order autoregression of variance 1, shape [count]."""
    kept = np.exp(-1 / _PHASE_ROUNDS)
    steps = generator.normal(0, 1, count)
    walk = np.empty(count)
    walk[0] = steps[0]
    for number in range(1, count):
        walk[number] = kept * walk[number - 1] + np.sqrt(1 - kept**2) * steps[number]
    return walk


def _bursts(generator: np.random.Generator, share: float, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Which trials have a neighbour: phases on and off, trial by trial in the order of a run's shuffled rounds."""
    configurations, processes, rounds = shape
    kept, count = np.exp(-1 / _NEIGHBOUR_TRIALS), configurations * processes * rounds
    fresh, drawn = generator.random(count) > kept, generator.random(count) < share
    fresh[0] = True
    last = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))  # each phase is as it was drawn at its start
    states = drawn[last].reshape(processes, rounds, configurations)
    return generator.permuted(states, axis=2).transpose(2, 0, 1)


#: From the quietest machine to a shared virtual one. "As recorded" is what `studies.calibration.components` found on
#: the latter, with nothing else running there and with one core kept busy.
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

#: Harsher than anything that was recorded: to see where intervals end to hold.
BEYOND = {
    "drift of 3 %, truth in the run": Noise(process=0.01, trial=0.01, drift=0.03, long_run=False),
    "drift of 3 %, truth in the long run": Noise(process=0.01, trial=0.01, drift=0.03),
}
