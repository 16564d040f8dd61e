"""Coverage of the slack's intervals on real latencies with injected outliers.

    python -m studies.calibration.slack RUN.json... [--draws 4000] [--outliers 0.01]

Each Run has the results A, A′, B and B′ in this order: A and A′ do the same work, B and B′ 5 % more. All process
generations of all Runs are the population. A simulated run is five generations drawn from it with replacement. Separate
runs have five for each side. The Runs are also used as measured, one or two at a time. Each trial then takes 10 times
as long with a probability of 1 %. An interval of typical times is right if it contains the difference in the population
without these outliers. One of means is right if it contains the difference of the means with them. The aim is
93 to 97 %. Takes about a minute. Figures: docs/calibration.md.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.comparisons.shifts import interleaved_shift, rests_on_outlier, unpaired_shift
from edge_bench.bench.stats.intervals import Interval, Values, difference_of_means, wilson
from edge_bench.bench.stats.ratios import median_difference
from studies.calibration.recorded import read_recorded

PROCESSES, SEED = 5, 42
FACTOR = 10.0
#: Positions in a Run of (light model, original).
PAIRS = {"the same work": ((1, 0), (3, 2)), "5 % more work": ((2, 0), (3, 1))}
HEADER = ("interval of", "compared", "simulated", "draws", "given, %", "right, % [95 %]", "half width, %")


class Trials(NamedTuple):
    """The trials of one configuration in one process, shape [trials] each, in seconds per pass."""

    typical: Values  # as if every invocation took the trial's median latency
    whole: Values


Generation = Sequence[Trials]  # of A, A′, B and B′
Indices = npt.NDArray[np.int64]  # of generations in the population
#: Returns the generations of the light model and those of the original in a simulated run.
Draw = Callable[[np.random.Generator], tuple[Indices, Indices]]
Side = list[Trials]  # one configuration in several processes


class Kind(NamedTuple):
    """A kind of interval: how it is computed from a simulated run, and the true value, both for (light, original)."""

    interval: Callable[[Side, Side], Interval | None]
    truth: Callable[[Side, Side, float], float]  # from the whole population and the fraction of disturbed trials


def population(runs: Sequence[Run]) -> list[list[Generation]]:
    """Return for each Run the process generations in which all four configurations have trials."""
    grouped = []
    for run in runs:
        generations: list[Generation] = []
        tables = [(RunResult(run, each).typical_seconds(), each.by_process()) for each in run.results[:4]]
        for process in sorted(set.intersection(*(set(typical) for typical, _ in tables))):
            rounds = [(typical[process], whole[process]) for typical, whole in tables]
            generations.append([Trials(*(np.array(list(each.values())) for each in pair)) for pair in rounds])
        grouped.append(generations)
    return grouped


def simulations(sizes: Sequence[int]) -> dict[str, tuple[bool, Draw]]:
    """Return for each kind of simulated run whether its sides are separate runs, and how its generations are drawn.

    ``sizes`` are the numbers of generations of each Run.
    """
    total = sum(sizes)
    runs = np.split(np.arange(total), np.cumsum(sizes)[:-1])

    def one(generator: np.random.Generator) -> tuple[Indices, Indices]:
        numbers = generator.integers(total, size=PROCESSES)
        return numbers, numbers

    def separate(generator: np.random.Generator) -> tuple[Indices, Indices]:
        return generator.integers(total, size=PROCESSES), generator.integers(total, size=PROCESSES)

    def measured(generator: np.random.Generator) -> tuple[Indices, Indices]:
        numbers = runs[generator.integers(len(runs))]
        return numbers, numbers

    def both_measured(generator: np.random.Generator) -> tuple[Indices, Indices]:
        first, second = generator.choice(len(runs), 2, replace=False)
        return runs[first], runs[second]

    found: dict[str, tuple[bool, Draw]] = {
        "one run": (False, one),
        "separate runs": (True, separate),
        "a Run as measured": (False, measured),
    }
    return found | ({"two Runs as measured": (True, both_measured)} if len(runs) > 1 else {})


def kinds(*, separate: bool) -> dict[str, Kind]:
    """Return the intervals that `compare` gives for one run or for separate ones, and those of all means."""
    shift = unpaired_shift if separate else interleaved_shift

    def typical(light: Side, original: Side) -> Interval | None:
        return shift([each.typical for each in light], [each.typical for each in original]).interval

    def means(light: Side, original: Side) -> Interval | None:
        return difference_of_means([each.whole for each in light], [each.whole for each in original])[1]

    def checked_means(light: Side, original: Side) -> Interval | None:
        unsafe = any(rests_on_outlier(np.concatenate([each.whole for each in side])) for side in (light, original))
        return None if unsafe else means(light, original)

    return {
        "typical times": Kind(typical, _typical_difference),
        "means": Kind(checked_means, _mean_difference),
        "means, outliers or not": Kind(means, _mean_difference),
    }


def _typical_difference(light: Side, original: Side, _: float) -> float:
    return median_difference([each.typical for each in light], [each.typical for each in original])


def _mean_difference(light: Side, original: Side, share: float) -> float:
    first, second = (float(np.mean([each.whole.mean() for each in side])) for side in (light, original))
    return (first - second) * (1 + share * (FACTOR - 1))


def coverage_table(grouped: Sequence[Sequence[Generation]], draws: int, share: float) -> str:
    """Return a Markdown table: the fraction of draws with an interval, and of those that are right."""
    generations = [generation for each in grouped for generation in each]
    rows = []
    for compared, pairs in PAIRS.items():
        for simulated, (separate, draw) in simulations([len(each) for each in grouped]).items():
            for name, kind in kinds(separate=separate).items():
                found = []
                for positions in pairs:
                    sides = [[each[position] for each in generations] for position in positions]
                    found += _outcomes(sides[0], sides[1], kind, draw, draws // len(pairs), share)
                rows.append((name, compared, simulated, *_cells(found)))
    return tabulate(rows, HEADER, tablefmt="github", disable_numparse=True)


def _outcomes(
    light: Side, original: Side, kind: Kind, draw: Draw, draws: int, share: float
) -> list[tuple[bool, float] | None]:
    """Return for each draw whether the interval is right, and its half width as a fraction of the original's time."""
    generator = np.random.default_rng(SEED)  # the same draws for every kind
    time = float(np.median(np.concatenate([each.typical for each in original])))
    truth = kind.truth(light, original, share)
    outcomes: list[tuple[bool, float] | None] = []
    for _ in range(draws):
        numbers, others = draw(generator)
        interval = kind.interval(
            [_disturbed(light[number], generator, share) for number in numbers],
            [_disturbed(original[number], generator, share) for number in others],
        )
        if interval is None:
            outcomes.append(None)
        else:
            outcomes.append((interval.low <= truth <= interval.high, (interval.high - interval.low) / 2 / time))
    return outcomes


