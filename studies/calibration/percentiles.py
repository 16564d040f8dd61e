"""Coverage of the intervals of percentiles, on real latencies with injected outliers.

    python -m studies.calibration.percentiles RUN.json... [--draws 400] [--processes 5]
    python -m studies.calibration.percentiles RUN.json... --splits 1 2 3 4 5 6 7 8 [--draws 200]
    python -m studies.calibration.percentiles --simulated

All processes of one configuration in all Runs are a population. The study draws samples of processes from it, with
replacement, makes some latencies slower, and counts the intervals that contain the population's percentile. The aim is
93 to 97 %. Simulated populations have fractions of slow latencies whose skewness between processes is known.

With --splits, each number is a random split of the Runs into halves. The first half gives the level of the high ends at
which 95 % of intervals contain the true value. The coverage is then measured on the other half.
Figures: docs/calibration.md.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.latency import percentiles
from studies.calibration.recorded import read_recorded

SEED = 42
WANTED = (50.0, 90.0, 95.0, 99.0)
#: Skewness of the fraction of slow latencies between simulated processes, and their number and latencies.
SKEWNESSES, PROCESSES, LATENCIES = (0.5, 1.0, 2.0, 4.0), 2_000, 2_000
#: Minimum number of latencies of a population with outliers: processes are repeated, each time with other outliers.
MIN_POPULATION = 4_000_000
#: Tested one-sided confidences of the high ends of intervals, for --splits.
LEVELS = (0.975, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.9975)
#: Fraction of the latencies that are slower, and their factor, for each kind of outliers.
OUTLIERS: dict[str, tuple[tuple[float, float], ...]] = {
    "as measured": (),
    "1 % × 3, 0.2 % × 10": ((0.01, 3.0), (0.002, 10.0)),
    "the same, more in some processes": ((0.01, 3.0), (0.002, 10.0)),
}
#: Shape of the gamma distribution, with mean 1, by which the fraction of outliers differs between processes.
VARYING = {"the same, more in some processes": 4.0}


def populations(runs: Sequence[Run]) -> dict[str, list[Values]]:
    """Return the latencies of each process in ms per image, by configuration, of all Runs together."""
    found: dict[str, list[Values]] = defaultdict(list)
    for run in runs:
        for result in run.results_with_trials:
            found[f"{run.bundle.model}: {result.configuration}"] += result.latencies_ms_by_process()
    return found


def with_outliers(generator: np.random.Generator, latencies: Values, kind: str) -> Values:
    """Return the latencies of a process with outliers of a kind."""
    shape, disturbed = VARYING.get(kind), latencies.copy()
    more = generator.gamma(shape, 1 / shape) if shape else 1.0
    for share, factor in OUTLIERS[kind]:
        disturbed[generator.random(len(disturbed)) < share * more] *= factor
    return disturbed


def with_truth(
    generator: np.random.Generator, population: Sequence[Values], kind: str
) -> tuple[list[Values], dict[float, float]]:
    """Return the processes of a population with outliers of a kind, and the percentiles of all their latencies."""
    copies = max(1, MIN_POPULATION // sum(map(len, population))) if OUTLIERS[kind] else 1
    whole = [with_outliers(generator, each, kind) for each in population for _ in range(copies)]
    return whole, dict(zip(WANTED, np.percentile(np.concatenate(whole), WANTED).tolist(), strict=True))


def draw(generator: np.random.Generator, population: Sequence[Values], kind: str, processes: int) -> list[Values]:
    """Return processes drawn with replacement, with outliers of a kind."""
    chosen = generator.integers(0, len(population), processes)
    return [with_outliers(generator, population[number], kind) for number in chosen]


class Coverage(NamedTuple):
    """Coverage of the intervals of a percentile, and the size of the errors."""

    held: float
    width: float  # median, as a fraction of the true value
    too_low: float  # fraction of intervals that are entirely below the true value
    missed_by: float  # median distance of the true value from these, as a fraction of it
    all_below: float  # fraction of draws in which each process's own percentile is below the true value
    skewness: float  # between processes, of the fraction of latencies above the true value


def coverage(population: Sequence[Values], kind: str, processes: int, draws: int) -> dict[float, Coverage]:
    """Return the coverage of the population's percentiles by intervals from ``processes`` drawn processes."""
    generator = np.random.default_rng(SEED)
    whole, truth = with_truth(generator, population, kind)
    ends, below = defaultdict[float, list[tuple[float, float]]](list), Counter[float]()
    for _ in range(draws):
        drawn = draw(generator, population, kind, processes)
        for each in percentiles(drawn, WANTED):
            if each.interval is None:
                raise SystemExit(f"p{each.percentile:g} needs more than {each.per_process} latencies in each process")
            true = truth[each.percentile]
            ends[each.percentile].append((each.interval.low / true, each.interval.high / true))
            # the fraction above is at most that of the percentile in every process
            below[each.percentile] += all(np.mean(one > true) < 1 - each.percentile / 100 for one in drawn)
    return {
        each: _coverage(np.array(found), below[each] / draws, np.array([np.mean(one > truth[each]) for one in whole]))
        for each, found in ends.items()
    }


