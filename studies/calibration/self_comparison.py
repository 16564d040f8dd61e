"""A configuration compared with itself, and with itself doing 5 % more work: what do the verdicts say?

    python -m studies.calibration.self_comparison BUNDLE [--comparisons 100] [--images N] [--load] [--log FILE]

Each repeat is one benchmark of four configurations, interleaved, fresh processes each, by the code and with the
defaults that `run` has: A and A′ classify the same images, B and B′ 5 % more, N or the whole test set. It gives two
comparisons of a configuration with itself, A′ with A and B′ with B, and two of what does 5 % more work, B with A and B′
with A′; the two of a kind have no measurement in common. The first should be called faster or slower in at most 5 % of
the comparisons, the second slower in at least 95 % and never faster. Every repeat is appended to the log, so that
several sittings add up.
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

from edge_bench.bench.analysis.timings import RunResult, comparable_seconds
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.stats.intervals import Interval, Values, median_interval_over_processes, wilson
from edge_bench.bench.stats.ratios import Ratio, Verdict, interleaved_ratio, paired_ratio, verdict

MORE_WORK = 1.05
TRIALS = Settings().trials
NAMES = ("A", "A′", "B", "B′")

Table = list[list[list[float]]]  # by configuration (A, A′, B, B′), process and round


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark of A, A′, B and B′."""

    loaded: bool
    processes: int
    wall_seconds: float
    seconds: Table  # a pass
    typical: Table  # the same as if each invocation took as long as the median one


#: What is compared with what, by their places in a repeat.
SAME = ((1, 0), (3, 2))
MORE = ((2, 0), (3, 1))


def candidates(bundle: Bundle, images: int) -> list[Planned]:
    """A, A′, B and B′: the light model on LiteRT, over so many images that B's are 5 % more."""
    (more,) = plan(bundle, Selection(variants=["dynamic"], runtimes=["litert"]))
    fewer = msgspec.structs.replace(more, images=round(images / MORE_WORK))
    return [fewer, fewer, more, more]


def repeat(bundle: Bundle, settings: Settings, images: int, *, loaded: bool) -> Repeat:
    """One benchmark of all four."""
    run = run_benchmark(bundle_workload(bundle, images, settings.seed), candidates(bundle, images), settings, Silent())
    for result in run.results:
        if result.failure:
            raise RuntimeError(f"a configuration was not measured: {result.failure}")
    first = RunResult(run, run.results[0])
    compared = [comparable_seconds(RunResult(run, result), first)[0] for result in run.results]
    return Repeat(
        loaded=loaded,
        processes=settings.processes,
        wall_seconds=run.wall_seconds,
        seconds=_table(result.by_process() for result in run.results),
        typical=_table(compared),
    )


def _table(results: Iterable[Mapping[int, Mapping[int, float]]]) -> Table:
    return [[list(rounds.values()) for rounds in result.values()] for result in results]


def _spin() -> None:
    while True:
        pass


@contextmanager
def background_load(wanted: bool) -> Iterator[None]:
    """One process that never rests."""
    process = multiprocessing.get_context("spawn").Process(target=_spin, daemon=True) if wanted else None
    if process:
        process.start()
    try:
        yield
    finally:
        if process:
            process.kill()


def read_log(path: Path) -> list[Repeat]:
    """All repeats of a log; none where there is none."""
    return [msgspec.json.decode(line, type=Repeat) for line in path.read_bytes().splitlines()] if path.exists() else []


def summary(repeats: list[Repeat]) -> str:
    """How often each verdict was given, as a Markdown table; and what runs of twice the trials would have said.

    Those are two repeats one after the other taken as one, of twice as many processes.
    """
    rows = []
    for machine, processes, some in _alike(repeats):
        for together in (1, 2):
            groups = [some[start : start + together] for start in range(0, len(some) - together + 1, together)]
            for name, pairs in (("with itself", SAME), ("with 5 % more work", MORE)):
                ratios = [_ratio(group, *pair) for group in groups for pair in pairs]
                if ratios:
                    rows.append(_row(machine, f"{TRIALS * together} in {processes * together}", name, ratios))
    header = ("machine", "trials", "compared", "comparisons", *Verdict, "faster or slower, % [95 %]", "median ratio")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def ways(repeats: list[Repeat]) -> str:
    """What the same trials would have said by other ratios than `compare`'s, as a Markdown table."""
    rows = []
    for machine, _, some in _alike(repeats):
        for name, (times, way) in WAYS.items():
            itself, more = (
                [way(*(_processes([times(each)], place) for place in pair)) for each in some for pair in pairs]
                for pairs in (SAME, MORE)
            )
            counts = Counter(map(verdict, itself))
            off = np.log([ratio.value for ratio in itself])
            found = sum(verdict(ratio) is Verdict.SLOWER for ratio in more) / len(more)
            wrong = (counts[Verdict.FASTER] + counts[Verdict.SLOWER]) / len(itself)
            rows.append((machine, name, f"{wrong:.0%}", f"{counts[Verdict.SAME] / len(itself):.0%}", f"{found:.0%}",
                         f"{100 * float(np.sqrt(np.mean(off**2))):.2f} %"))  # fmt: skip
    header = ("machine", "ratio", "itself: wrong", "itself: same", "more work: found", "off by, root mean square")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def _alike(repeats: list[Repeat]) -> Iterator[tuple[str, int, list[Repeat]]]:
    for loaded, processes in sorted({(each.loaded, each.processes) for each in repeats}):
        some = [each for each in repeats if (each.loaded, each.processes) == (loaded, processes)]
        yield "one core busy" if loaded else "quiet", processes, some


