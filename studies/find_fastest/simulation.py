"""How often `run --find-fastest` names a wrong winner or none, for simulated times with known truth.

    python -m studies.find_fastest.simulation [--draws 300] [--noise NAME …]

Both rounds are drawn from the noise of studies/calibration/noise.py and judged by the code of `run`. In the first
round, each group of workers has a drift of its own. Takes about five minutes. Figures: docs/find-fastest.md.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.answer.answer import AnswerKind, answer_of
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.fastest.finalists import choose_finalists
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.schedule import grouped_schedule
from edge_bench.bench.records.run import (
    BundleIdentity,
    Configuration,
    FirstRound,
    Images,
    Result,
    Run,
    Settings,
    Trial,
)
from edge_bench.bench.system.machine import describe_machine
from studies.calibration.noise import SCENARIOS, Noise, Times

__all__ = ["CASES", "Outcome", "simulate"]

#: Name → true times. The slower configurations are those of sweeps: up to four times as slow.
_OTHERS = (1.5, 1.6, 2.0, 2.1, 3.0, 4.0)
CASES = {
    "leads by 10 %": (1.0, 1.1, 1.12, 1.15, 1.2, 1.3, *_OTHERS),
    "leads by 3 %": (1.0, 1.03, 1.05, 1.1, 1.2, 1.3, *_OTHERS),
    "three equal ones lead": (1.0, 1.0, 1.0, 1.1, 1.2, 1.3, *_OTHERS),
    "twelve equal ones": (1.0,) * 12,
}
NAMED = (AnswerKind.FASTEST,)
SETTINGS = Settings(first_round=FirstRound())


class Outcome(NamedTuple):
    """The answer of one search."""

    named: bool  # whether a winner was named
    right: bool  # whether the lowest time of the second round is that of the only fastest configuration
    left_out: bool  # whether no fastest configuration was in the second round
    probability: float
    finalists: int


def simulate(generator: np.random.Generator, noise: Noise, truth: Sequence[float]) -> Outcome:
    """Return the answer of one search over configurations with these true times."""
    first = _first_round(generator, noise, truth)
    begun = _run(
        [msgspec.structs.replace(_result(number), first_round=_trials(each)) for number, each in first.items()]
    )
    numbers = choose_finalists(begun)
    second = noise.draw(generator, SETTINGS.processes, SETTINGS.trials // SETTINGS.processes, len(numbers))
    results = list(begun.results)
    for times, number in zip(second, numbers, strict=True):
        results[number] = msgspec.structs.replace(results[number], trials=_trials(times * truth[number]))
    answer = answer_of(compare([msgspec.structs.replace(begun, results=results, finalists=numbers)]))
    assert answer.search is not None
    best = {number for number, each in enumerate(truth) if each == min(truth)}
    lead = int(answer.search.lead.variant)
    return Outcome(
        named=answer.kind in NAMED,
        right=best == {lead},
        left_out=not best & set(numbers),
        probability=answer.search.probability or 0.0,
        finalists=len(numbers),
    )


def _first_round(generator: np.random.Generator, noise: Noise, truth: Sequence[float]) -> dict[int, Times]:
    """Return the times of the first round, [processes, rounds], by configuration."""
    first = SETTINGS.first_round or FirstRound()
    rows: dict[int, list[Times]] = {number: [] for number in range(len(truth))}
    for members, generation in grouped_schedule(
        len(truth), first.trials, first.processes, int(generator.integers(1 << 30))
    ):
        times = noise.draw(generator, 1, len(generation.rounds), len(members))
        for member, each in zip(members, times, strict=True):
            rows[member].append(each[0] * truth[member])
    return {number: np.array(each) for number, each in rows.items()}


def _trials(times: Times) -> list[Trial]:
    return [
        Trial(process=process, round=number, sequence_number=0, began_ns=0, elapsed_ns=int(1e9 * seconds), passes=1,
              correct=0, latencies=pack([1]))
        for process, rounds in enumerate(times)
        for number, seconds in enumerate(rounds)
    ]  # fmt: skip


def _result(number: int) -> Result:
    configuration = Configuration(variant=str(number), runtime="litert", threads=1, batch_size=1)
    return Result(configuration=configuration, bytes=1, sha256=str(number))


def _run(results: list[Result]) -> Run:
    identity = BundleIdentity(
        sha256="", created="", model="", parameters=0, dataset="", dataset_sha256="", classes=["0"]
    )
    return Run(
        run_id="0" * 32, began="2026-01-01T00:00:00+00:00", ended="", wall_seconds=0, complete=True, tool_version="",
        tool_revision="", machine=_MACHINE, bundle=identity, settings=SETTINGS, results=results,
        images=Images(indices=pack([0]), labels=pack(np.zeros(0, np.int64)), total_images=1),
    )  # fmt: skip


_MACHINE = msgspec.structs.replace(describe_machine(), emulated=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--noise", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS), help="only these")
    arguments = parser.parse_args()
    rows, outcomes = [], list[Outcome]()
    for name in arguments.noise:
        for case, truth in CASES.items():
            generator = np.random.default_rng(42)
            found = [simulate(generator, SCENARIOS[name], truth) for _ in range(arguments.draws)]
            rows.append((name, case, *_shares(found)))
            outcomes += found if len(set(truth)) > 1 and truth.count(1.0) == 1 else []
            print(*rows[-1], sep=" | ", flush=True)
    header = ("noise", "case", "right, %", "wrong, %", "undecided, %", "left out, %", "finalists, mean")
    print(f"\n{tabulate(rows, header, tablefmt='github', disable_numparse=True)}\n\n{calibration(outcomes)}")


def _shares(found: Sequence[Outcome]) -> list[str]:
    right = sum(each.named and each.right for each in found)
    wrong = sum(each.named and not each.right for each in found)
    counts = (right, wrong, len(found) - right - wrong, sum(each.left_out for each in found))
    mean = np.mean([each.finalists for each in found])
    return [*(f"{100 * count / len(found):.1f}" for count in counts), f"{mean:.1f}"]


def calibration(outcomes: Sequence[Outcome]) -> str:
    """Return a Markdown table: how often the lead is the fastest, by its probability, whether named or not."""
    edges = (0.0, 0.5, 0.8, 0.95, 0.99, 1.01)
    bins = Counter[int]()
    right = Counter[int]()
    for each in outcomes:
        number = int(np.searchsorted(edges, each.probability, side="right")) - 1
        bins[number] += 1
        right[number] += each.right
    rows = [
        (f"{100 * edges[number]:.0f} to {min(100, 100 * edges[number + 1]):.0f} %", str(bins[number]),
         f"{100 * right[number] / bins[number]:.1f}")
        for number in sorted(bins)
    ]  # fmt: skip
    return tabulate(rows, ("probability", "searches", "fastest, %"), tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    main()
