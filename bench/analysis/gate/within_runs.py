"""Pairs of configurations of the same Run, for the regression gate: a model and its baseline, measured in turn."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from edge_bench.bench.analysis.comparison.comparison import matches
from edge_bench.bench.analysis.gate.pairing import (
    Pair,
    Pairing,
    failure_of,
    interrupted,
    listed,
    of_each_machine,
    require_repeats,
    settings_of,
)
from edge_bench.bench.analysis.sustained.refusal import require_interleaved
from edge_bench.bench.analysis.times.timings import RunResult, as_one
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Configuration, Result, Run

__all__ = ["pair_within"]


def pair_within(runs: Sequence[Run], baseline: str) -> Pairing:
    """Pair each configuration with the baseline's of the same Run, runtime, threads, batch size and delegate.

    ``baseline`` selects configurations as `matches` does. It is also the name of a folder: ``base`` selects
    ``base/model``. If it selects several models, each is the baseline of the model of the same file name. Several Runs
    of a machine are repeats. Raise BadInput if a Run has no pair, or if the Runs of a machine are of different models.
    """
    require_interleaved(runs)
    pairs: list[Pair] = []
    notes = [interrupted(run) for run in runs if not run.complete]
    for group in of_each_machine(runs):
        require_repeats(group)
        sides: dict[Configuration, tuple[list[RunResult], list[RunResult]]] = {}
        for run in group:
            found, found_notes = _pairs(run, baseline)
            notes += found_notes
            for new, old in found:
                side = sides.setdefault(new.configuration, ([], []))
                side[0].append(RunResult(run, new))
                side[1].append(RunResult(run, old))
        pairs += [Pair(as_one(new), as_one(old), failure_of(new)) for new, old in sides.values()]
    return Pairing(pairs, list(dict.fromkeys(notes)))


def _pairs(run: Run, baseline: str) -> tuple[list[tuple[Result, Result]], list[str]]:
    """Return each result of the new models with its partner, and notes on those without one."""
    old = [each for each in run.expected_results if _selected(each.configuration, baseline)]
    if not old:
        raise BadInput(
            f"no configuration of run {run.run_id[:8]} is {baseline!r}", f"choose from {listed(run.expected_results)}"
        )
    found, notes = list[tuple[Result, Result]](), list[str]()
    chosen = {id(each) for each in old}
    for new in run.expected_results:
        if id(new) in chosen:
            continue
        partner = _partner(new, old)
        if partner is None:
            notes.append(f"not compared, because it is not in the baseline: {new.configuration}")
        elif not partner.trials:
            reason = partner.failure.message if partner.failure else "not measured"
            notes.append(f"not compared, because it has no times in the baseline ({reason}): {new.configuration}")
        else:
            found.append((new, partner))
    if not found:
        raise BadInput(
            f"no configuration of run {run.run_id[:8]} has a partner in its baseline {baseline!r}",
            f"measure both models with the same runtime, threads and batch size; the Run has {listed(run.results)}",
        )
    return found, notes


def _selected(configuration: Configuration, baseline: str) -> bool:
    return matches(configuration, baseline) or configuration.variant.startswith(f"{baseline.rstrip('/')}/")


def _partner(new: Result, old: Sequence[Result]) -> Result | None:
    """Return the result of the baseline with the same settings, and the same file name if there are several models."""
    same = [each for each in old if settings_of(each.configuration) == settings_of(new.configuration)]
    if len({each.configuration.variant for each in old}) > 1:
        same = [each for each in same if _file_name(each) == _file_name(new)]
    return same[0] if len(same) == 1 else None


def _file_name(result: Result) -> str:
    return PurePosixPath(result.configuration.variant).name
