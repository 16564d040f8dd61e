"""Pairs of configurations, one of a new Run and one of an older Run, for the regression gate."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_bench.bench.analysis.labels.same_images import require_same_images
from edge_bench.bench.analysis.sustained.refusal import require_interleaved
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.analysis.times.timings import RunResult, as_one
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.delegate import DelegateLibrary
from edge_bench.bench.records.run import Configuration, Result, Run

__all__ = [
    "Pair",
    "Pairing",
    "failure_of",
    "interrupted",
    "listed",
    "of_each_machine",
    "pair_runs",
    "require_repeats",
    "settings_of",
]


class Pair(NamedTuple):
    """A new and an old result; each may have repeats: the same configuration in several Runs."""

    new: RunResult
    old: RunResult
    failure: str = ""  # why the configuration was not measured in one of the new Runs


class Pairing(NamedTuple):
    """Pairs of results, and notes on every result and Run that is only partly compared."""

    pairs: list[Pair]
    notes: list[str]


def pair_runs(new: Sequence[Run], old: Sequence[Run], *, across: bool = False) -> Pairing:
    """Pair every configuration of the new Runs with the same one in the old Runs. The models may differ.

    Several Runs of a machine are one side: their results of a configuration are compared as repeats. If no
    configuration of a Run is in the old ones and each has a single model, these are paired on the same runtime with
    the same threads and batch size. Without ``across``, both sides must be of the same machine and the same runtime
    versions. A Run on both sides counts as a new one. Raise ResultsError if the images differ. Raise BadInput if a Run
    has no pair, if the sides differ, or if the Runs of a side are of different models.
    """
    require_interleaved([*new, *old])
    pairs: list[Pair] = []
    notes = [interrupted(run) for run in (*new, *old) if not run.complete]
    old, more_notes = _without_new(new, old)
    notes += more_notes
    for runs in of_each_machine(new):
        baselines = _baselines(runs[0], old, across=across)
        for run in (*runs[1:], *old):
            require_same_images(runs[0], run)
        for side in (runs, baselines):
            require_repeats(side)
        if machine_key(runs[0].machine) != machine_key(baselines[0].machine):
            notes.append(f"the baseline of {runs[0].machine.label} was measured on {baselines[0].machine.label}")
        found, found_notes = _paired_sides(runs, baselines)
        pairs += found
        notes += found_notes
    partners = [each.result for pair in pairs for each in pair.old.all_runs]
    notes += [_only_in_baseline(result) for run in old for result in _without(run.expected_results, partners)]
    if not across:
        _require_same_runtimes(pairs)
        _require_same_cores(pairs)
    return Pairing(pairs, list(dict.fromkeys(notes)))


def of_each_machine(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the Runs of each machine."""
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(machine_key(run.machine), []).append(run)
    return list(groups.values())


def _baselines(run: Run, old: Sequence[Run], *, across: bool) -> list[Run]:
    """Return the old Runs of the machine of ``run``; with ``across``, those of the only other machine if none is."""
    by_machine = of_each_machine(old)
    for runs in by_machine:
        if machine_key(runs[0].machine) == machine_key(run.machine):
            return runs
    names = " and ".join(runs[0].machine.label for runs in by_machine)
    if not across:
        raise BadInput(
            f"the baseline is of another machine: {names}; the new Run is of {run.machine.label}",
            "measure the baseline on the same machine, or compare machines with --across",
        )
    if len(by_machine) > 1:
        raise BadInput(
            f"the baselines are of several other machines: {names}", "use only Runs of one machine with --baseline"
        )
    return by_machine[0]


