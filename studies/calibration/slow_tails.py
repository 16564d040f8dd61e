"""How often `compare` reports a slow tail: real self-comparisons, and the same with some invocations made slower.

    python -m studies.calibration.slow_tails RUNS...

RUNS are Run files or folders of `studies.calibration.self_comparison --keep`. A′ is compared with A and B′ with B of
the same Run, and A and B of every Run with those of every other Run. For the injections, a fraction of the invocations
of A′ and B′ takes several times as long, so that the whole pass is 10 % longer. The aims: reported in at least 90 %
within a Run, and never without an injection. Takes half a minute. Figures: docs/calibration.md.
"""

import argparse
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.times.compared_times import TimeComparison, compare_times
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.records.run import Result, Run, Trial
from edge_bench.bench.stats.ratios import Verdict, verdict
from studies.calibration.recorded import read_recorded

#: Fraction of the invocations that are slower, and their factor.
INJECTIONS = ((0.30, 1.33), (0.02, 6.0))
SEED = 42


def with_slow_invocations(result: Result, share: float, times: float, generator: np.random.Generator) -> Result:
    """Return the result with a random fraction of each trial's invocations taking ``times`` as long."""
    return msgspec.structs.replace(result, trials=[_slower(trial, share, times, generator) for trial in result.trials])


def _slower(trial: Trial, share: float, times: float, generator: np.random.Generator) -> Trial:
    latencies = unpack(trial.latencies)
    added = latencies * (times - 1) * (generator.random(len(latencies)) < share)
    return msgspec.structs.replace(
        trial,
        elapsed_ns=trial.elapsed_ns + int(added.sum()) * trial.passes,
        latencies=pack((latencies + added).astype(np.int64)),
    )


def within_runs(runs: Sequence[Run], share: float = 0.0, times: float = 1.0) -> Iterator[TimeComparison]:
    """Yield the comparisons of A′ with A and of B′ with B of each Run, with the injection in the former."""
    generator = np.random.default_rng(SEED)
    for run in runs:
        a, again, b, b_again = run.results
        for first, second in ((a, again), (b, b_again)):
            changed = with_slow_invocations(second, share, times, generator) if share else second
            both = msgspec.structs.replace(run, results=[first, changed])
            yield compare_times(RunResult(both, changed), RunResult(both, first))


def between_runs(runs: Sequence[Run]) -> Iterator[TimeComparison]:
    """Yield the comparisons of A, and of B, of every two Runs."""
    for one, other in combinations(runs, 2):
        for number in (0, 2):
            yield compare_times(RunResult(one, one.results[number]), RunResult(other, other.results[number]))


def table(runs: Sequence[Run], pairs_of: Sequence[Run]) -> str:
    """Return a Markdown table of the verdicts. ``pairs_of`` are the Runs that are compared with each other."""
    groups = [
        ("within a Run, as measured", list(within_runs(runs))),
        ("between Runs, as measured", list(between_runs(pairs_of))),
    ]
    groups += [
        (f"within a Run, {share:.0%} of invocations {times:g} × as long", list(within_runs(runs, share, times)))
        for share, times in INJECTIONS
    ]
    return tabulate(
        [_row(name, found) for name, found in groups],
        ("comparisons", "number", "slow tail reported", "typical: same", "typical: different", "whole pass: different",
         "whole pass ×, median"),
        tablefmt="github",
    )  # fmt: skip


def _row(name: str, found: Sequence[TimeComparison]) -> tuple[object, ...]:
    different = (Verdict.FASTER, Verdict.SLOWER)
    typical = [verdict(each.ratio) for each in found if each.ratio]
    whole = [each.whole_pass for each in found if each.whole_pass]
    return (
        name, len(found), sum(each.slow_tail for each in found), typical.count(Verdict.SAME),
        sum(each in different for each in typical), sum(verdict(each) in different for each in whole),
        f"{np.median([each.value for each in whole]):.3f}",
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--paired", type=int, default=24, help="Runs that are compared with each other")
    arguments = parser.parse_args()
    runs = read_recorded(arguments.runs)
    print(table(runs, runs[: arguments.paired]))


if __name__ == "__main__":
    main()
