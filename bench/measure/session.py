"""A run from the request to the Run on disk, with ``--once`` and ``--resume``."""

import contextlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path

from edge_bench.bench import interrupts
from edge_bench.bench.errors import BadInput, EdgeBenchError, ResultsError
from edge_bench.bench.io.disk_space import require_possible_folder, require_run_space, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import PATIENCE_SECONDS, reading
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.measure.recording.started_run import started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.measure.stored.matching import matching_journals, matching_runs
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal.entries import Entry, TrialMade
from edge_bench.bench.records.journal.journal import JOURNAL, Journal, still_measuring
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import run_file_name, write_run
from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs, remove_ended_runs, runtime_folders

__all__ = ["StoredRun", "check", "locked_bundle", "measure", "measure_run", "remove_journals"]

StoredRun = tuple[Run, Path]


def measure(
    request: BenchmarkRequest,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    explicit_options: Collection[str] | None = None,
    resume: bool = False,
) -> StoredRun:
    """Measure the planned configurations and write the Run; return it with its path.

    All input is checked before the first measurement.
    With ``once`` return a matching complete Run in ``results``, if there is one. It has the same models, preprocessing,
    labels, classes and pixels, and was made on this machine with the same libraries, settings and configurations. If
    ``explicit_options`` names the options that the user set, only these must be the same.
    Each trial is in a journal beside the Run before the next one starts; ``resume`` continues an interrupted run.
    If the results folder can no longer be written at the end (disk full, card removed), write the Run into the system's
    temporary folder; raise ResultsError if that fails too.
    """
    writable_folder(results)
    remove_leftovers(results)  # of runs that were killed
    if once and (match := next(matching_runs(results, request, explicit_options), None)):
        progress.say(f"reusing {match[1]}: same models, data and options")
        remove_journals([match])
        remove_ended_runs(*runtime_folders(), results)
        return match
    require_run_space(results, request.images, request.invocations)
    made: list[StoredRun] = []
    with locked_bundle(request):
        begun = started_run(request.workload, request.planned, request.settings)
        journals = matching_journals(results, begun, patience=PATIENCE_SECONDS if resume else 0)
        unfinished = [path for _, path in journals.unfinished]
        if resume and not unfinished:
            if journals.running:
                raise still_measuring(journals.running[0][1])
            progress.say(f"{results}: no unfinished run of these models, data and options; starting a new one")
        elif unfinished and not resume:
            progress.say(
                f"{unfinished[0]}: an unfinished run of the same models, data and options; add --resume to continue it"
            )
        measure_run(request, results, progress, begun, made, unfinished[0] if resume and unfinished else None)
    return made[0]


def check(request: BenchmarkRequest, results: Path) -> None:
    """Make the checks of `measure` that change nothing; raise its errors, also if no configuration can be measured."""
    existing = require_possible_folder(results)
    require_run_space(existing, request.images, request.invocations)
    failures = [item.failure for item in request.planned if item.failure]
    if len(failures) == len(request.planned):
        raise EdgeBenchError(f"no configuration can be measured: {failures[0].message}", failures[0].remedy)


def locked_bundle(request: BenchmarkRequest) -> AbstractContextManager[None]:
    """Return a context manager that keeps other processes from rewriting the bundle, if there is one."""
    return contextlib.nullcontext() if request.bundle is None else reading(request.bundle)


def measure_run(
    request: BenchmarkRequest,
    results: Path,
    progress: Progress,
    begun: Run,
    made: list[StoredRun],
    unfinished: Path | None = None,
) -> None:
    """Make one Run and append it to ``made``, with its path. An interruption after it is written does not lose it.

    ``begun`` is the Run before its first trial. If ``unfinished`` names a journal, continue that run instead.
    """
    with contextlib.ExitStack() as stack:
        journal, begun, earlier = _open_journal(results, progress, begun, unfinished)
        stack.enter_context(journal)
        concurrent = stack.enter_context(
            detect_concurrent_runs(begun.run_id, begun.machine.hostname, *runtime_folders(), results)
        )
        run = run_benchmark(
            request.workload, request.planned, request.settings, progress,
            begun=begun, journal=journal, earlier=earlier, concurrent=concurrent,
        )  # fmt: skip
        with interrupts.defer_interrupts():
            made.append((run, _write(run, results, journal, progress, again=earlier is not None)))


def remove_journals(finished: Collection[StoredRun]) -> None:
    """Remove the journals of complete Runs, left by processes that were killed before they removed them."""
    for _, path in finished:
        with contextlib.suppress(OSError, ResultsError, BadInput):
            journal, _, _ = Journal.reopen(path.with_suffix(JOURNAL))
            with journal:
                journal.remove()


def _write(run: Run, results: Path, journal: Journal, progress: Progress, *, again: bool) -> Path:
    """Write the Run and return its path; remove the journal unless the run can be resumed."""
    try:
        path = write_run(run, results, again=again)
    except ResultsError as cause:
        path = write_run(run, lasting_temporary_folder(), again=again)
        progress.say(f"! {cause.problem}; the Run was written to {path} instead")
        return path
    if run.complete or not any(result.trials or result.first_round for result in run.results):
        journal.remove()
    return path


def _open_journal(
    results: Path, progress: Progress, begun: Run, unfinished: Path | None
) -> tuple[Journal, Run, list[Entry] | None]:
    """Return the journal, the Run before its first trial, and the entries of the run that is resumed, or None."""
    if unfinished is not None:
        journal, begun, entries = Journal.reopen(unfinished)
        trials = sum(isinstance(entry, TrialMade) for entry in entries)
        progress.say(f"resuming {unfinished.name}: finished trials: {trials}")
        return journal, begun, entries
    name = run_file_name(begun.began, begun.machine.hostname, begun.run_id)
    return Journal.create((results / name).with_suffix(JOURNAL), begun), begun, None