def _coverage(ends: Values, all_below: float, shares: Values) -> Coverage:
    low, high = ends.T
    return Coverage(
        held=float(np.mean((low <= 1) & (high >= 1))),
        width=float(np.median(high - low)),
        too_low=float(np.mean(high < 1)),
        missed_by=float(np.median(1 - high[high < 1])) if np.any(high < 1) else 0.0,
        all_below=all_below,
        skewness=float(np.mean(((shares - shares.mean()) / shares.std()) ** 3)),
    )


def coverage_by_level(population: Sequence[Values], kind: str, processes: int, draws: int) -> dict[float, Values]:
    """Return the fraction of intervals that contain the percentile of the population, for each of `LEVELS`."""
    generator = np.random.default_rng(SEED)
    _, truth = with_truth(generator, population, kind)
    held = {percentile: np.zeros(len(LEVELS)) for percentile in WANTED}
    for _ in range(draws):
        drawn, missed = draw(generator, population, kind, processes), list(WANTED)
        for number, level in enumerate(LEVELS):
            for each in percentiles(drawn, missed, level) if missed else ():
                if each.interval and each.interval.low <= truth[each.percentile] <= each.interval.high:
                    held[each.percentile][number:] += 1 / draws  # a higher level only moves the high end further up
                    missed.remove(each.percentile)
    return held


def split_rows(runs: Sequence[Run], split: int, processes: int, draws: int) -> Iterator[tuple[str, ...]]:
    """Yield the level from one half of the Runs for each percentile, and the coverage of all levels on the other."""
    order = np.random.default_rng(split).permutation(len(runs))
    halves = [populations([runs[number] for number in part]) for part in np.array_split(order, 2)]
    for name in halves[0]:
        first, second = (
            {kind: coverage_by_level(half[name], kind, processes, draws) for kind in OUTLIERS} for half in halves
        )
        for percentile in WANTED:
            mean = np.mean([each[percentile] for each in first.values()], axis=0)
            chosen = int(np.argmax(mean >= 0.95)) if mean[-1] >= 0.95 else len(LEVELS) - 1
            for kind, each in second.items():
                held = each[percentile]
                yield (
                    str(split), name, f"p{percentile:g}", kind, f"{LEVELS[chosen]:.2%}", f"{held[chosen]:.1%}",
                    *(f"{share:.1%}" for share in held),
                )  # fmt: skip


def simulated(skewness: float) -> list[Values]:
    """Return latencies of processes, 10 % of which are slow on average. A gamma gives each process's fraction."""
    generator = np.random.default_rng(SEED)
    shape = (2 / skewness) ** 2
    shares = np.minimum(generator.gamma(shape, 0.1 / shape, PROCESSES), 1)
    slow = generator.random((PROCESSES, LATENCIES)) < shares[:, None]
    return list(generator.lognormal(0, 0.01, slow.shape) * np.where(slow, generator.lognormal(0.2, 0.2, slow.shape), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--splits", nargs="+", type=int, default=[], help="seeds of the splits")
    arguments = parser.parse_args()
    if arguments.splits:
        runs = read_recorded(arguments.runs)
        size = (arguments.processes, arguments.draws)
        found = [row for split in arguments.splits for row in split_rows(runs, split, *size)]
        levels = (f"{level:.2%}" for level in LEVELS)
        header = ("split", "configuration", "percentile", "outliers", "level", "intervals hold it", *levels)
        print(tabulate(found, header, tablefmt="github", disable_numparse=True))
        return
    if arguments.simulated:
        cases = {f"skewness {each:g}": simulated(each) for each in SKEWNESSES}
    else:
        cases = populations(read_recorded(arguments.runs))
    kinds = ("as measured",) if arguments.simulated else tuple(OUTLIERS)
    rows = [
        (
            name, str(len(population)), kind, f"p{percentile:g}", f"{found.held:.1%}", f"{found.width:.1%}",
            f"{found.too_low:.1%}", f"{found.missed_by:.2%}", f"{found.all_below:.1%}", f"{found.skewness:.1f}",
        )
        for name, population in cases.items()
        for kind in kinds
        for percentile, found in coverage(population, kind, arguments.processes, arguments.draws).items()
    ]  # fmt: skip
    header = (
        "configuration", "processes", "outliers", "percentile", "intervals hold it", "median width", "too low",
        "by, median", "all processes below", "skewness of shares",
    )  # fmt: skip
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
