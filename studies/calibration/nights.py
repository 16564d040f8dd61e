"""Error rates of ``edge-bench history`` over 365 nights, by the standard deviation from run to run.

    python -m studies.calibration.nights [--draws 1000]

Draws series of independent, normal logarithms of times and judges them by ``bench/stats/control_chart.py``. Takes
two minutes. Figures: docs/calibration.md.
"""

import argparse
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from edge_bench.bench.stats.chart_records import RULES, Rules
from edge_bench.bench.stats.control_chart import ControlChart

__all__ = ["DEVIATIONS", "FalseAlarms", "StepsAgain", "creeps_found", "false_alarms", "steps_again", "steps_found"]

DEVIATIONS = (0.0025, 0.01, 0.02, 0.03)
NIGHTS, SEED = 365, 42
#: A step of 10 % after 10 to 120 nights must be found within seven.
STEP, SOONEST, LATEST, WITHIN = 0.10, 10, 120, 7
#: A creep of 0.1 % per night must be found before it reaches 5 %.
PER_NIGHT, NIGHTS_TO_FIND = 0.001, 50
#: In this many nights after a step, also one of -20 %, another one may be found in at most 2 % of series.
AFTER, FAST = 20, -0.2


class FalseAlarms(NamedTuple):
    """False alarms of a year without changes."""

    steps: float  # mean number
    creeps: float
    more_than_one: float  # fraction of years with more than one of both


class StepsAgain(NamedTuple):
    """Wrong findings in series with one step."""

    extra: float  # fraction of series with another step within ``AFTER`` nights
    misplaced: float  # fraction of the found steps that begin more than a night before or after the true one


def false_alarms(deviation: float, years: int, rules: Rules = RULES) -> FalseAlarms:
    """Return the false alarms of years of normal noise. ``deviation`` is relative."""
    generator = np.random.default_rng(SEED)
    charts = [ControlChart(_normal_noise(generator, deviation, NIGHTS).tolist(), rules) for _ in range(years)]
    steps, creeps = (np.array([len(getattr(chart, kind)) for chart in charts]) for kind in ("steps", "creeps"))
    return FalseAlarms(float(steps.mean()), float(creeps.mean()), float(np.mean(steps + creeps > 1)))


def steps_found(deviation: float, draws: int, first: int | None = None, rules: Rules = RULES) -> float:
    """Return the fraction of steps that are found in time. ``first`` is the night of the step, None a random one."""
    generator, found = np.random.default_rng(SEED + 1), 0
    for _ in range(draws):
        night = int(generator.integers(SOONEST, LATEST)) if first is None else first
        values = _normal_noise(generator, deviation, night + WITHIN)
        values[night:] += math.log1p(STEP)
        steps = ControlChart(values.tolist(), rules).steps
        found += any(step.side > 0 and step.confirmed >= night for step in steps)
    return found / draws


def steps_again(deviation: float, draws: int, size: float, rules: Rules = RULES) -> StepsAgain:
    """Return the fraction of extra and of misplaced steps of series with one step in a random night.

    ``size`` is relative, such as -0.2.
    """
    generator, extra, misplaced = np.random.default_rng(SEED + 3), 0, []
    for _ in range(draws):
        night = int(generator.integers(SOONEST, LATEST))
        values = _normal_noise(generator, deviation, night + AFTER)
        values[night:] += math.log1p(size)
        steps = [step for step in ControlChart(values.tolist(), rules).steps if step.confirmed >= night]
        true = next((step for step in steps if step.side * size > 0), None)
        extra += len(steps) > (true is not None)
        misplaced += [abs(true.first - night) > 1] if true else []
    return StepsAgain(extra / draws, float(np.mean(misplaced)))


def creeps_found(deviation: float, draws: int, quiet: int, rules: Rules = RULES) -> float:
    """Return the fraction of creeps after ``quiet`` nights that are found in time, as a creep or as a step."""
    generator, found = np.random.default_rng(SEED + 2), 0
    for _ in range(draws):
        values = _normal_noise(generator, deviation, quiet + NIGHTS_TO_FIND)
        values[quiet:] += np.log1p(PER_NIGHT * np.arange(NIGHTS_TO_FIND))
        chart = ControlChart(values.tolist(), rules)
        steps = any(step.side > 0 and step.confirmed >= quiet for step in chart.steps)
        found += steps or any(creep.side > 0 and creep.found >= quiet for creep in chart.creeps)
    return found / draws


def _normal_noise(generator: np.random.Generator, deviation: float, nights: int) -> npt.NDArray[np.float64]:
    return generator.normal(0, deviation, nights)


def row(deviation: float, draws: int) -> list[str]:
    """Return the table's row for one standard deviation between runs."""
    alarms = false_alarms(deviation, draws)
    up, down = (steps_again(deviation, 3 * draws, size) for size in (STEP, FAST))
    shares = (
        alarms.more_than_one,
        steps_found(deviation, 3 * draws),
        steps_found(deviation, 3 * draws, SOONEST),
        creeps_found(deviation, 3 * draws, 0),
        creeps_found(deviation, 3 * draws, 100),
        up.extra,
        down.extra,
        up.misplaced,
    )
    percentages = [f"{100 * share:.1f} %" for share in shares]
    return [f"{100 * deviation:g} %", f"{alarms.steps:.2f}", f"{alarms.creeps:.2f}", *percentages]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1_000)
    draws = parser.parse_args().draws
    rows = [row(deviation, draws) for deviation in DEVIATIONS]
    header = (
        "sd between runs", "false steps per year", "false creeps per year", "years with more than one",
        f"10 % step found within {WITHIN} nights", f"the same, in night {SOONEST}",
        "creep from night 0 found before +5 %", "creep from night 100",
        f"another step within {AFTER} nights after +10 %", "after -20 %", "+10 % begins more than a night off",
    )  # fmt: skip
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
