"""How often `run --find-fastest` names the fastest of configurations whose order is known, measured.

    python -m studies.find_fastest.repeats BUNDLE [--lead 10] [--repeats 20] [--seconds 80] [--log FILE]

The configurations are one model on LiteRT that classifies more and more images per pass: the second one has ``--lead``
percent more work than the first, the others twice and three times as much more. So the first one is the fastest by
exactly that. Every search has the settings of `run`, fresh processes and another seed. It is appended to the log, and
later invocations continue it; ``--seconds`` starts no further search after that time. A search takes about 45 s on an
idle machine. Figures: docs/find-fastest.md.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tabulate import tabulate

from edge_bench.bench.analysis.answer.answer import AnswerKind, answer_of
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.options.settings import searched
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings

#: More work than the first configuration has, as multiples of the lead.
STEPS = (0, 1, 2, 3)


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one search."""

    lead: float  # percent
    kind: str
    best: list[str]  # configurations, by time; the fastest is ``0``
    finalists: list[str]
    probability: float | None
    trusted: bool | None
    wall_seconds: float


def candidates(bundle: Bundle, images: int, lead: float) -> list[Planned]:
    """Return the configurations ``0`` to ``3``, in the order of their work."""
    (model,) = plan(bundle, Selection(variants=["dynamic"], runtimes=["litert"]))
    most = 1 + STEPS[-1] * lead / 100
    return [
        msgspec.structs.replace(
            model,
            configuration=msgspec.structs.replace(model.configuration, variant=str(number)),
            images=round(images * (1 + step * lead / 100) / most),
        )
        for number, step in enumerate(STEPS)
    ]


def search(bundle: Bundle, images: int, lead: float, seed: int) -> Repeat:
    """Return the answer of one search. Raise RuntimeError if a configuration fails."""
    _, settings = searched(Selection(), Settings(limit=images, seed=seed))
    workload = bundle_workload(bundle, images, settings.seed)
    run = run_benchmark(workload, candidates(bundle, images, lead), settings, Silent())
    for result in run.results:
        if result.failure:
            raise RuntimeError(f"a configuration was not measured: {result.failure}")
    answer = answer_of(compare([run]))
    return Repeat(
        lead=lead,
        kind=answer.kind,
        best=[row.configuration.variant for row in answer.best],
        finalists=[run.results[number].configuration.variant for number in run.finalists or ()],
        probability=answer.search.probability if answer.search else None,
        trusted=run.trusted,
        wall_seconds=run.wall_seconds,
    )


def summary(log: Sequence[Repeat]) -> str:
    """Return a Markdown table: how often the searches with each lead were right, wrong and undecided."""
    rows = []
    for lead in sorted({each.lead for each in log}):
        found = [each for each in log if each.lead == lead]
        named = [each for each in found if each.kind == AnswerKind.FASTEST]
        right = sum(each.best[0] == "0" for each in named)
        finalists = Counter(len(each.finalists) for each in found)
        rows.append(
            (f"{lead:g} %", len(found), right, len(named) - right, len(found) - len(named),
             sum("0" not in each.finalists for each in found), sum(each.trusted is True for each in found),
             ", ".join(f"{count} × {size}" for size, count in sorted(finalists.items())),
             f"{sum(each.wall_seconds for each in found) / len(found):.0f} s")
        )  # fmt: skip
    header = ("lead", "searches", "right", "wrong", "undecided", "left out", "times reliable", "finalists", "mean time")
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--lead", type=float, default=10, help="percent")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no further search after this time")
    parser.add_argument("--log", type=Path, default=Path("results/find-fastest.jsonl"))
    arguments = parser.parse_args()
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.log.read_bytes().splitlines() if arguments.log.exists() else []
    log, began = [msgspec.json.decode(line, type=Repeat) for line in lines], time.monotonic()
    bundle = Bundle.open(arguments.bundle)
    with arguments.log.open("ab") as file:
        for seed in range(sum(each.lead == arguments.lead for each in log), arguments.repeats):
            if time.monotonic() - began > arguments.seconds:
                break
            log.append(search(bundle, arguments.images, arguments.lead, seed))
            file.write(msgspec.json.encode(log[-1]) + b"\n")
            file.flush()
    print(summary(log))


if __name__ == "__main__":
    main()