def _disturbed(trials: Trials, generator: np.random.Generator, share: float) -> Trials:
    factors = np.where(generator.random(len(trials.typical)) < share, FACTOR, 1.0)
    return Trials(trials.typical * factors, trials.whole * factors)


def _cells(outcomes: Sequence[tuple[bool, float] | None]) -> tuple[str, ...]:
    given = [outcome for outcome in outcomes if outcome is not None]
    cells = (f"{len(outcomes):,}", f"{len(given) / len(outcomes):.0%}")
    if not given:
        return (*cells, "", "")
    right = sum(right for right, _ in given)
    interval = wilson(right, len(given))
    half = float(np.median([half for _, half in given]))
    return (*cells, f"{right / len(given):.1%} [{interval.low:.1%}, {interval.high:.1%}]", f"{100 * half:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--draws", type=int, default=4000, help="simulated runs for each row of the table")
    parser.add_argument("--outliers", type=float, default=0.01, help="fraction of trials that take ten times as long")
    arguments = parser.parse_args()
    grouped = population(read_recorded(arguments.runs))
    print(f"{len(grouped)} Runs, {sum(map(len, grouped))} process generations; {arguments.outliers:.1%} outliers\n")
    print(coverage_table(grouped, arguments.draws, arguments.outliers))


if __name__ == "__main__":
    main()
