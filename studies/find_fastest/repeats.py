"""How often `run --find-fastest` names the winner of a full run, measured.

    python -m studies.find_fastest.repeats BUNDLE [--repeats 20] [--seconds 80] [--log FILE]

One full run (30 trials in 5 processes of every configuration) is the truth. Then the search is repeated, each time with
another seed. Every run is appended to the log, and later invocations continue it; ``--seconds`` ends an invocation
early. Each search takes about a minute. Figures: docs/find-fastest.md.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.analysis.answer.answer import Answer, AnswerKind, answer_of
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.measure.options.settings import searched, selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Settings


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of the full run or of one search."""

    is_search: bool
    kind: str
    best: list[str]  # configurations, by time
    times: dict[str, float]  # ms/image of all measured fully
    probability: float | None = None
    trusted: bool | None = None
    wall_seconds: float = 0.0


def measured(arguments: argparse.Namespace, seed: int, *, is_search: bool) -> Repeat:
    """Return the answer of a full run, or of a search."""
    chosen = selection(arguments.variant, arguments.runtime, arguments.threads, arguments.batch_size)
    settings = Settings(limit=arguments.limit, seed=seed)
    if is_search:
        chosen, settings = searched(chosen, settings)
    request = BenchmarkRequest.from_bundle(arguments.bundle, chosen, settings, Silent())
    run = run_benchmark(request.workload, request.planned, settings, Silent())
    comparison = compare([run])
    answer = answer_of(comparison)
    return Repeat(
        is_search=is_search,
        kind=answer.kind,
        best=[str(row.configuration) for row in answer.best],
        times={str(row.configuration): row.time.milliseconds for row in comparison.rows if row.time},
        probability=_probability(answer),
        trusted=run.trusted,
        wall_seconds=run.wall_seconds,
    )


def _probability(answer: Answer) -> float | None:
    return answer.search.probability if answer.search else None


def summary(log: Sequence[Repeat]) -> str:
    """Return the truth of the full run, and how often the searches found it."""
    full, searches = next(each for each in log if not each.is_search), [each for each in log if each.is_search]
    ordered = sorted(full.times.items(), key=lambda item: item[1])
    named = [each for each in searches if each.kind == AnswerKind.FASTEST]
    right = sum(each.best[0] == ordered[0][0] for each in named)
    firsts = Counter(each.best[0] for each in searches)
    return "\n".join(
        [
            f"full run: {full.kind}; {'; '.join(f'{name}: {ms:.4f} ms' for name, ms in ordered)}",
            f"lead: {100 * (ordered[1][1] / ordered[0][1] - 1):.1f} %; reliable: {full.trusted}",
            f"{len(searches)} searches: {right} right, {len(named) - right} wrong, "
            f"{len(searches) - len(named)} undecided; {sum(each.trusted is True for each in searches)} with reliable "
            f"times; {sum(each.wall_seconds for each in searches) / max(1, len(searches)):.0f} s each",
            f"lowest time: {dict(firsts)}",
            f"lowest probability of a named winner: {min((each.probability or 0 for each in named), default=0):.4f}",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no further run after this time")
    parser.add_argument("--variant", default="dynamic,int8")
    parser.add_argument("--runtime", default="litert")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--batch-size", default="1,8")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--log", type=Path, default=Path("results/find-fastest.jsonl"))
    arguments = parser.parse_args()
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.log.read_bytes().splitlines() if arguments.log.exists() else []
    log, began = [msgspec.json.decode(line, type=Repeat) for line in lines], time.monotonic()
    with arguments.log.open("ab") as file:
        for number in range(len(log), arguments.repeats + 1):
            if time.monotonic() - began > arguments.seconds:
                break
            log.append(measured(arguments, number, is_search=number > 0))
            file.write(msgspec.json.encode(log[-1]) + b"\n")
            file.flush()
    print(summary(log))


if __name__ == "__main__":
    main()
