"""A configuration compared with itself, and with itself doing 5 % more work: what do the verdicts say?

    python -m calibration.self_comparison BUNDLE [--repeats 100] [--load] [--images 3150] [--log FILE]

Each repeat is one benchmark of three configurations, interleaved, fresh processes each, by the code that `run` uses:
A and A′ classify the same images, B 5 % more. A′ against A should be called faster or slower in at most 5 % of the
repeats, B against A slower in at least 95 % and never faster. Every repeat is appended to the log, so that several
sittings add up.
"""

import argparse
import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from tabulate import tabulate

from bench.benchmark import run_benchmark
from bench.bundle import Bundle
from bench.measured import Measured, time_ratio
from bench.plan import Planned, Selection, plan
from bench.progress import Silent
from bench.results import Settings
from bench.stats import Ratio, Verdict, paired_ratio, verdict, wilson
from bench.subject import subject_of

MORE_WORK = 1.05


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark of A, A′ and B."""

    loaded: bool
    same: Ratio  # A′ against A
    more: Ratio  # B against A
    wall_seconds: float
    seconds: list[list[list[float]]]  # a pass, by configuration (A, A′, B), process and round


def candidates(bundle: Bundle, images: int) -> list[Planned]:
    """A, A′ and B: the light model on LiteRT, over so many images that B's are 5 % more."""
    (one,) = plan(bundle, Selection(variants=["dynamic"], runtimes=["litert"]))
    fewer = msgspec.structs.replace(one, images=round(images / MORE_WORK))
    return [fewer, fewer, one]


def repeat(bundle: Bundle, images: int, seed: int, *, loaded: bool) -> Repeat:
    """One benchmark of 30 trials in 5 processes each."""
    settings = Settings(limit=images, seed=seed)
    run = run_benchmark(subject_of(bundle, images, seed), candidates(bundle, images), settings, Silent())
    first, again, more = (Measured(run, result) for result in run.results)
    ratios = [time_ratio(other, first)[0] for other in (again, more)]
    if ratios[0] is None or ratios[1] is None:
        raise RuntimeError(f"a configuration was not measured: {run.results[0].failure}")
    seconds = [[list(rounds.values()) for rounds in result.by_process().values()] for result in run.results]
    return Repeat(loaded=loaded, same=ratios[0], more=ratios[1], wall_seconds=run.wall_seconds, seconds=seconds)


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


def summary(repeats: list[Repeat]) -> str:
    """How often each verdict was given, as a Markdown table; and what longer runs would have said.

    A longer run is several repeats one after the other taken as one: two of them are 60 trials in 10 processes.
    """
    rows = []
    for loaded in (False, True):
        some = [each for each in repeats if each.loaded is loaded]
        machine = "one core busy" if loaded else "quiet"
        for together in (1, 2, 3):
            for name, place in (("A′ against A", 1), ("B (5 % more work) against A", 2)):
                ratios = [
                    _ratio(some[start : start + together], place)
                    for start in range(0, len(some) - together + 1, together)
                ]
                if ratios:
                    rows.append(_row(machine, f"{30 * together}", name, ratios))
    header = ("machine", "trials", "comparison", "runs", *Verdict, "faster or slower, % [95 %]", "median ratio")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def _ratio(repeats: list[Repeat], place: int) -> Ratio:
    """A′ (1) or B (2) against A over all processes of these repeats, as ``compare`` computes it."""
    first = [np.array(process) for each in repeats for process in each.seconds[0]]
    other = [np.array(process) for each in repeats for process in each.seconds[place]]
    return paired_ratio(other, first)


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
    parser.add_argument("--repeats", type=int, default=100, help="in all, those in the log counted")
    parser.add_argument("--images", type=int, default=3150, help="of B; A and A′ have 1/1.05 of them")
    parser.add_argument("--load", action="store_true", help="with one process beside it that never rests")
    parser.add_argument("--log", type=Path, default=Path("results/self-comparison.jsonl"))
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.log.read_bytes().splitlines() if arguments.log.exists() else []
    repeats = [msgspec.json.decode(line, type=Repeat) for line in lines]
    with background_load(arguments.load), arguments.log.open("ab") as log:
        for seed in range(sum(each.loaded is arguments.load for each in repeats), arguments.repeats):
            made = repeat(bundle, arguments.images, seed, loaded=arguments.load)
            repeats.append(made)
            log.write(msgspec.json.encode(made) + b"\n")
            log.flush()
            print(
                f"{seed + 1}/{arguments.repeats}: A′ {verdict(made.same)} {made.same.value:.3f}, "
                f"B {verdict(made.more)} {made.more.value:.3f}, {made.wall_seconds:.0f} s",
                flush=True,
            )
    print(f"\n{summary(repeats)}")


if __name__ == "__main__":
    main()
