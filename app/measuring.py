"""From a question to a Run on disk, and from paths to Runs."""

import contextlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from app.questions import Question
from bench import interrupts
from bench.assembly import read_run_or_journal
from bench.benchmark import run_benchmark
from bench.company import company, runtime_folders
from bench.errors import BadInput, ResultsError
from bench.files import remove_leftovers
from bench.journal import JOURNAL, Entry, Journal, TrialMade, read_journal
from bench.locks import reading
from bench.machine import Machine, describe_machine
from bench.progress import Progress
from bench.recorder import run_begun
from bench.results import Configuration, Run, Settings, read_run, run_file_name, write_run
from bench.results_folder import room_for, writable_folder
from bench.scratch import lasting_temporary_folder

__all__ = ["measure", "read_runs", "runs_elsewhere"]


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


def read_runs(paths: Sequence[Path], progress: Progress, *, one_bundle: bool = False) -> list[Run]:
    """The Runs of the named files, and of the Run files in the named folders, oldest first.

    With ``one_bundle``, of a folder with Runs of several bundles the newest Run's bundle counts, and it is said what
    was passed over; files named one by one are taken as they are.
    """
    runs: dict[Path, Run] = {}
    for path in paths:
        if not path.is_dir():
            runs[path] = read_run_or_journal(path)
            continue
        inside = {file: read_run(file) for file in sorted(path.glob("run-*.json"))}
        if not inside:
            raise ResultsError(f"{path}: holds no Run files", "measure first with `edge-bench run`")
        newest = max(inside.values(), key=lambda run: run.began)
        for journal in sorted(path.glob(f"run-*{JOURNAL}")):
            if journal.with_suffix(".json") not in inside:
                progress.say(f"{journal} is of a run that has not ended; name it to see what it has measured")
        others = [file.name for file, run in inside.items() if one_bundle and run.bundle.sha256 != newest.bundle.sha256]
        if others:
            progress.say(f"{path}: {len(others)} Runs of other bundles are left out: {', '.join(others)}")
        runs |= {file: run for file, run in inside.items() if file.name not in others}
    return list(runs.values())


def runs_elsewhere(folders: str | None, run: Run) -> list[Run]:
    """The newest complete Run of the same bundle from every other machine, in folders separated like PATH's.

    Other files in them are nobody's mistake here, and are passed over.
    """
    newest: dict[tuple[str, bool], Run] = {}
    for folder in filter(None, (folders or "").split(os.pathsep)):
        for path in sorted(Path(folder).glob("run-*.json")):
            try:
                other = read_run(path)
            except ResultsError:
                continue
            elsewhere = (other.machine.architecture, other.emulated) != (run.machine.architecture, run.emulated)
            if elsewhere and other.complete and other.measured and other.bundle.sha256 == run.bundle.sha256:
                newest[other.machine.architecture, other.emulated] = other
    return list(newest.values())
