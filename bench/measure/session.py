"""A run from the request to the Run on disk, with ``--once`` and ``--resume``."""

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

from edge_bench.bench import interrupts
from edge_bench.bench.analysis.labels.same_images import same_content
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import require_run_space, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import reading
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.measure.recorder import images_of, started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import JOURNAL, Entry, Journal, TrialMade, read_journal
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import BundleIdentity, Configuration, Run, Settings
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run
from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs, remove_ended_runs, runtime_folders
from edge_bench.bench.system.machine import Machine, describe_machine

__all__ = ["measure"]


def measure(
    request: BenchmarkRequest,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    explicit_options: Collection[str] | None = None,
    resume: bool = False,
) -> tuple[Run, Path]:
    """Measure the planned configurations and write the Run; return it with its path.

    All input is checked before the first measurement.
    With ``once`` return a complete Run in ``results`` if there is one of the same models, preprocessing, labels,
    classes and pixels, made on this machine with the same libraries, settings and configurations. If
    ``explicit_options`` names the options that the user set, only these must be the same.
    Each trial is in a journal beside the Run before the next one starts; ``resume`` continues an interrupted run.
    If the results folder can no longer be written at the end (disk full, card removed), write the Run into the system's
    temporary folder; raise ResultsError if that fails too.
    """
    writable_folder(results)
    remove_leftovers(results)  # of runs that were killed
    if once and (match := _matching_run(results, request, explicit_options)):
        progress.say(f"reusing {match[1]}: same models, data and options")
        _remove_journal(match[1].with_suffix(JOURNAL))
        remove_ended_runs(*runtime_folders(), results)
        return match
    require_run_space(results, request.images, request.invocations)
    with contextlib.ExitStack() as stack:
        if request.bundle is not None:  # other processes must not rewrite it during the run
            stack.enter_context(reading(request.bundle))
        journal, begun, earlier = _open_journal(results, request, progress, resume=resume)
        stack.enter_context(journal)
        concurrent = stack.enter_context(
            detect_concurrent_runs(begun.run_id, begun.machine.hostname, *runtime_folders(), results)
        )
        run = run_benchmark(
            request.workload, request.planned, request.settings, progress,
            begun=begun, journal=journal, earlier=earlier, concurrent=concurrent,
        )  # fmt: skip
        with interrupts.defer_interrupts():
            return run, _write(run, results, journal, progress, again=earlier is not None)


def _write(run: Run, results: Path, journal: Journal, progress: Progress, *, again: bool) -> Path:
    """Write the Run and return its path; remove the journal unless the run can be resumed."""
    try:
        path = write_run(run, results, again=again)
    except ResultsError as cause:
        path = write_run(run, lasting_temporary_folder(), again=again)
        progress.say(f"! {cause.problem}; the Run was written to {path} instead")
        return path
    if run.complete or not run.results_with_trials:
        journal.remove()
    return path


def _remove_journal(path: Path) -> None:
    """Remove the journal of a complete Run, left by a process that was killed before it could do so."""
    with contextlib.suppress(OSError, ResultsError, BadInput):
        journal, _, _ = Journal.reopen(path)
        with journal:
            journal.remove()


def _open_journal(
    results: Path, request: BenchmarkRequest, progress: Progress, *, resume: bool
) -> tuple[Journal, Run, list[Entry] | None]:
    """Return the journal, the Run before its first trial, and the entries of the run that is resumed, or None."""
    begun = started_run(request.workload, request.planned, request.settings)
    unfinished = [path for path in sorted(results.glob(f"run-*{JOURNAL}"), reverse=True) if _is_same_run(path, begun)]
    if resume and unfinished:
        journal, begun, entries = Journal.reopen(unfinished[0])
        trials = sum(isinstance(entry, TrialMade) for entry in entries)
        progress.say(f"resuming {unfinished[0].name}: {trials} trials are finished")
        return journal, begun, entries
    if resume:
        progress.say(f"{results}: no unfinished run of these models, data and options; starting a new one")
    elif unfinished:
        progress.say(
            f"{unfinished[0]}: an unfinished run of the same models, data and options; continue it with --resume"
        )
    name = run_file_name(begun.began, begun.machine.hostname, begun.run_id)
    return Journal.create((results / name).with_suffix(JOURNAL), begun), begun, None


def _is_same_run(path: Path, wanted: Run) -> bool:
    """Return whether a journal has the same models, preprocessing, settings, images, configurations and machine."""
    try:
        begun, _ = read_journal(path)
    except ResultsError:
        return False
    return (
        _same_models(begun, wanted.bundle, wanted.preprocessing)
        and begun.settings == wanted.settings
        and begun.results == wanted.results
        and begun.images == wanted.images
        and _same_machine(begun.machine, wanted.machine)
        and begun.sandbox in (None, wanted.sandbox)  # a Run has one answer for all its workers
    )


def _matching_run(
    results: Path, request: BenchmarkRequest, explicit_options: Collection[str] | None
) -> tuple[Run, Path] | None:
    machine, configurations = describe_machine(), [item.configuration for item in request.planned]
    for path in sorted(results.glob("run-*.json"), reverse=True):
        try:
            run = read_run(path)
        except ResultsError:
            continue
        if (
            run.complete
            and _same_models(run, request.workload.identity, request.workload.shared.preprocessing)
            and _same_settings(run.settings, request.settings, explicit_options)
            and _same_configurations([result.configuration for result in run.results], configurations, explicit_options)
            and _same_machine(run.machine, machine)
            # a bundle's checksum includes its images and labels; otherwise last, since all pixels are read
            and (request.bundle is not None or same_content(run.images, images_of(request.workload)))
        ):
            return run, path
    return None


def _same_models(run: Run, identity: BundleIdentity, preprocessing: Preprocessing | None) -> bool:
    """Return whether a Run is of the same bundle, or the same model files and data, and interprets them equally."""
    return (
        run.bundle.sha256 == identity.sha256
        and run.bundle.classes == identity.classes
        and run.preprocessing in (None, preprocessing)  # None: an old Run, whose bundle's checksum includes it
    )


def _same_settings(first: Settings, second: Settings, explicit_options: Collection[str] | None) -> bool:
    wanted = None if explicit_options is None else {*explicit_options, "stateful"}  # without an accuracy, if set
    names = [name for name in first.__struct_fields__ if wanted is None or name in wanted]
    return all(getattr(first, name) == getattr(second, name) for name in names)


def _same_configurations(
    first: Sequence[Configuration], second: Sequence[Configuration], explicit_options: Collection[str] | None
) -> bool:
    if explicit_options is None:
        return list(first) == list(second)
    axes = [axis for axis in Configuration.__struct_fields__ if axis in explicit_options]
    return all({getattr(c, axis) for c in first} == {getattr(c, axis) for c in second} for axis in axes)


def _same_machine(first: Machine, second: Machine) -> bool:
    return all(
        getattr(first, name) == getattr(second, name)
        for name in ("hostname", "cpu", "architecture", "emulated", "libraries")
    )
