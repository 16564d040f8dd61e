"""Made-up trial times with the faults of real ones, and a truth that is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SCENARIOS", "Noise", "Times"]

Times = npt.NDArray[np.float64]

#: Rounds after which a phase of the machine is forgotten to a third.
_PHASE_ROUNDS = 3.0


@dataclass(frozen=True)
class Noise:
    """How trial times vary; figures are shares of the time itself, one standard deviation where nothing else is said.

    process: what a fresh process gets by luck (memory layout, page colours) and keeps for all its trials
    trial: what differs from trial to trial
    outliers: how many trials something interferes with; each is then up to several times as long (Pareto, shape 2.5)
    drift: how far the machine's speed wanders, alike for all that is measured in it, in phases of some three rounds
    long_run: whether the truth is the machine over a long time, of which a run sees a part, or as it was in the run
    """

    process: float
    trial: float
    outliers: float = 0.0
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


#: From the quietest machine to a shared virtual one. Process and trial figures bracket what `run` has measured.
SCENARIOS = {
    "quiet": Noise(process=0.002, trial=0.004),
    "processes differ": Noise(process=0.02, trial=0.01),
    "heavy tails": Noise(process=0.01, trial=0.01, outliers=0.08),
    "drift, truth in the run": Noise(process=0.01, trial=0.01, drift=0.03, long_run=False),
    "drift, truth in the long run": Noise(process=0.01, trial=0.01, drift=0.03),
    "shared machine": Noise(process=0.02, trial=0.04, outliers=0.10, drift=0.03),
}
