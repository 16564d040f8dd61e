"""Pairs of configurations, one of a new Run and one of an older Run, for the regression gate."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_bench.bench.analysis.labels.same_images import require_same_images
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Configuration, Result, Run

__all__ = ["Pairing", "pair_runs"]


class Pairing(NamedTuple):
    """Pairs of a new and an old result, and notes on every result and Run that is only partly compared."""

    pairs: list[tuple[RunResult, RunResult]]
    notes: list[str]


def pair_runs(new: Sequence[Run], old: Run) -> Pairing:
    """Pair every configuration of the new Runs with the same one in the old Run; the models may be other ones.

    If no configuration of a Run is in the old one and each has a single model, these are a pair on the same runtime
    with the same threads and batch size. Raise ResultsError if the images differ. Raise BadInput if a Run has no pair.
    """
    pairs: list[tuple[RunResult, RunResult]] = []
    notes = [_interrupted(run) for run in (*new, old) if not run.complete]
    for run in new:
        require_same_images(run, old)
        found = _pairs(run, old)
        if not found:
            raise BadInput(_nothing(run, old), _remedy(run, old))
        first, second = found[0]
        if first.configuration.variant != second.configuration.variant:
            names = first.configuration.variant, second.configuration.variant
            notes.append(f"{names[0]} is compared with {names[1]} of the baseline: the only model of each Run")
        pairs += [(RunResult(run, result), RunResult(old, partner)) for result, partner in found]
        alone = _without(run.results, (result for result, _ in found))
        notes += [f"not compared, since it is not in the baseline: {result.configuration}" for result in alone]
    partners = [partner.result for _, partner in pairs]
    notes += [_only_in_baseline(result) for result in _without(old.results, partners)]
    return Pairing(pairs, notes)


def _pairs(run: Run, old: Run) -> list[tuple[Result, Result]]:
    by_name = {result.configuration: result for result in old.results_with_trials}
    found = [(result, by_name[result.configuration]) for result in run.results if result.configuration in by_name]
    if found or len(_variants(run.results)) != 1 or len(_variants(old.results)) != 1:
        return found
    by_settings = {_settings(result.configuration): result for result in old.results_with_trials}
    return [
        (result, by_settings[settings])
        for result in run.results
        if (settings := _settings(result.configuration)) in by_settings
    ]


def _settings(configuration: Configuration) -> tuple[str, int, int]:
    return configuration.runtime, configuration.threads, configuration.batch_size


def _variants(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(result.configuration.variant for result in results))


def _without(results: Sequence[Result], others: Iterable[Result]) -> list[Result]:
    known = {id(other) for other in others}
    return [result for result in results if id(result) not in known]


def _only_in_baseline(result: Result) -> str:
    if result.trials:
        return f"not compared, since it is only in the baseline: {result.configuration}"
    reason = result.failure.message if result.failure else "not measured"
    return f"not compared, since it has no times in the baseline ({reason}): {result.configuration}"


def _interrupted(run: Run) -> str:
    return f"run {run.run_id[:8]} on {run.machine.label} was interrupted: only its finished trials are compared"


def _nothing(run: Run, old: Run) -> str:
    return f"no configuration of run {run.run_id[:8]} is in its baseline, run {old.run_id[:8]}"


def _remedy(run: Run, old: Run) -> str:
    """Return what each Run has, and how to make pairs of it."""
    sides = f"the Run has {_listed(run.results)}; the baseline has {_listed(old.results_with_trials)}"
    if set(_variants(run.results)) & set(_variants(old.results)) or len(_variants([*run.results, *old.results])) == 2:
        return f"{sides}; measure both with the same --runtime, --threads and --batch-size"
    return f"{sides}; give model files the same names in both, or measure one model in each"


def _listed(results: Iterable[Result]) -> str:
    return "; ".join(str(result.configuration) for result in results) or "nothing"
