"""From a question to a Run on disk, and from paths to Runs."""

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

from edge_bench.bench import interrupts
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import room_for, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import reading
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.measure.recorder import run_begun
from edge_bench.bench.measure.request import Question
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import JOURNAL, Entry, Journal, TrialMade, read_journal
from edge_bench.bench.records.run import Configuration, Run, Settings
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run
from edge_bench.bench.system.concurrent_runs import company, runtime_folders
from edge_bench.bench.system.machine import Machine, describe_machine

__all__ = ["measure"]


def measure(
    question: Question,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    given: Collection[str] | None = None,
    resume: bool = False,
) -> tuple[Run, Path]:
    """Measures what is planned and writes the Run; bad input is found before anything is measured.

    With ``once`` a complete Run of the same models and data in ``results``, made on this machine with these libraries,
    is the answer, if its settings and configurations are those asked for; where ``given`` names the options that a
    person stated, only these have to be the same.
    Every trial is in a journal beside the Run before the next starts; with ``resume`` a run of the same that ended
    before its time goes on.
    Where the results folder can no longer be written at the end (a full disk, a card pulled out), the Run goes to the
    system's temporary folder instead; ResultsError where that fails too.
    """
    writable_folder(results)
    for place in (results, *runtime_folders()):
        remove_leftovers(place)  # of runs that were killed
    if once and (found := _measured_before(results, question, given)):
        progress.say(f"{found[1]} has measured this bundle so already")
        _close(found[1].with_suffix(JOURNAL))
        return found
    room_for(results, question.images, question.invocations)
    with contextlib.ExitStack() as held:
        if question.bundle is not None:  # nobody may write it anew meanwhile
            held.enter_context(reading(question.bundle))
        journal, begun, earlier = _journal(results, question, progress, resume=resume)
        held.enter_context(journal)
        met = held.enter_context(company(begun.run_id, begun.machine.hostname, *runtime_folders(), results))
        run = run_benchmark(
            question.subject, question.planned, question.settings, progress,
            begun=begun, journal=journal, earlier=earlier, company=met,
        )  # fmt: skip
        with interrupts.held():
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
    results: Path, question: Question, progress: Progress, *, resume: bool
) -> tuple[Journal, Run, list[Entry] | None]:
    """The journal to write, the Run as it began, and the entries of earlier sittings (None: this is the first)."""
    begun = run_begun(question.subject, question.planned, question.settings)
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


def _measured_before(results: Path, question: Question, given: Collection[str] | None) -> tuple[Run, Path] | None:
    here, configurations = describe_machine(), [item.configuration for item in question.planned]
    for path in sorted(results.glob("run-*.json"), reverse=True):
        try:
            run = read_run(path)
        except ResultsError:
            continue
        if (
            run.complete
            and run.bundle.sha256 == question.subject.identity.sha256
            and _same(run.settings, question.settings, given)
            and _same_configurations([result.configuration for result in run.results], configurations, given)
            and _same_machine(run.machine, here)
        ):
            return run, path
    return None


def _same(one: Settings, other: Settings, given: Collection[str] | None) -> bool:
    names = [name for name in one.__struct_fields__ if given is None or name in given]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _same_configurations(
    one: Sequence[Configuration], other: Sequence[Configuration], given: Collection[str] | None
) -> bool:
    if given is None:
        return list(one) == list(other)
    axes = [axis for axis in Configuration.__struct_fields__ if axis in given]
    return all({getattr(c, axis) for c in one} == {getattr(c, axis) for c in other} for axis in axes)


def _same_machine(one: Machine, other: Machine) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("hostname", "cpu", "architecture", "emulated", "libraries")
    )
