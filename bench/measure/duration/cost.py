"""The duration of a run in seconds, as a function of its images, trials and processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from edge_bench.bench.measure.schedule import passes_per_trial
from edge_bench.bench.measure.workers.graph_outputs import RECORDED_PROCESSES
from edge_bench.bench.records.run import Settings

__all__ = ["ConfigurationCost", "RunCost"]


@dataclass(frozen=True)
class ConfigurationCost:
    """The costs of one configuration."""

    image_seconds: float  # per image in a pass
    trial_seconds: float = 0.0  # per trial, in addition to its passes
    input_seconds: float = 0.0  # per image in each process, to make its input
    record_seconds: float = 0.0  # per image in the first processes, to record its outputs

    def trial(self, images: int) -> float:
        """Return the seconds of one trial. Short passes are repeated within it."""
        pass_seconds = self.image_seconds * images
        return passes_per_trial(int(1e9 * pass_seconds)) * pass_seconds + self.trial_seconds


@dataclass(frozen=True)
class RunCost:
    """The costs of a run."""

    configurations: Sequence[ConfigurationCost]  # those that can be measured
    start_seconds: float  # per generation: start, import, load and warm-up of all its workers
    idle_seconds: float = 0.0  # before the first trial, for measuring the idle power

    def seconds(self, settings: Settings, images: int) -> float:
        """Return the expected duration of a run with these trials and processes, on this many images.

        With --find-fastest, the second round has the fastest configurations, as many as it can have.
        """
        first = settings.first_round
        if first is None:
            return self.idle_seconds + self._round(settings, images)
        fastest = sorted(self.configurations, key=lambda each: each.image_seconds)[: first.finalists]
        share = len(fastest) / max(1, len(self.configurations))
        brief = msgspec.structs.replace(settings, trials=first.trials, processes=first.processes)
        final = RunCost([replace(each, record_seconds=0.0) for each in fastest], share * self.start_seconds)
        return self.idle_seconds + self._round(brief, images) + final._round(settings, images)

    def _round(self, settings: Settings, images: int) -> float:
        processes = min(settings.processes, settings.trials)
        in_a_trial = min(settings.resample or images, images)
        return (
            processes * (self.start_seconds + images * sum(each.input_seconds for each in self.configurations))
            + min(processes, RECORDED_PROCESSES) * images * sum(each.record_seconds for each in self.configurations)
            + settings.trials * sum(each.trial(in_a_trial) for each in self.configurations)
        )
