"""The rule of --find-fastest: which configurations of the first round are measured in the second one."""

from edge_bench.bench.analysis.fastest.first_round import as_first_round, candidates_of, not_slower_than
from edge_bench.bench.analysis.fastest.quality import quality_costs
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Run

__all__ = ["MIN_FINALISTS", "choose_finalists"]

#: So many configurations, if there are as many, are compared in the second round even if one was much faster.
MIN_FINALISTS = 2


def choose_finalists(run: Run) -> list[int]:
    """Return the positions in ``Run.results`` of the configurations of the second round, the fastest first.

    Those are all that were not significantly slower than the fastest in the first round, and at least the two fastest,
    but at most ``FirstRound.finalists``. If all of these lose quality, the fastest one that does not is added. Without
    a first round they are all configurations that have not failed.
    """
    found = candidates_of(run)
    if not found or run.settings.first_round is None:
        return [number for number, result in enumerate(run.results) if result.failure is None]
    equal = {each.number for each in not_slower_than(found[0], found)}
    order = [each.number for each in found]
    chosen = [number for number in order if number in equal][: run.settings.first_round.finalists]
    chosen += [number for number in order[:MIN_FINALISTS] if number not in chosen]
    lossless = _without_loss(run, order)
    if lossless and not set(lossless) & set(chosen):
        chosen.append(lossless[0])
    return sorted(chosen, key=order.index)


def _without_loss(run: Run, numbers: list[int]) -> list[int]:
    brief = as_first_round(run)
    costs = quality_costs([RunResult(brief, brief.results[number]) for number in numbers])
    return [number for number, cost in zip(numbers, costs, strict=True) if not cost.loses]
