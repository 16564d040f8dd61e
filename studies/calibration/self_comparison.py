"""Verdicts on a configuration compared with itself, and with itself doing 5 % more work.

    python -m studies.calibration.self_comparison BUNDLE [--comparisons 100] [--images N] [--load] [--log FILE]

Each repeat is one interleaved benchmark of four configurations in fresh processes, with the code and defaults of
`edge-bench run`. A and A′ classify the same images; B and B′ classify 5 % more, N or the whole test set. Each repeat
gives two comparisons of a configuration with itself (A′ with A, B′ with B) and two with 5 % more work (B with A, B′
with A′). The two of a kind have no measurement in common. The aims: "faster" or "slower" in at most 5 % of comparisons
with itself; with more work "slower" in at least 95 % and never "faster". Every repeat is appended to the log, and later
invocations continue it. 100 comparisons with ``--images 5000`` take 26 minutes. Figures: docs/calibration.md.
"""

import argparse
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.times.processes import ratio_despite_luck
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.stats.intervals import Interval, Values, median_interval_over_processes, wilson
from edge_bench.bench.stats.ratios import Ratio, Verdict, interleaved_ratio, paired_ratio, verdict
from studies.calibration.recorded import write_recorded

MORE_WORK = 1.05
TRIALS = Settings().trials
NAMES = ("A", "A′", "B", "B′")

Table = list[list[list[float]]]  # seconds per pass, by configuration (A, A′, B, B′), process and round


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark of A, A′, B and B′."""

    loaded: bool
    processes: int
    wall_seconds: float
    seconds: Table  # whole passes
    typical: Table  # passes as if each invocation took the trial's median latency


#: Compared pairs, as indices into NAMES: (configuration, baseline).
SAME = ((1, 0), (3, 2))
MORE = ((2, 0), (3, 1))


def candidates(bundle: Bundle, images: int) -> list[Planned]:
    """Return A, A′, B and B′: the variant `dynamic` on LiteRT; A and A′ classify 1/1.05 of the images."""
    (more,) = plan(bundle, Selection(variants=["dynamic"], runtimes=["litert"]))
    fewer = msgspec.structs.replace(more, images=round(images / MORE_WORK))
    return [fewer, fewer, more, more]


def run_repeat(bundle: Bundle, settings: Settings, images: int, *, loaded: bool, keep: Path | None = None) -> Repeat:
    """Run one benchmark of all four configurations; write its Run to the folder ``keep``.

    Raise RuntimeError if a configuration fails.
    """
    run = run_benchmark(bundle_workload(bundle, images, settings.seed), candidates(bundle, images), settings, Silent())
    for result in run.results:
        if result.failure:
            raise RuntimeError(f"a configuration was not measured: {result.failure}")
    if keep:
        write_recorded(run, keep)
    typical = [RunResult(run, result).typical_seconds() for result in run.results]
    return Repeat(
        loaded=loaded,
        processes=settings.processes,
        wall_seconds=run.wall_seconds,
        seconds=_table(result.by_process() for result in run.results),
        typical=_table(typical),
    )


def _table(results: Iterable[Mapping[int, Mapping[int, float]]]) -> Table:
    return [[list(rounds.values()) for rounds in result.values()] for result in results]


def _busy_loop() -> None:
    while True:
        pass


@contextmanager
def background_load(enabled: bool) -> Iterator[None]:
    """Keep one core busy with another process during the context, if enabled."""
    process = multiprocessing.get_context("spawn").Process(target=_busy_loop, daemon=True) if enabled else None
    if process:
        process.start()
    try:
        yield
    finally:
        if process:
            process.kill()


def read_log(path: Path) -> list[Repeat]:
    """Return all repeats of a log; an empty list if there is no such file."""
    return [msgspec.json.decode(line, type=Repeat) for line in path.read_bytes().splitlines()] if path.exists() else []


def summary(repeats: list[Repeat]) -> str:
    """Return a Markdown table with the number of each verdict, also for runs with twice the trials.

    Two consecutive repeats are combined to one run with twice the trials, in twice as many processes.
    """
    rows = []
    for machine, processes, group in _by_machine(repeats):
        for size in (1, 2):
            runs = [group[start : start + size] for start in range(0, len(group) - size + 1, size)]
            for name, pairs in (("with itself", SAME), ("with 5 % more work", MORE)):
                ratios = [_ratio(run, *pair) for run in runs for pair in pairs]
                if ratios:
                    rows.append(_row(machine, f"{TRIALS * size} in {processes * size}", name, ratios))
    header = ("machine", "trials", "compared", "comparisons", *Verdict, "faster or slower, % [95 %]", "median ratio")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def estimator_table(repeats: list[Repeat]) -> str:
    """Return a Markdown table with the verdicts of other estimators than `compare`'s for the same trials."""
    rows = []
    for machine, _, group in _by_machine(repeats):
        for name, (table, estimator) in ESTIMATORS.items():
            itself, more = (
                [estimator(*(_processes([table(each)], index) for index in pair)) for each in group for pair in pairs]
                for pairs in (SAME, MORE)
            )
            counts = Counter(map(verdict, itself))
            errors = np.log([ratio.value for ratio in itself])
            detected = sum(verdict(ratio) is Verdict.SLOWER for ratio in more) / len(more)
            wrong = (counts[Verdict.FASTER] + counts[Verdict.SLOWER]) / len(itself)
            rows.append((machine, name, f"{wrong:.0%}", f"{counts[Verdict.SAME] / len(itself):.0%}", f"{detected:.0%}",
                         f"{100 * float(np.sqrt(np.mean(errors**2))):.2f} %"))  # fmt: skip
    header = ("machine", "ratio", "itself: wrong", "itself: same", "more work: found", "off by, root mean square")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def _by_machine(repeats: list[Repeat]) -> Iterator[tuple[str, int, list[Repeat]]]:
    for loaded, processes in sorted({(each.loaded, each.processes) for each in repeats}):
        group = [each for each in repeats if (each.loaded, each.processes) == (loaded, processes)]
        yield "one core busy" if loaded else "quiet", processes, group


