"""Runs in the files and folders that the user names."""

import os
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.measure.run_builder import read_run_or_journal
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import JOURNAL
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run

__all__ = ["read_runs", "runs_elsewhere"]


def read_runs(paths: Sequence[Path], progress: Progress, *, one_bundle: bool = False) -> list[Run]:
    """Return the Runs of the named files and of the Run files in the named folders, oldest first.

    With ``one_bundle``, read from each folder only the Runs of the newest Run's bundle and report the others. Files
    that are named individually are always read.
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
    """Return the newest complete Run of the same bundle from each other kind of machine: architecture, emulated or not.

    ``folders`` are separated as in PATH. Files that are not Runs are skipped.
    """
    newest: dict[tuple[str, bool], Run] = {}
    for folder in filter(None, (folders or "").split(os.pathsep)):
        for path in sorted(Path(folder).glob("run-*.json")):
            try:
                other = read_run(path)
            except ResultsError:
                continue
            kind = other.machine.architecture, other.emulated
            usable = other.complete and other.results_with_trials and other.bundle.sha256 == run.bundle.sha256
            if usable and kind != (run.machine.architecture, run.emulated):
                newest[kind] = other
    return list(newest.values())