def held(repeats: list[Repeat]) -> str:
    """How many intervals hold what is known to be true, as a Markdown table.

    A ratio of a configuration to itself is 1. The median of a configuration is taken to be its median over all repeats,
    which one run of under a minute sees a part of.
    """
    rows = []
    for machine, _, some in _alike(repeats):
        ratios = [_ratio([each], *pair).interval for each in some for pair in SAME]
        rows.append(_held_row(machine, "ratio of a configuration to itself", [(ratio, 1.0) for ratio in ratios]))
        medians = []
        for place in range(len(NAMES)):
            truth = float(np.median([each.seconds[place] for each in some]))
            medians += [
                (median_interval_over_processes(list(map(np.array, each.seconds[place]))), truth) for each in some
            ]
        rows.append(_held_row(machine, "median of one run", medians))
    return tabulate(rows, ("machine", "interval of", "intervals", "hold it, % [95 %]"), tablefmt="github")


def _held_row(machine: str, name: str, found: list[tuple[Interval | None, float]]) -> tuple[str, ...]:
    count = sum(interval is not None and interval.low <= truth <= interval.high for interval, truth in found)
    of = wilson(count, len(found))
    return (machine, name, str(len(found)), f"{count / len(found):.0%} [{of.low:.0%}, {of.high:.0%}]")


def _ratio(repeats: list[Repeat], place: int, base: int) -> Ratio:
    """One configuration against another over all processes of these repeats, as ``compare`` computes it."""
    return interleaved_ratio(*(_processes([each.typical for each in repeats], one) for one in (place, base)))


def _fastest(first: list[Values], second: list[Values]) -> Ratio:
    """By the fastest trial of each process."""
    return paired_ratio(*([values[[values.argmin()]] for values in side] for side in (first, second)))


def _processes(tables: list[Table], place: int) -> list[Values]:
    return [np.array(process) for table in tables for process in table[place]]


#: By their names, the first is `compare`'s: which times of a repeat, and how their ratio is taken.
WAYS: dict[str, tuple[Callable[[Repeat], Table], Callable[[list[Values], list[Values]], Ratio]]] = {
    "median invocations, every trial to every trial (`compare`)": (lambda each: each.typical, interleaved_ratio),
    "whole passes, every trial to every trial": (lambda each: each.seconds, interleaved_ratio),
    "whole passes, round by round": (lambda each: each.seconds, paired_ratio),
    "median invocations, round by round": (lambda each: each.typical, paired_ratio),
    "median invocations, each process's fastest trial": (lambda each: each.typical, _fastest),
}


def _row(machine: str, trials: str, name: str, ratios: list[Ratio]) -> tuple[str, ...]:
    counts = Counter(verdict(ratio) for ratio in ratios)
    said = counts[Verdict.FASTER] + counts[Verdict.SLOWER]
    interval = wilson(said, len(ratios))
    share = f"{said / len(ratios):.0%} [{interval.low:.0%}, {interval.high:.0%}]"
    middle = sorted(ratio.value for ratio in ratios)[len(ratios) // 2]
    return (machine, trials, name, str(len(ratios)), *(str(counts[v]) for v in Verdict), share, f"{middle:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--comparisons", type=int, default=100, help="of each kind, two a repeat, those in the log too")
    parser.add_argument("--images", type=int, help="of B (default: the whole test set); A has 1/1.05 of them")
    parser.add_argument("--processes", type=int, default=Settings().processes)
    parser.add_argument("--load", action="store_true", help="with one process beside it that never rests")
    parser.add_argument("--log", type=Path, default=Path("results/self-comparison.jsonl"))
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    images = arguments.images or len(bundle.test_set()[0])
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    repeats = read_log(arguments.log)
    alike = (arguments.load, arguments.processes)
    wanted = -(-arguments.comparisons // 2)
    with background_load(arguments.load), arguments.log.open("ab") as log:
        for seed in range(sum((each.loaded, each.processes) == alike for each in repeats), wanted):
            settings = Settings(trials=TRIALS, processes=arguments.processes, limit=images, seed=seed)
            made = repeat(bundle, settings, images, loaded=arguments.load)
            repeats.append(made)
            log.write(msgspec.json.encode(made) + b"\n")
            log.flush()
            said = [_said([made], pair) for pair in (*SAME, *MORE)]
            print(f"{seed + 1}/{wanted}: {', '.join(said)}, {made.wall_seconds:.0f} s", flush=True)
    print(f"\n{summary(repeats)}\n\n{ways(repeats)}\n\n{held(repeats)}")


def _said(repeats: list[Repeat], pair: tuple[int, int]) -> str:
    ratio = _ratio(repeats, *pair)
    return f"{NAMES[pair[0]]}/{NAMES[pair[1]]} {verdict(ratio)} {ratio.value:.3f}"


if __name__ == "__main__":
    main()
