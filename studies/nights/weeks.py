"""Weeks of `edge-bench nightly` on three engines: is a slowdown of 5 % found, and are there false alarms?

    python -m studies.nights.weeks RUNS [--slower SLOWER_RUNS] [--runs-per-night 3]
    python -m studies.nights.weeks --real LOG [--weeks 20] [--quiet-nights 50] [--seconds SECONDS]

RUNS and SLOWER_RUNS are folders with recorded Runs of two models, of which the second does about 5 % more work. Without
SLOWER_RUNS, they are the Runs of the first one, with times multiplied by 1.05. In each week of seven nights, one engine
dies in the fourth night, one becomes slower from the fifth night on (its Runs are then SLOWER_RUNS), and one stays as
it is. The nights are those of the real command, with its files, its second measurements and a notification by a real
program; only the engines deliver recorded Runs.

Runs of one day differ less than nights do. So the weeks are repeated with nights whose speed varies, in addition, by a
stated standard deviation, the same for all Runs of an engine in that night. Without RUNS, the last table alone is made:
the rules on normal noise. With --real, each Run is measured on this machine (studies/nights/real.py). Figures:
docs/nightly.md.
"""

import argparse
import datetime
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.stats.chart_records import RULES
from edge_bench.bench.stats.comparisons.early_step import early_step
from studies.nights.fleet import as_night, drawn, nights_of, scaled
from studies.nights.told import DEAD, NIGHTS, SLOW, Week, week_told

DEVIATIONS = (0.0, 0.005, 0.01, 0.02)
STEP = 0.05
SEED = 42


class Pools(NamedTuple):
    """Recorded Runs, and the number of them that are drawn for each night."""

    runs: Sequence[Run]
    slower: Sequence[Run]
    per_night: int


def week(pools: Pools, deviation: float, generator: np.random.Generator) -> Week:
    """Run a week and read its notifications."""
    speed: dict[tuple[str, int], float] = {}

    def deliver(engine: str, night: int, now: datetime.datetime) -> Run | None:
        if engine == "dying" and night >= DEAD:
            return None
        pool = pools.slower if engine == "slowing" and night >= SLOW else pools.runs
        factor = speed.setdefault((engine, night), float(generator.lognormal(0, deviation)))
        return as_night(scaled(drawn(pool, generator), factor), pools.runs[0], engine, now)

    with nights_of(deliver, NIGHTS, pools.per_night) as (_, told):
        return week_told(told)


def quiet_nights(pools: Pools, deviation: float, count: int, generator: np.random.Generator) -> int:
    """Return the number of changes that were reported in quiet nights of three engines in succession."""
    speed: dict[tuple[str, int], float] = {}

    def deliver(engine: str, night: int, now: datetime.datetime) -> Run:
        factor = speed.setdefault((engine, night), float(generator.lognormal(0, deviation)))
        return as_night(scaled(drawn(pools.runs, generator), factor), pools.runs[0], engine, now)

    with nights_of(deliver, count, pools.per_night) as (nights, _):
        return sum(len(night.reported) for night in nights)


def levels(runs: Sequence[Run]) -> list[float]:
    """Return the logarithm of the time per example of each Run."""
    return [math.log(history([run])[0].points[0].median) for run in runs]


def recorded_table(pools: Pools, weeks: int, count: int) -> str:
    """Return the results of weeks and of quiet nights with recorded Runs."""
    rows = []
    for deviation in DEVIATIONS:
        generator = np.random.default_rng(SEED)
        made = [week(pools, deviation, generator) for _ in range(weeks)]
        found = [each for each in made if each.found is not None]
        right = sum(each.named_since == SLOW for each in found)
        alarms = quiet_nights(pools, deviation, count, generator)
        nights = [sum(each.found == night for each in found) for night in range(SLOW, NIGHTS + 1)]
        estimates = [each.estimate for each in found if each.estimate is not None]
        rows.append(
            [
                f"{100 * deviation:g} %",
                f"{len(found)} of {weeks}",
                " + ".join(map(str, nights)),
                f"{right} of {len(found)}",
                f"{np.median(estimates):.3f}" if estimates else "",
                f"{sum(each.death_named for each in made)} of {weeks}",
                str(sum(each.false_alarms for each in made)),
                str(alarms),
            ]
        )
    header = (
        "added sd from night to night", "slowdown reported", "in night 5 + 6 + 7", "since night 5", "median ratio",
        "dead engine named", f"false alarms in {weeks} weeks", f"in {count} quiet nights of 3 engines",
    )  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def rules_table(draws: int) -> str:
    """Return error rates of the test for short series on normal noise, without second measurements."""
    rows = []
    for deviation in (0.002, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03):
        generator, alarms, found = np.random.default_rng(SEED), 0, 0
        for _ in range(draws):
            values = generator.normal(0, deviation, RULES.minimum).tolist()
            alarms += any(early_step(values[:end]) for end in range(2, RULES.minimum + 1))
            values[SLOW - 1 :] = [value + math.log1p(STEP) for value in values[SLOW - 1 :]]
            steps = (early_step(values[:end]) for end in range(SLOW, NIGHTS + 1))
            found += any(step is not None and step.ratio.value > 1 for step in steps)
        rows.append([f"{100 * deviation:g} %", f"{100 * found / draws:.1f} %", f"{100 * alarms / draws:.2f} %"])
    header = ("sd from night to night", "5 % from night 5 on found in night 5, 6 or 7", "false alarm in 8 quiet nights")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="?")
    parser.add_argument("--slower", type=Path)
    parser.add_argument("--weeks", type=int, default=20)
    parser.add_argument("--quiet-nights", type=int, default=50)
    parser.add_argument("--runs-per-night", type=int, help="default: 1; with --real: 2")
    parser.add_argument("--real", type=Path, metavar="LOG", help="measure each Run, and append a line for each week")
    parser.add_argument("--processes", type=int, default=2, help="with --real: processes of each Run")
    parser.add_argument("--seconds", type=float, default=math.inf, help="with --real: begin nothing after this time")
    parser.add_argument("--draws", type=int, default=10_000)
    arguments = parser.parse_args()
    if arguments.real:
        from studies.nights.real import Sizes, measure

        sizes = Sizes(arguments.runs_per_night or 2, arguments.processes)
        print(measure(arguments.real, arguments.weeks, arguments.quiet_nights, sizes, arguments.seconds))
        return
    if arguments.runs:
        runs = [read_run(path) for path in sorted(arguments.runs.glob("run-*.json"))]
        slower = [scaled(run, 1 + STEP) for run in runs]
        if arguments.slower:
            slower = [read_run(path) for path in sorted(arguments.slower.glob("run-*.json"))]
        for pool, name in ((runs, "Runs"), (slower, "slower Runs")):
            print(f"{len(pool)} {name}: sd from Run to Run {100 * np.std(levels(pool), ddof=1):.2f} %")
        print(f"true ratio {math.exp(np.median(levels(slower)) - np.median(levels(runs))):.4f}\n")
        pools = Pools(runs, slower, arguments.runs_per_night or 1)
        print(recorded_table(pools, arguments.weeks, arguments.quiet_nights), "\n")
    print(rules_table(arguments.draws))


if __name__ == "__main__":
    main()
