"""How often `run --duration` calls a load steady, slower or undecided, for simulated times with known truth.

    python -m studies.sustained.simulation [--draws 300] [--noise NAME …]

The trials of one process are drawn from the noise of studies/calibration/noise.py and judged by the code of `run`. Half
of the loads get slower by a known share, in the middle or gradually. Takes about a minute. Figures: docs/sustained.md.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from edge_bench.bench.stats.comparisons.level_change import EARLY, LATE, change_point, level_ratio, window
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Verdict, verdict
from studies.calibration.noise import SCENARIOS, Noise

__all__ = ["CASES", "Judged", "simulate"]

#: Trials of a load, as `run --duration` has them from one minute on.
TRIALS = 360
#: Name → true time at each share of the duration, 1 at the start.
CASES: dict[str, Callable[[Values], Values]] = {
    "steady": np.ones_like,
    "1 % slower in the middle": lambda shares: np.where(shares < 0.5, 1.0, 1.01),
    "3 % slower in the middle": lambda shares: np.where(shares < 0.5, 1.0, 1.03),
    "12 % slower in the middle": lambda shares: np.where(shares < 0.5, 1.0, 1.12),
    "12 % slower, gradually from 0.2 to 0.6": lambda shares: 1 + 0.12 * np.clip((shares - 0.2) / 0.4, 0, 1),
}


class Judged(NamedTuple):
    """The verdict on one load."""

    verdict: Verdict
    covered: bool  # whether the interval contains the true ratio
    width: float  # of the interval
    changed_at: float | None  # share of the duration; None unless slower or faster


def simulate(generator: np.random.Generator, noise: Noise, truth: Callable[[Values], Values]) -> Judged:
    """Return the verdict on one load whose true times are ``truth`` of the share of the duration."""
    shares = np.arange(TRIALS) / TRIALS
    times = noise.draw(generator, 1, TRIALS, 1)[0, 0] * truth(shares)
    early, late = window(times, shares, EARLY), window(times, shares, LATE)
    ratio = level_ratio(late, early)
    assert ratio is not None
    assert ratio.interval is not None
    true = float(np.median(truth(shares[shares >= LATE[0]])))
    found = verdict(ratio)
    index = change_point(times, float(np.median(early)), float(np.median(late)))
    return Judged(
        found,
        ratio.interval.low <= true <= ratio.interval.high,
        ratio.interval.high - ratio.interval.low,
        index / TRIALS if found in (Verdict.SLOWER, Verdict.FASTER) else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--noise", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS), help="only these")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.noise:
        for case, truth in CASES.items():
            generator = np.random.default_rng(42)
            rows.append((name, case, *_shares([simulate(generator, SCENARIOS[name], truth)
                                               for _ in range(arguments.draws)])))  # fmt: skip
            print(*rows[-1], sep=" | ", flush=True)
    header = ("noise", "case", "steady, %", "slower, %", "faster, %", "undecided, %", "true ratio in the interval, %",
              "width of the interval, %", "changed at, median and 90 %")  # fmt: skip
    print(f"\n{tabulate(rows, header, tablefmt='github', disable_numparse=True)}")


def _shares(found: list[Judged]) -> list[str]:
    counts = Counter(each.verdict for each in found)
    order = (Verdict.SAME, Verdict.SLOWER, Verdict.FASTER, Verdict.UNDECIDED)
    changed = [each.changed_at for each in found if each.changed_at is not None]
    when = " / ".join(f"{each:.2f}" for each in np.percentile(changed, (50, 5, 95))) if changed else ""
    return [
        *(f"{100 * counts[each] / len(found):.1f}" for each in order),
        f"{100 * np.mean([each.covered for each in found]):.1f}",
        f"{100 * np.median([each.width for each in found]):.1f}",
        when,
    ]


if __name__ == "__main__":
    main()
