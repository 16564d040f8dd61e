"""The order of trials: rounds over all configurations, each round in its own shuffled order."""

from typing import NamedTuple

import numpy as np

from edge_bench.bench.records.settings.settings import Settings
from edge_bench.bench.worker.durations import TRIAL

__all__ = ["AT_ONCE", "Generation", "grouped_schedule", "passes_per_trial", "schedule", "trial_seconds"]

#: Workers at the same time in groups of configurations. Many would not fit in a Raspberry Pi's memory.
AT_ONCE = 8
#: Of a sustained load: several trials a minute, however long it is.
_LONGEST_TRIAL_SECONDS = 10.0


class Generation(NamedTuple):
    """A set of fresh worker processes; ``rounds[r]`` is the order of configurations, by number, in round r."""

    number: int
    rounds: list[list[int]]


def schedule(configurations: int, trials: int, processes: int, seed: int, repeat: int = 0) -> list[Generation]:
    """Return up to ``processes`` generations with ``trials`` rounds in total, spread evenly and each shuffled.

    Interleaving exposes all configurations to the same drift, which about halves the variance between runs
    (google/benchmark's random interleaving). The same seed and ``repeat`` give the same order. Each repeat of a run has
    another order, so that no configuration always follows the same one. The first has the order of a single run (0).
    """
    processes = min(processes, trials)
    generator = np.random.default_rng([seed, max(0, repeat - 1)])  # [seed, 0] is the same as seed alone
    whole, extra = divmod(trials, processes)
    return [
        Generation(index, [generator.permutation(configurations).tolist() for _ in range(whole + (index < extra))])
        for index in range(processes)
    ]


def grouped_schedule(
    configurations: int, trials: int, processes: int, seed: int, at_once: int = AT_ONCE
) -> list[tuple[list[int], Generation]]:
    """Return groups of up to ``at_once`` configurations, and their rounds.

    Each generation has fresh processes of all configurations, one group after another. Groups are drawn anew for each
    generation, so that a drift of the machine between groups is random noise.
    """
    processes = min(processes, trials)
    generator = np.random.default_rng([seed, 1 << 32])  # not the order of rounds with all configurations
    whole, extra = divmod(trials, processes)
    groups = list[tuple[list[int], Generation]]()
    for index in range(processes):
        for members in np.array_split(generator.permutation(configurations), -(-configurations // at_once)):
            rounds = [generator.permutation(len(members)).tolist() for _ in range(whole + (index < extra))]
            groups.append((members.tolist(), Generation(index, rounds)))
    return groups


def trial_seconds(settings: Settings) -> float:
    """Return the shortest duration of a trial: 200 ms, or of a sustained load 1/360 of it, at most 10 s.

    Longer trials leave shorter gaps between them, in which the processor would cool down.
    """
    load = settings.sustained
    return max(TRIAL.seconds(), min(load.duration_s / 360, _LONGEST_TRIAL_SECONDS) if load else 0.0)


def passes_per_trial(pass_ns: int, seconds: float | None = None) -> int:
    """Return how many passes of ``pass_ns`` nanoseconds each take at least ``seconds`` (200 ms); at least one."""
    shortest = TRIAL.nanoseconds() if seconds is None else int(1e9 * seconds)
    return max(1, -(-shortest // max(pass_ns, 1)))
