"""From a question to a Run on disk, and from paths to Runs."""

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

from edge_bench.bench import interrupts
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import require_run_space, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import reading
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.measure.recorder import started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import JOURNAL, Entry, Journal, TrialMade, read_journal
from edge_bench.bench.records.run import Configuration, Run, Settings
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run
from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs, runtime_folders
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
    """Measures what is planned and writes the Run; bad input is found before anything is measured.

    With ``once`` a complete Run of the same models and data in ``results``, made on this machine with these libraries,
    is the answer, if its settings and configurations are those asked for; where ``explicit_options`` names the options
    that a person stated, only these have to be the same.
    Every trial is in a journal beside the Run before the next starts; with ``resume`` a run of the same that ended
    before its time goes on.
    Where the results folder can no longer be written at the end (a full disk, a card pulled out), the Run goes to the
    system's temporary folder instead; ResultsError where that fails too.
    """
    writable_folder(results)
    for place in (results, *runtime_folders()):
        remove_leftovers(place)  # of runs that were killed
    if once and (found := _measured_before(results, request, explicit_options)):
        progress.say(f"{found[1]} has measured this bundle so already")
        _close(found[1].with_suffix(JOURNAL))
        return found
    require_run_space(results, request.images, request.invocations)
    with contextlib.ExitStack() as held:
        if request.bundle is not None:  # nobody may write it anew meanwhile
            held.enter_context(reading(request.bundle))
        journal, begun, earlier = _journal(results, request, progress, resume=resume)
        held.enter_context(journal)
        concurrent = held.enter_context(
            detect_concurrent_runs(begun.run_id, begun.machine.hostname, *runtime_folders(), results)
        )
        run = run_benchmark(
            request.workload, request.planned, request.settings, progress,
            begun=begun, journal=journal, earlier=earlier, concurrent=concurrent,
        )  # fmt: skip
        with interrupts.defer_interrupts():
            return run, _written(run, results, journal, progress, again=earlier is not None)


def _written(run: Run, results: Path, journal: Journal, progress: Progress, *, again: bool) -> Path:
    """Where the Run is now; its journal is gone unless there is something to go on with."""
    try:
        path = write_run(run, results, again=again)
    except ResultsError as cause:
        path = write_run(run, lasting_temporary_folder(), again=again)
        progress.say(f"! {cause.problem}; the Run was written to {path} instead")
        return path
    if run.complete or not run.measured:
        journal.remove()
    return path


def _close(path: Path) -> None:
    """Removes the journal of a Run that is complete: a kill came between the two."""
    with contextlib.suppress(OSError, ResultsError, BadInput):
        journal, _, _ = Journal.reopen(path)
        with journal:
            journal.remove()


def _journal(
    results: Path, request: BenchmarkRequest, progress: Progress, *, resume: bool
) -> tuple[Journal, Run, list[Entry] | None]:
    """The journal to write, the Run as it began, and the entries of earlier sittings (None: this is the first)."""
    begun = started_run(request.workload, request.planned, request.settings)
    unfinished = [path for path in sorted(results.glob(f"run-*{JOURNAL}"), reverse=True) if _is_of(path, begun)]
    if resume and unfinished:
        journal, begun, entries = Journal.reopen(unfinished[0])
        made = sum(isinstance(entry, TrialMade) for entry in entries)
        progress.say(f"going on with {unfinished[0].name}: {made} trials are made")
        return journal, begun, entries
    if resume:
        progress.say(f"{results}: no run of these models, data and options to go on with; a new one begins")
    elif unfinished:
        progress.say(f"{unfinished[0]} is of the same, and unfinished: --resume would go on with it")
    name = run_file_name(begun.began, begun.machine.hostname, begun.run_id)
    return Journal.create((results / name).with_suffix(JOURNAL), begun), begun, None


def _is_of(path: Path, wanted: Run) -> bool:
    """Whether a journal is of the same question, asked on the same machine."""
    try:
        begun, _ = read_journal(path)
    except ResultsError:
        return False
    return (
        begun.bundle.sha256 == wanted.bundle.sha256
        and begun.settings == wanted.settings
        and begun.results == wanted.results
        and begun.images == wanted.images
        and _same_machine(begun.machine, wanted.machine)
    )


def _measured_before(
    results: Path, request: BenchmarkRequest, explicit_options: Collection[str] | None
) -> tuple[Run, Path] | None:
    here, configurations = describe_machine(), [item.configuration for item in request.planned]
    for path in sorted(results.glob("run-*.json"), reverse=True):
        try:
            run = read_run(path)
        except ResultsError:
            continue
        if (
            run.complete
            and run.bundle.sha256 == request.workload.identity.sha256
            and _same(run.settings, request.settings, explicit_options)
            and _same_configurations([result.configuration for result in run.results], configurations, explicit_options)
            and _same_machine(run.machine, here)
        ):
            return run, path
    return None


def _same(one: Settings, other: Settings, explicit_options: Collection[str] | None) -> bool:
    names = [name for name in one.__struct_fields__ if explicit_options is None or name in explicit_options]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _same_configurations(
    one: Sequence[Configuration], other: Sequence[Configuration], explicit_options: Collection[str] | None
) -> bool:
    if explicit_options is None:
        return list(one) == list(other)
    axes = [axis for axis in Configuration.__struct_fields__ if axis in explicit_options]
    return all({getattr(c, axis) for c in one} == {getattr(c, axis) for c in other} for axis in axes)


def _same_machine(one: Machine, other: Machine) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("hostname", "cpu", "architecture", "emulated", "libraries")
    )
