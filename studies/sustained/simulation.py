"""How often `run --duration` calls a load steady, slower or undecided, for simulated times with known truth.

    python -m studies.sustained.simulation [--draws 300] [--noise NAME …]

The trials of one process are drawn from the noise of studies/calibration/noise.py, or from that of a machine whose
speed drifts for longer, and judged by the code of `run`. The loads get slower by a known share, in the middle or
gradually, or stay as they are. Takes one to two minutes. Figures: docs/sustained.md.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from edge_bench.bench.stats.comparisons.level_change import EARLY, LATE, change_point, level_ratio, window
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Verdict, verdict
from studies.calibration.noise import SCENARIOS, Noise

__all__ = ["CASES", "NOISES", "Judged", "simulate"]

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


def drifting(generator: np.random.Generator, trials: int, sigma: float) -> Values:
    """Return times of level 1 with errors of 0.6 %, on a machine whose speed varies by ``sigma``, shape [TRIALS].

    Its autocorrelation has fallen to 1/e after ``trials``.
    """
    correlation = np.exp(-1 / trials)
    steps, speeds = generator.normal(0, 1, TRIALS), np.empty(TRIALS)
    speeds[0] = steps[0]
    for number in range(1, TRIALS):
        speeds[number] = correlation * speeds[number - 1] + np.sqrt(1 - correlation**2) * steps[number]
    times: Values = np.exp(generator.normal(0, 0.006, TRIALS) + sigma * speeds)
    return times


def of_noise(generator: np.random.Generator, noise: Noise) -> Values:
    """Return times of level 1 of one process, shape [TRIALS]."""
    times: Values = noise.draw(generator, 1, TRIALS, 1)[0, 0]
    return times


#: Name → times of a load of constant speed.
NOISES: dict[str, Callable[[np.random.Generator], Values]] = {
    **{name: partial(of_noise, noise=noise) for name, noise in SCENARIOS.items() if noise.long_run},
    "drift of 0.7 % over 10 trials": partial(drifting, trials=10, sigma=0.007),
    "drift of 0.7 % over 30 trials": partial(drifting, trials=30, sigma=0.007),
    "drift of 0.7 % over 100 trials": partial(drifting, trials=100, sigma=0.007),
}


class Judged(NamedTuple):
    """The verdict on one load."""

    verdict: Verdict
    covered: bool  # whether the interval contains the true ratio
    width: float  # of the interval
    changed_at: float | None  # share of the duration; None unless slower or faster


def simulate(
    generator: np.random.Generator,
    noise: Callable[[np.random.Generator], Values],
    truth: Callable[[Values], Values],
) -> Judged:
    """Return the verdict on one load whose true times are ``truth`` of the share of the duration."""
    shares = np.arange(TRIALS) / TRIALS
    times = noise(generator) * truth(shares)
    early, late = window(times, shares, EARLY), window(times, shares, LATE)
    ratio = level_ratio(times, shares)
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
    parser.add_argument("--noise", nargs="*", choices=list(NOISES), default=list(NOISES), help="only these")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.noise:
        for case, truth in CASES.items():
            generator = np.random.default_rng(42)
            rows.append((name, case, *_shares([simulate(generator, NOISES[name], truth)
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
