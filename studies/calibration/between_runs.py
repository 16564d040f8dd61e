"""Verdicts between separate Runs, with real noise within the Runs and a known variation from run to run.

    python -m studies.calibration.between_runs RUNS... [--draws 1000]

RUNS are Run files or folders of `studies.calibration.self_comparison --keep`: each measured A, A′, B and B′ in one Run.
The first table has the variation of these Runs from run to run. For the other tables, the trials of a configuration in
a random Run are used as those of a new Run: they are divided by that configuration's level in that Run and multiplied
by a level with the stated standard deviation. So the noise within a Run is real, and the true value is known. Earlier
Runs of both sides have the same variation. The last table has the maximum power of any test.
Takes about three minutes. Figures: docs/calibration.md.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import optimize, stats
from tabulate import tabulate

from edge_bench.bench.analysis.times.timings import RunResult, per_image
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.comparisons.limits import beyond_limit, limit_confidence
from edge_bench.bench.stats.comparisons.separate_runs import Side, level_of, separate_ratio
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict, verdicts
from edge_bench.bench.stats.student import holm
from studies.calibration.recorded import read_recorded

VARIATIONS = (0.0025, 0.01, 0.02, 0.03)
#: Number of Runs of each side, and of earlier Runs of each configuration (``--history``).
SIDES = ((1, 0), (1, 20), (2, 0), (3, 0), (5, 0), (5, 20), (7, 0), (8, 0))
CONFIGURATIONS = 9
LIMIT = 0.05
DIFFERENT = (Verdict.FASTER, Verdict.SLOWER)

Trials = list[Values]  # seconds per image, one array per process


class RealNoise:
    """Trials of real Runs, divided by their level."""

    def __init__(self, runs: Sequence[Run], seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.centred = []
        for run in runs:
            for result in run.results:
                trials = typical(run, result)
                self.centred.append([values / math.exp(level_of(trials)) for values in trials])

    def side(self, runs: int, variation: float, work: float = 1.0, earlier: int = 0) -> Side:
        """Return a side of new Runs whose true time is ``work``, with the levels of earlier ones."""
        chosen = self.generator.integers(0, len(self.centred), runs)
        speeds = work * self.generator.lognormal(0, variation, runs)
        return Side(
            [[values * speed for values in self.centred[n]] for n, speed in zip(chosen, speeds, strict=True)],
            self.generator.normal(0, variation, earlier).tolist(),
        )

    def ratio(self, runs: int, variation: float, work: float = 1.0, earlier: int = 0) -> Ratio:
        """Return the ratio of two sides of one machine."""
        sides = self.side(runs, variation, work, earlier), self.side(runs, variation, 1.0, earlier)
        return separate_ratio(*sides, same_machine=True).ratio


def typical(run: Run, result: object) -> Trials:
    """Return seconds per image as used by `compare`."""
    item = RunResult(run, result)  # type: ignore[arg-type]
    return per_image(item.typical_seconds(), item.images)


def gate_p_value(ratio: Ratio, runs: int) -> float:
    """Return the p-value of a gate at 5 % for a ratio of ``runs`` Runs of each side; it fails below 0.05."""
    return beyond_limit(ratio, LIMIT) * 0.1 / (1 - limit_confidence(runs, runs))


def gate_fails(ratio: Ratio, runs: int) -> bool:
    """Return whether a gate at 5 % fails on this ratio alone."""
    return gate_p_value(ratio, runs) < 0.05


def real_table(runs: Sequence[Run]) -> str:
    """Return the variation of the real Runs, and the verdicts on every pair, alone and with the other Runs known."""
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
    """Return the percentage of true values."""
    values = list(hits)
    return f"{100 * sum(values) / len(values):.1f}"


def simulated_table(noise: RealNoise, draws: int) -> str:
    """Return the shares of right and wrong verdicts by Runs of each side and by variation from run to run."""
    rows = []
    for runs, earlier in SIDES:
        for variation in VARIATIONS:
            itself, more, most = (
                [noise.ratio(runs, variation, work, earlier) for _ in range(draws)] for work in (1.0, 1.03, 1.10)
            )
            tables = [
                [noise.ratio(runs, variation, 1.0, earlier) for _ in range(CONFIGURATIONS)] for _ in range(draws // 4)
            ]
            rows.append((
                f"{runs} + {earlier}" if earlier else runs, f"{100 * variation:g}",
                share(map(held, itself)),
                share(verdict(ratio) in DIFFERENT for ratio in itself),
                share(any(each in DIFFERENT for each in verdicts(table)) for table in tables),
                share(gate_fails(ratio, runs) for ratio in itself),
                share(gate_fails(ratio, runs) for ratio in more),
                share(any(p < 0.05 for p in holm([gate_p_value(ratio, runs) for ratio in table])) for table in tables),
                share(verdict(ratio) is Verdict.SLOWER for ratio in most),
                share(gate_fails(ratio, runs) for ratio in most),
            ))  # fmt: skip
    header = (
        "Runs of each side, + earlier", "run to run, %", "interval holds 1", "itself: different",
        f"{CONFIGURATIONS} rows: any different", "5 % gate fails, itself", "… 3 % more work",
        f"… any of {CONFIGURATIONS}, itself", "10 % more work: slower", "… fails the 5 % gate",
    )  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def power_table(variation: float = 0.03) -> str:
    """Return the percentage of true slowdowns of 10 % that a 5 % gate can find at best, by Runs of each side.

    Runs vary normally. Student's t is the most powerful test that depends neither on the unit of time nor on the
    variation (Lehmann & Romano, Testing Statistical Hypotheses, section 6.4). A known variation is the best case.
    """
    rows = []
    for runs in range(5, 9):
        freedom, error = 2 * runs - 2, variation * math.sqrt(2 / runs)
        far, near = (math.log(true / (1 + LIMIT)) / error for true in (1.10, 1.03))

        def fails(distance: float, threshold: float, freedom: int = freedom) -> float:
            return float(stats.nct.sf(threshold, freedom, distance))

        strict, least = stats.t.isf(0.05, freedom), optimize.brentq(lambda t, d=near: fails(d, t) - 0.01, 0, 10)
        rows.append((runs, *(
            f"{100 * each:.1f}"
            for each in (fails(far, strict), stats.norm.sf(stats.norm.isf(0.05) - far), fails(far, least))
        )))  # fmt: skip
    header = (
        "Runs of each side", "error at 5 % at most 5 %", "the same, variation known",
        "only error at 3 % at most 1 %",
    )  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    runs = read_recorded(arguments.runs)
    print(f"Real Runs, from {runs[0].began[:16]} to {runs[-1].began[:16]}\n\n{real_table(runs)}\n")
    print(f"% of {arguments.draws:,} draws\n\n{simulated_table(RealNoise(runs, arguments.seed), arguments.draws)}\n")
    print(f"% of true slowdowns of 10 % found, 3 % from run to run\n\n{power_table()}")


if __name__ == "__main__":
    main()