def _without_new(new: Sequence[Run], old: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Return the old Runs that are not among the new ones, and a note on each of the others."""
    new_ids = {run.run_id for run in new}
    kept = [run for run in old if run.run_id not in new_ids]
    if not kept:
        raise BadInput(
            f"the baseline has only run {old[0].run_id[:8]}, which is also the new Run",
            "choose another Run with --baseline",
        )
    both = [run for run in old if run.run_id in new_ids]
    return kept, [f"run {run.run_id[:8]} is on both sides: it is judged, and not part of the baseline" for run in both]


def require_repeats(runs: Sequence[Run]) -> None:
    """Raise BadInput if Runs to be used as repeats are of different models, data or numbers of images."""
    for run in runs[1:]:
        if run.images_per_pass != runs[0].images_per_pass:
            raise BadInput(
                f"run {runs[0].run_id[:8]} has {runs[0].images_per_pass:,} images per pass, but run {run.run_id[:8]} "
                f"has {run.images_per_pass:,}, so they are not repeats",
                "use only Runs with the same --limit and --resample for one side",
            )
        if run.settings.cpus != runs[0].settings.cpus:
            raise BadInput(
                f"run {runs[0].run_id[:8]} was measured on cores {runs[0].settings.cpus or 'all'}, but run "
                f"{run.run_id[:8]} on {run.settings.cpus or 'all'}, so they are not repeats",
                "use only Runs with the same --cpus for one side",
            )
        if run.bundle.sha256 != runs[0].bundle.sha256:
            raise BadInput(
                f"runs {runs[0].run_id[:8]} and {run.run_id[:8]} are of different models, so they are not repeats",
                "use only Runs of the same model and data for one side",
            )


def _paired_sides(runs: Sequence[Run], old: Sequence[Run]) -> tuple[list[Pair], list[str]]:
    """Return the pairs of the configurations of ``runs``, all of one machine, and notes on the unpaired ones."""
    sides: dict[Configuration, tuple[list[RunResult], list[RunResult]]] = {}
    notes: list[str] = []
    for run in runs:
        found = {id(result): (other, partner) for other in old for result, partner in _pairs(run, other)}
        if not found:
            raise BadInput(_no_pairs(run, old[0]), _remedy(run, old[0]))
        for result in run.expected_results:
            if id(result) not in found:
                notes.append(f"not compared, because it is not in the baseline: {result.configuration}")
                continue
            configuration, partner = result.configuration, found[id(result)][1]
            if configuration.variant != partner.configuration.variant:
                names = configuration.variant, partner.configuration.variant
                notes.append(f"{names[0]} is compared with {names[1]} of the baseline: the only model of each Run")
            side = sides.setdefault(configuration, ([], []))
            side[0].append(RunResult(run, result))
            if not side[1]:
                side[1].extend(
                    RunResult(other, each)
                    for other in old
                    for each in other.results_with_trials
                    if each.configuration == partner.configuration
                )
    return [Pair(as_one(first), as_one(second), failure_of(first)) for first, second in sides.values()], notes


def failure_of(results: Sequence[RunResult]) -> str:
    """Return why a configuration was not measured in one of its Runs; empty if it was measured in all."""
    for item in results:
        if not item.result.trials:
            reason = item.result.failure.message if item.result.failure else "not measured"
            return reason if len(results) == 1 else f"run {item.run.run_id[:8]}: {reason}"
    return ""


def _require_same_runtimes(pairs: Sequence[Pair]) -> None:
    """Raise BadInput if a pair was measured with different versions of a runtime."""
    for item, partner, _ in pairs:
        versions = [sorted({each.result.runtime_version for each in side.all_runs}) for side in (partner, item)]
        if item.result.trials and versions[0] != versions[1]:
            before, after = (" and ".join(each) or "unknown" for each in versions)
            raise BadInput(
                f"the version of {item.result.configuration.runtime} changed: {before} → {after}",
                "measure both with the same version, or judge both changes together with --across",
            )
        files = [{each.result.delegate_library for each in side.all_runs} for side in (partner, item)]
        if item.result.trials and _checksums(files[0]) != _checksums(files[1]):
            raise BadInput(
                f"the library of the delegate {item.result.configuration.delegate.split(',')[0]} changed",
                "measure both with the same library, or judge both changes together with --across",
            )


def _checksums(libraries: Iterable[DelegateLibrary | None]) -> set[str]:
    return {each.sha256 for each in libraries if each is not None}


def _require_same_cores(pairs: Sequence[Pair]) -> None:
    """Raise BadInput if a pair was measured on different cores of the machine."""
    for item, partner, _ in pairs:
        cores = [sorted({each.run.settings.cpus for each in side.all_runs}) for side in (partner, item)]
        if item.result.trials and cores[0] != cores[1]:
            before, after = (" and ".join(name or "all" for name in each) for each in cores)
            raise BadInput(
                f"the measured cores of {item.result.configuration} changed: {before} → {after}",
                "measure both with the same --cpus, or judge both changes together with --across",
            )


def _pairs(run: Run, old: Run) -> list[tuple[Result, Result]]:
    by_name = {result.configuration: result for result in old.results_with_trials}
    found = [(result, by_name[result.configuration]) for result in run.results if result.configuration in by_name]
    if found or len(_variants(run.results)) != 1 or len(_variants(old.results)) != 1:
        return found
    by_settings = {settings_of(result.configuration): result for result in old.results_with_trials}
    return [
        (result, by_settings[settings])
        for result in run.results
        if (settings := settings_of(result.configuration)) in by_settings
    ]


def settings_of(configuration: Configuration) -> tuple[str, int, int, str]:
    """Return a configuration without its variant."""
    return configuration.runtime, configuration.threads, configuration.batch_size, configuration.delegate


def _variants(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(result.configuration.variant for result in results))


def _without(results: Sequence[Result], others: Iterable[Result]) -> list[Result]:
    known = {id(other) for other in others}
    return [result for result in results if id(result) not in known]


def _only_in_baseline(result: Result) -> str:
    if result.trials:
        return f"not compared, because it is only in the baseline: {result.configuration}"
    reason = result.failure.message if result.failure else "not measured"
    return f"not compared, because it has no times in the baseline ({reason}): {result.configuration}"


def interrupted(run: Run) -> str:
    """Return the note on an interrupted Run."""
    return f"run {run.run_id[:8]} on {run.machine.label} was interrupted: only its finished trials are compared"


def _no_pairs(run: Run, old: Run) -> str:
    return f"no configuration of run {run.run_id[:8]} is in its baseline, run {old.run_id[:8]}"


def _remedy(run: Run, old: Run) -> str:
    """Return the configurations of each Run, and how to get pairs."""
    sides = f"the Run has {listed(run.results)}; the baseline has {listed(old.results_with_trials)}"
    if set(_variants(run.results)) & set(_variants(old.results)) or len(_variants([*run.results, *old.results])) == 2:
        return f"{sides}; measure both with the same --runtime, --threads and --batch-size"
    return f"{sides}; use the same names of model files in both, or measure one model in each"


def listed(results: Iterable[Result]) -> str:
    """Return the configurations of results as a text."""
    return "; ".join(str(result.configuration) for result in results) or "nothing"
