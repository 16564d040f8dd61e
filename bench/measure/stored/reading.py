"""Runs in the files and folders that the user names."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_bench.bench.analysis.labels.same_images import image_difference
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run

__all__ = [
    "IN_FOLDER",
    "model_difference",
    "read_run_files",
    "read_runs",
    "run_files",
    "runs_elsewhere",
    "runs_inside",
    "without_copies",
]

#: Remedy for a damaged file.
IN_FOLDER = "remove it from the folder, or give the files to read instead of the folder"

#: Number of omitted Runs whose file names are printed.
_NAMED = 3


def read_runs(paths: Sequence[Path], progress: Progress, **which: Any) -> list[Run]:
    """Return the Runs of `read_run_files`. ``which`` are its other arguments."""
    return list(read_run_files(paths, progress, **which).values())


def read_run_files(
    paths: Sequence[Path],
    progress: Progress,
    *,
    other_than: Callable[[Run, Run], str] | None = None,
    without_damaged: bool = False,
) -> dict[Path, Run]:
    """Return the Runs in the named files and in the named folders, by file, each run once.

    ``other_than`` returns why two Runs do not belong together, or an empty string. If it is given, read from each
    folder only the Runs that belong to its newest one, and report the others. Files that are named individually are
    always read.

    If several files contain the same run, the one with the most trials is read, and the others are reported. A damaged
    file is refused. With ``without_damaged``, damaged files in folders are skipped and reported.
    """
    runs: dict[Path, Run] = {}
    for path in paths:
        if not path.is_dir():
            runs[path] = read_run_or_journal(path)
            continue
        inside = runs_inside(path, _read(path), progress, without_damaged=without_damaged)
        # a sustained load is not compared with anything
        newest = max(inside.values(), key=lambda run: (run.settings.sustained is None, run.began))
        left_out: dict[str, list[Path]] = {}
        for file, run in inside.items():
            if other_than is not None and (reason := other_than(run, newest)):
                left_out.setdefault(reason, []).append(file)
        report(path, left_out, progress)
        others = {file for files in left_out.values() for file in files}
        runs |= {file: run for file, run in inside.items() if file not in others}
    return without_copies(runs, progress, _trials)


def _read(folder: Path) -> Iterator[tuple[Path, Run | ResultsError]]:
    """Yield the Run in each Run file of a folder, or why it cannot be read."""
    for file in run_files(folder):
        try:
            yield file, read_run(file, IN_FOLDER)
        except ResultsError as cause:
            yield file, cause


def run_files(folder: Path) -> list[Path]:
    """Return the Run files of a folder by name; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return []
    # faster than sorting the paths of a glob
    return [folder / name for name in sorted(names) if name.startswith("run-") and name.endswith(".json")]


def runs_inside(
    folder: Path, found: Iterable[tuple[Path, Any]], progress: Progress, *, without_damaged: bool
) -> dict[Path, Any]:
    """Return what was ``found`` in the Run files of a folder, without the errors.

    Report unfinished runs and, with ``without_damaged``, damaged files. Raise ResultsError for a damaged file
    otherwise, or if nothing is left.
    """
    runs, damaged = {}, dict[str, list[Path]]()
    for file, run in found:
        if not isinstance(run, ResultsError):
            runs[file] = run
        elif without_damaged:
            damaged.setdefault(run.problem.removeprefix(f"{file}: "), []).append(file)
        else:
            raise run
    if damaged and not runs:
        raise ResultsError(f"{folder}: no Run file can be read: {next(iter(damaged))}", "choose another folder")
    report(folder, damaged, progress)
    if not runs:
        raise ResultsError(f"{folder}: no Run files in this folder", "measure first with `edge-bench run`")
    for journal in sorted(folder.glob(f"run-*{JOURNAL}")):
        if journal.with_suffix(".json") not in runs:
            progress.say(f"skipped {journal}: an unfinished run; give the file itself to include its measurements")
    return runs


def without_copies(runs: dict[Path, Any], progress: Progress, trials: Callable[[Any], int]) -> dict[Path, Any]:
    """Return each run once, from the first file with the most trials. Report the other files."""
    kept: dict[str, Path] = {}
    for file, run in runs.items():
        other = kept.setdefault(run.run_id, file)
        if trials(run) > trials(runs[other]):
            kept[run.run_id] = file
    if copies := [file for file, run in runs.items() if kept[run.run_id] != file]:
        files = "1 file" if len(copies) == 1 else f"{len(copies)} files"
        progress.say(f"skipped {files} of Runs that other files contain, too: {_names(copies)}")
    return {file: run for file, run in runs.items() if kept[run.run_id] == file}


def _trials(run: Run) -> int:
    return sum(len(result.trials) for result in run.results)


def report(folder: Path, left_out: dict[str, list[Path]], progress: Progress) -> None:
    """Print one line per reason for skipping Runs of a folder."""
    for reason, files in left_out.items():
        noun = "Run" if len(files) == 1 else "Runs"
        names = _names([Path(file.name) for file in files])
        progress.say(f"{folder}: skipped {len(files)} {noun} ({reason}): {names}")


def _names(files: Sequence[Path]) -> str:
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(map(str, files[:_NAMED])) + more


def model_difference(run: Run, other: Run) -> str:
    """Return, as a phrase, why two Runs are not compared: another model or data, or one is a sustained load."""
    if (run.settings.sustained is None) != (other.settings.sustained is None):
        return "a sustained load" if run.settings.sustained else "not a sustained load"
    return "" if run.bundle.sha256 == other.bundle.sha256 else "of another model, data or preprocessing"


def runs_elsewhere(folders: str | None, run: Run, progress: Progress) -> list[Run]:
    """Return the newest complete Run of the same bundle from each other kind of machine: architecture, emulated or not.

    ``folders`` are separated as in PATH. Report how many Runs of each folder are skipped, and why.
    """
    newest: dict[tuple[str, bool], Run] = {}
    for folder in map(Path, filter(None, (folders or "").split(os.pathsep))):
        left_out: dict[str, list[Path]] = {}
        if not folder.is_dir():
            progress.say(f"{folder}: no such folder; Runs of other machines are not compared")
        for path in sorted(folder.glob("run-*.json"), reverse=True):  # newest first
            try:
                other = read_run(path)
            except ResultsError:
                left_out.setdefault("unreadable", []).append(path)
                continue
            kind = other.machine.architecture, other.emulated
            if reason := _why_not_elsewhere(other, run):
                left_out.setdefault(reason, []).append(path)
            elif kind in newest and newest[kind].began >= other.began:
                left_out.setdefault("older than another Run of the same kind of machine", []).append(path)
            elif other.run_id != run.run_id:
                newest[kind] = other
        report(folder, left_out, progress)
    return list(newest.values())


def _why_not_elsewhere(other: Run, run: Run) -> str:
    """Return why ``other`` cannot be compared with ``run`` as a Run of another machine; empty if it can."""
    if other.run_id == run.run_id:
        return ""
    if reason := model_difference(other, run):
        return reason
    if not other.complete or not other.results_with_trials:
        return "incomplete, or without measurements"
    same_kind = (other.machine.architecture, other.emulated) == (run.machine.architecture, run.emulated)
    return "from the same kind of machine as this one" if same_kind else image_difference(other, run)
