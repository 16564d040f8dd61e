"""Verdicts between separate Runs, with real noise within the Runs and a known variation from run to run.

    python -m studies.calibration.between_runs RUNS... [--draws 1000]

RUNS are Run files or folders of `studies.calibration.self_comparison --keep`: each measured A, A′, B and B′ in one Run.
The first table says how much these Runs vary from run to run by themselves. For the others, the trials of a
configuration in a random Run are taken as those of a new Run, after dividing by that configuration's level in that Run
and multiplying by a level with the stated standard deviation. So the noise within a Run is real, and the truth is
known. Takes about two minutes. Figures: docs/calibration.md.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.times.timings import RunResult, per_image
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.comparisons.separate_runs import Side, level_of, separate_ratio
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, Verdict, p_value, verdict, verdicts
from edge_bench.bench.stats.student import holm
from studies.calibration.recorded import read_recorded

VARIATIONS = (0.0025, 0.01, 0.02, 0.03)
CONFIGURATIONS = 9
LIMIT = 0.05
DIFFERENT = (Verdict.FASTER, Verdict.SLOWER)

Trials = list[Values]  # seconds per image, one array per process


class RealNoise:
    """Trials of real Runs with their level taken off."""

    def __init__(self, runs: Sequence[Run], seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.centred = []
        for run in runs:
            for result in run.results:
                trials = typical(run, result)
                self.centred.append([values / math.exp(level_of(trials)) for values in trials])

    def side(self, runs: int, variation: float, work: float = 1.0) -> Side:
        """Return a side of new Runs whose true time is ``work``."""
        chosen = self.generator.integers(0, len(self.centred), runs)
        speeds = work * self.generator.lognormal(0, variation, runs)
        return Side([[values * speed for values in self.centred[n]] for n, speed in zip(chosen, speeds, strict=True)])

    def ratio(self, runs: int, variation: float, work: float = 1.0) -> Ratio:
        """Return the ratio of two sides of one machine."""
        sides = self.side(runs, variation, work), self.side(runs, variation)
        return separate_ratio(*sides, same_machine=True).ratio


def typical(run: Run, result: object) -> Trials:
    """Return seconds per image as `compare` takes them."""
    item = RunResult(run, result)  # type: ignore[arg-type]
    return per_image(item.typical_seconds(), item.images)


def gate_fails(ratio: Ratio) -> bool:
    """Return whether a gate at 5 % fails on this ratio alone."""
    return ratio.interval is not None and ratio.interval.low > 1 + LIMIT


def real_table(runs: Sequence[Run]) -> str:
    """Return how much the real Runs vary, and what is said of every pair of them, alone and with the others known."""
    rows = []
    for number, name in enumerate(("A", "A′", "B", "B′")):
        times = [typical(run, run.results[number]) for run in runs]
        levels = [level_of(each) for each in times]
        pairs = list(combinations(range(len(times)), 2))
        alone = [separate_ratio(Side([times[i]]), Side([times[j]]), same_machine=True).ratio for i, j in pairs]
        known = [
            separate_ratio(
                Side([times[i]], [levels[k] for k in range(len(levels)) if k not in (i, j)]), Side([times[j]]),
                same_machine=True,
            ).ratio
            for i, j in pairs
        ]  # fmt: skip
        for label, ratios in (("assumed", alone), ("of the other Runs", known)):
            rows.append(
                (name, len(runs), f"{100 * np.std(levels, ddof=1):.2f}", label, len(pairs), share(map(held, ratios)),
                 share(verdict(ratio) in DIFFERENT for ratio in ratios))
            )  # fmt: skip
    header = ("of", "Runs", "run to run, %", "variation", "pairs", "hold 1, %", "different, %")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def held(ratio: Ratio) -> bool:
    return ratio.interval is not None and ratio.interval.low <= 1 <= ratio.interval.high


def share(hits: Iterable[bool]) -> str:
    """Return a share of yes in %."""
    values = list(hits)
    return f"{100 * sum(values) / len(values):.1f}"


def simulated_table(noise: RealNoise, draws: int) -> str:
    """Return the shares of right and wrong verdicts by Runs of each side and by variation from run to run."""
    rows = []
    for runs in (1, 2, 5, 8):
        for variation in VARIATIONS:
            itself, more, most = ([noise.ratio(runs, variation, w) for _ in range(draws)] for w in (1.0, 1.03, 1.10))
            tables = [[noise.ratio(runs, variation) for _ in range(CONFIGURATIONS)] for _ in range(draws // 4)]
            rows.append((
                runs, f"{100 * variation:g}",
                share(map(held, itself)),
                share(verdict(ratio) in DIFFERENT for ratio in itself),
                share(any(each in DIFFERENT for each in verdicts(table)) for table in tables),
                share(map(gate_fails, itself)),
                share(map(gate_fails, more)),
                share(any(p <= 0.05 for p in holm([one_sided(ratio) for ratio in table])) for table in tables),
                share(verdict(ratio) is Verdict.SLOWER for ratio in most),
                share(map(gate_fails, most)),
            ))  # fmt: skip
    header = (
        "Runs of each side", "run to run, %", "interval holds 1", "itself: different",
        f"{CONFIGURATIONS} rows: any different", "5 % gate fails, itself", "… 3 % more work",
        f"… any of {CONFIGURATIONS}, itself", "10 % more work: slower", "… fails the 5 % gate",
    )  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def one_sided(ratio: Ratio) -> float:
    """Return the p-value by which the gate judges."""
    return p_value(ratio, LIMIT) if ratio.value > 1 else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    runs = read_recorded(arguments.runs)
    print(f"Real Runs, from {runs[0].began[:16]} to {runs[-1].began[:16]}\n\n{real_table(runs)}\n")
    print(
        f"% [95 %] of {arguments.draws:,} draws\n\n{simulated_table(RealNoise(runs, arguments.seed), arguments.draws)}"
    )


if __name__ == "__main__":
    main()
