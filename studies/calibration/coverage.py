"""Coverage of the 95 % intervals: the fraction of simulated runs whose interval contains the true value.

    python -m studies.calibration.coverage [--draws 10000]

Draws runs of 30 trials in 5 processes from noise models whose true values are known. The aim is 93 to 97 %.
Takes about five minutes. Figures: docs/calibration.md.
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
from edge_bench.bench.stats.ratios import interleaved_ratio, paired_ratio
from studies.calibration.noise import BEYOND, SCENARIOS, Noise, Times

PROCESSES, ROUNDS = 5, 6
SEED = 42


def true_median(noise: Noise) -> float:
    """Return the median time of a trial of a random process at a random moment, estimated from 2.1 million trials."""
    generator = np.random.default_rng(SEED + 1)
    times = [noise.draw(generator, PROCESSES, ROUNDS, 100) for _ in range(700)]
    return float(np.median(times))


def contains(interval: Interval | None, truth: float) -> bool:
    """Return whether the interval contains the true value."""
    return interval is not None and interval.low <= truth <= interval.high


def coverage(noise: Noise, draws: int) -> dict[str, float]:
    """Return the fraction of intervals that contain the true value, by kind of interval."""
    generator, truth = np.random.default_rng(SEED), true_median(noise)
    kinds: dict[str, Callable[[Times, Times], bool]] = {
        "median": lambda first, _: contains(median_interval_over_processes(list(first)), truth),
        "median, trials taken as independent": lambda first, _: contains(median_interval(first.ravel()), truth),
        "ratio, one run": lambda first, second: contains(interleaved_ratio(list(first), list(second)).interval, 1.0),
        "ratio of waits": lambda first, second: contains(paired_ratio(list(first), list(second)).interval, 1.0),
    }
    hits = dict.fromkeys(kinds, 0)
    for _ in range(draws):
        first, second = noise.draw(generator, PROCESSES, ROUNDS, 2)
        for kind, is_covered in kinds.items():
            hits[kind] += is_covered(first, second)
    return {kind: count / draws for kind, count in hits.items()}


def accuracy_coverage(images: int, accuracy: float, gained: float, lost: float, draws: int) -> tuple[float, float]:
    """Return the coverage of the interval of an accuracy and of that of a paired difference of accuracies.

    ``accuracy`` is that of the first model. ``gained`` is the fraction of images that only the second model classifies
    correctly, ``lost`` the fraction that only the first does.
    """
    generator = np.random.default_rng(SEED)
    shares = [accuracy - lost, lost, gained, 1 - accuracy - gained]
    hits = [0, 0]
    for both, only_first, only_second, _ in generator.multinomial(images, shares, draws):
        first, second = np.zeros((2, images), dtype=bool)
        first[: both + only_first] = True
        second[:both] = True
        second[both + only_first : both + only_first + only_second] = True
        hits[0] += contains(wilson(int(both + only_first), images), accuracy)
        hits[1] += contains(paired_difference(second, first).interval, gained - lost)
    return hits[0] / draws, hits[1] / draws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10_000)
    draws = parser.parse_args().draws
    rows = []
    for name, noise in (SCENARIOS | BEYOND).items():
        rows.append((name, *(f"{100 * share:.1f}" for share in coverage(noise, draws).values())))
        print(f"{name}: done", flush=True)
    kinds = ("median", "median, trials taken\nas independent", "ratio,\none run", "ratio of\nwaits (offload)")
    print(f"\nIntervals that contain the true value, % of {draws:,} runs of {PROCESSES} × {ROUNDS} trials\n")
    print(tabulate(rows, ("noise", *kinds), tablefmt="github", disable_numparse=True))
    rows = []
    cases = ((10_000, 0.001, 0.0013), (10_000, 0.004, 0.005), (1_000, 0.01, 0.02), (500, 0.02, 0.03))
    for images, gained, lost in cases:
        shares = accuracy_coverage(images, 0.90, gained, lost, draws)
        rows.append((f"{images:,}", f"{gained:.2%}", f"{lost:.2%}", *(f"{100 * share:.1f}" for share in shares)))
    print(f"\nThe same for accuracy, % of {draws:,} draws, true accuracy 90 %\n")
    header = ("images", "only light right", "only original right", "accuracy (Wilson)", "difference, paired")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