def coverage_table(repeats: list[Repeat]) -> str:
    """Return a Markdown table with the number of intervals that contain the true value.

    The true ratio of a configuration to itself is 1. The true median of a configuration is assumed to be its median
    over all repeats. A single run of less than a minute sees only part of the machine's variation.
    """
    rows = []
    for machine, _, group in _by_machine(repeats):
        ratios = [_ratio([each], *pair).interval for each in group for pair in SAME]
        rows.append(_coverage_row(machine, "ratio of a configuration to itself", [(ratio, 1.0) for ratio in ratios]))
        medians = []
        for index in range(len(NAMES)):
            truth = float(np.median([each.seconds[index] for each in group]))
            medians += [(median_interval_over_processes(_processes([each.seconds], index)), truth) for each in group]
        rows.append(_coverage_row(machine, "median of one run", medians))
    return tabulate(rows, ("machine", "interval of", "intervals", "hold it, % [95 %]"), tablefmt="github")


def _coverage_row(machine: str, name: str, intervals: list[tuple[Interval | None, float]]) -> tuple[str, ...]:
    total = len(intervals)
    count = sum(interval is not None and interval.low <= truth <= interval.high for interval, truth in intervals)
    return (machine, name, str(total), _share(count, total))


def _share(count: int, total: int) -> str:
    interval = wilson(count, total)
    return f"{count / total:.0%} [{interval.low:.0%}, {interval.high:.0%}]"


def _ratio(repeats: list[Repeat], *pair: int) -> Ratio:
    """Return the ratio of two configurations over all processes of the repeats, as ``compare`` computes it."""
    return ratio_despite_luck(*(_processes([each.typical for each in repeats], index) for index in pair))


def _fastest(first: list[Values], second: list[Values]) -> Ratio:
    """Return the ratio of the fastest trials of each process."""
    return paired_ratio(*([values[[values.argmin()]] for values in times] for times in (first, second)))


def _processes(tables: list[Table], index: int) -> list[Values]:
    return [np.array(process) for table in tables for process in table[index]]


#: Name → the table of times in a repeat, and the estimator of their ratio. The first is `compare`'s.
ESTIMATORS: dict[str, tuple[Callable[[Repeat], Table], Callable[[list[Values], list[Values]], Ratio]]] = {
    "`compare`": (lambda each: each.typical, ratio_despite_luck),
    "median invocations, every trial to every trial": (lambda each: each.typical, interleaved_ratio),
    "whole passes, every trial to every trial": (lambda each: each.seconds, interleaved_ratio),
    "whole passes, round by round": (lambda each: each.seconds, paired_ratio),
    "median invocations, round by round": (lambda each: each.typical, paired_ratio),
    "median invocations, each process's fastest trial": (lambda each: each.typical, _fastest),
}


def _row(machine: str, trials: str, name: str, ratios: list[Ratio]) -> tuple[str, ...]:
    counts = Counter(verdict(ratio) for ratio in ratios)
    share = _share(counts[Verdict.FASTER] + counts[Verdict.SLOWER], len(ratios))
    median = sorted(ratio.value for ratio in ratios)[len(ratios) // 2]
    return (machine, trials, name, str(len(ratios)), *(str(counts[v]) for v in Verdict), share, f"{median:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--comparisons", type=int, default=100, help="of each kind, two per repeat, with the log's")
    parser.add_argument("--images", type=int, help="images of B (default: the whole test set); A has 1/1.05 of them")
    parser.add_argument("--processes", type=int, default=Settings().processes)
    parser.add_argument("--load", action="store_true", help="keep one core busy with another process")
    parser.add_argument("--keep", type=Path, help="folder for the Run files, which other studies read")
    parser.add_argument("--log", type=Path, default=Path("results/self-comparison.jsonl"))
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    images = arguments.images or len(bundle.test_set()[0])
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    repeats = read_log(arguments.log)
    conditions = (arguments.load, arguments.processes)
    count = -(-arguments.comparisons // 2)
    with background_load(arguments.load), arguments.log.open("ab") as log:
        for seed in range(sum((each.loaded, each.processes) == conditions for each in repeats), count):
            settings = Settings(trials=TRIALS, processes=arguments.processes, limit=images, seed=seed)
            repeat = run_repeat(bundle, settings, images, loaded=arguments.load, keep=arguments.keep)
            repeats.append(repeat)
            log.write(msgspec.json.encode(repeat) + b"\n")
            log.flush()
            verdicts = [_verdict_text(repeat, pair) for pair in (*SAME, *MORE)]
            print(f"{seed + 1}/{count}: {', '.join(verdicts)}, {repeat.wall_seconds:.0f} s", flush=True)
    print(f"\n{summary(repeats)}\n\n{estimator_table(repeats)}\n\n{coverage_table(repeats)}")


def _verdict_text(repeat: Repeat, pair: tuple[int, int]) -> str:
    ratio = _ratio([repeat], *pair)
    return f"{NAMES[pair[0]]}/{NAMES[pair[1]]} {verdict(ratio)} {ratio.value:.3f}"


if __name__ == "__main__":
    main()
