"""Do the 95 % intervals hold the truth in 95 % of the cases?

    python -m studies.calibration.coverage [--draws 10000]

Draws runs of 30 trials over 5 processes from noise whose truth is known, and counts. Aim: 93 to 97 %.
"""

import argparse
from collections.abc import Callable

import numpy as np
from tabulate import tabulate

from edge_bench.bench.stats.intervals import (
    Interval,
    median_interval,
    median_interval_over_processes,
    paired_difference,
    wilson,
)
from edge_bench.bench.stats.ratios import interleaved_ratio, paired_ratio, unpaired_ratio
from studies.calibration.noise import BEYOND, SCENARIOS, Noise, Times

PROCESSES, ROUNDS = 5, 6
SEED = 42


def true_median(noise: Noise) -> float:
    """The median of one trial's time, of a process and a moment drawn by chance; from two million of them."""
    generator = np.random.default_rng(SEED + 1)
    times = [noise.draw(generator, PROCESSES, ROUNDS, 100) for _ in range(700)]
    return float(np.median(times))


def holds(interval: Interval | None, truth: float) -> bool:
    """Whether the truth is in it."""
    return interval is not None and interval.low <= truth <= interval.high


def coverage(noise: Noise, draws: int) -> dict[str, float]:
    """Share of intervals that hold the truth, by what they are of."""
    generator, truth = np.random.default_rng(SEED), true_median(noise)
    kinds: dict[str, Callable[[Times, Times], bool]] = {
        "median": lambda first, _: holds(median_interval_over_processes(list(first)), truth),
        "median, trials taken as independent": lambda first, _: holds(median_interval(first.ravel()), truth),
        "ratio, one run": lambda first, second: holds(interleaved_ratio(list(first), list(second)).interval, 1.0),
        "ratio of waits": lambda first, second: holds(paired_ratio(list(first), list(second)).interval, 1.0),
    }
    hits = dict.fromkeys([*kinds, "ratio, two machines"], 0)
    for _ in range(draws):
        first, second = noise.draw(generator, PROCESSES, ROUNDS, 2)
        for kind, request in kinds.items():
            hits[kind] += request(first, second)
        elsewhere = noise.draw(generator, PROCESSES, ROUNDS, 1)[0]  # another machine has drift of its own
        hits["ratio, two machines"] += holds(unpaired_ratio(list(first), list(elsewhere)).interval, 1.0)
    return {kind: count / draws for kind, count in hits.items()}


def accuracy_coverage(images: int, accuracy: float, gained: float, lost: float, draws: int) -> tuple[float, float]:
    """The same for an accuracy and a paired difference; ``gained`` and ``lost`` are shares of discordant images."""
    generator = np.random.default_rng(SEED)
    shares = [accuracy - lost, lost, gained, 1 - accuracy - gained]
    hits = [0, 0]
    for both, only_first, only_second, _ in generator.multinomial(images, shares, draws):
        first = np.zeros(images, dtype=bool)
        second = np.zeros(images, dtype=bool)
        first[: both + only_first] = True
        second[:both] = True
        second[both + only_first : both + only_first + only_second] = True
        hits[0] += holds(wilson(int(both + only_first), images), accuracy)
        hits[1] += holds(paired_difference(second, first).interval, gained - lost)
    return hits[0] / draws, hits[1] / draws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10_000)
    draws = parser.parse_args().draws
    rows = []
    for name, noise in (SCENARIOS | BEYOND).items():
        rows.append((name, *(f"{100 * share:.1f}" for share in coverage(noise, draws).values())))
        print(f"{name}: done", flush=True)
    kinds = (
        "median",
        "median, trials taken\nas independent",
        "ratio,\none run",
        "ratio of\nwaits (offload)",
        "ratio,\ntwo machines",
    )
    print(f"\nIntervals that hold the truth, % of {draws:,} runs of {PROCESSES} × {ROUNDS} trials\n")
    print(tabulate(rows, ("noise", *kinds), tablefmt="github", disable_numparse=True))
    rows = []
    for images, gained, lost in [
        (10_000, 0.001, 0.0013),
        (10_000, 0.004, 0.005),
        (1_000, 0.01, 0.02),
        (500, 0.02, 0.03),
    ]:
        shares = accuracy_coverage(images, 0.90, gained, lost, draws)
        rows.append((f"{images:,}", f"{gained:.2%}", f"{lost:.2%}", *(f"{100 * share:.1f}" for share in shares)))
    print(f"\nThe same for accuracy, % of {draws:,} draws, true accuracy 90 %\n")
    header = ("images", "only light right", "only original right", "accuracy (Wilson)", "difference, paired")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
