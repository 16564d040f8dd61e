"""Processes with two speeds: whether they are detected, and their effect on verdicts and best rows.

    python -m studies.calibration.processes [--draws 1000]

Simulates runs of 5 processes × 6 trials. Takes about five minutes. Figures: docs/calibration.md.
"""

import argparse
from dataclasses import replace

import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.times.processes import process_luck, ratio_despite_luck
from edge_bench.bench.stats.comparisons.fastest import slower_despite_noise
from edge_bench.bench.stats.ratios import Verdict, interleaved_ratio, verdict, verdicts
from studies.calibration.noise import BEYOND, SCENARIOS, Noise, Times

PROCESSES, ROUNDS, SEED = 5, 6, 42
#: Noise of trials in addition to the two speeds.
ALIKE = Noise(process=0, trial=0.005)
DECIDED = (Verdict.FASTER, Verdict.SLOWER)


def two_speeds(generator: np.random.Generator, noise: Noise, configurations: int, slowdown: float) -> Times:
    """Return times as from Noise.draw. Each process is slower by ``slowdown`` with probability ½."""
    slow = generator.random((configurations, PROCESSES, 1)) < 0.5
    times: Times = noise.draw(generator, PROCESSES, ROUNDS, configurations) * np.where(slow, 1 + slowdown, 1)
    return times


def found_without_luck(noise: Noise, draws: int) -> tuple[float, float]:
    """Return the fraction of runs whose processes differ by over 3 %, and of wrongly reported process luck."""
    generator = np.random.default_rng(SEED)
    found = [
        process_luck(list(replace(noise, process=0).draw(generator, PROCESSES, ROUNDS, 1)[0])) for _ in range(draws)
    ]
    return sum(each is not None for each in found) / draws, sum(
        bool(each and each.of_processes) for each in found
    ) / draws


def found_with_luck(noise: Noise, slowdown: float, draws: int) -> float:
    """Return the fraction of runs reported as process luck, among those with processes of both speeds."""
    generator, found = np.random.default_rng(SEED), list[bool]()
    while len(found) < draws:
        slow = generator.random((PROCESSES, 1)) < 0.5
        if 0 < slow.sum() < PROCESSES:
            times = noise.draw(generator, PROCESSES, ROUNDS, 1)[0] * np.where(slow, 1 + slowdown, 1)
            luck = process_luck(list(times))
            found.append(luck is not None and luck.of_processes)
    return float(np.mean(found))


def verdict_errors(slowdown: float, draws: int) -> list[float]:
    """Return fractions for `interleaved_ratio`, then `ratio_despite_luck`.

    They are: wrong comparisons, tables of nine comparisons with any wrong one (Holm), and detections of 10 % more work.
    """
    shares = list[float]()
    for ratio_of in (interleaved_ratio, ratio_despite_luck):
        generator, wrong, tables, found = np.random.default_rng(SEED), 0, 0, 0
        for _ in range(draws):
            times = two_speeds(generator, ALIKE, 11, slowdown)
            base = list(times[0])
            ratios = [ratio_of(list(each), base) for each in times[1:10]]
            wrong += sum(verdict(each) in DECIDED for each in ratios)
            tables += any(each in DECIDED for each in verdicts(ratios))
            found += verdict(ratio_of(list(times[10] * 1.1), base)) is Verdict.SLOWER
        shares += [wrong / draws / 9, tables / draws, found / draws]
    return shares


def lost_best_rows(noise: Noise, slowdown: float, rows: int, draws: int) -> tuple[float, float]:
    """Return the fraction of tables of equal rows in which any lost its mark, and of rows 10 % slower that did.

    The mark is that of an answer (`slower_despite_noise`).
    """
    generator, lost, found = np.random.default_rng(SEED), 0, 0
    for _ in range(draws):
        times = two_speeds(generator, noise, rows + 1, slowdown)
        times[rows] *= 1.1
        fastest = min(range(rows), key=lambda row: float(np.median(times[row])))
        others = [list(each) for row, each in enumerate(times) if row != fastest]
        slower = slower_despite_noise([ratio_despite_luck(each, list(times[fastest])) for each in others])
        lost += any(slower[:-1])
        found += slower[-1]
    return lost / draws, found / draws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    rows = [(name, *_percent(*found_without_luck(noise, draws))) for name, noise in (SCENARIOS | BEYOND).items()]
    _show("Processes without luck, % of runs", ("noise", "differ by 3 %", "called luck"), rows)
    cases = [(trial, slowdown) for trial in (0.005, 0.01) for slowdown in (0.04, 0.06, 0.15)]
    rows = [
        (f"{trial:.1%}", f"{slow:.0%}", *_percent(found_with_luck(Noise(process=0, trial=trial), slow, draws)))
        for trial, slow in cases
    ]
    _show("Processes with two speeds, % of runs", ("noise of trials", "slower by", "called luck"), rows)
    rows = [(f"{slow:.0%}", *_percent(*verdict_errors(slow, draws // 4))) for slow in (0.04, 0.06, 0.15)]
    kinds = ("wrong", "wrong, any of nine", "10 % more work found")
    _show("Verdicts, %", ("slower by", *kinds, *(f"{kind}, with process_ratio" for kind in kinds)), rows)
    best = [("two speeds, 6 %", ALIKE, 0.06), *((name, noise, 0.0) for name, noise in SCENARIOS.items())]
    rows = [
        (name, str(count), *_percent(*lost_best_rows(noise, slow, count, draws // 10)))
        for name, noise, slow in best
        for count in (6, 9, 30)
    ]
    _show("Best rows, % of tables", ("noise", "equal rows", "any lost", "10 % slower row lost"), rows)


def _percent(*shares: float) -> list[str]:
    return [f"{100 * share:.1f}" for share in shares]


def _show(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    print(f"\n{title}\n\n{tabulate(rows, header, tablefmt='github', disable_numparse=True)}", flush=True)


if __name__ == "__main__":
    main()
