"""From a bundle's path to a Run on disk, and from paths to Runs."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.benchmark import run_benchmark
from bench.bundle import Bundle
from bench.compare import LIGHT
from bench.emulation import emulation_signs
from bench.errors import ResultsError
from bench.plan import Selection, plan
from bench.progress import Progress
from bench.results import Run, Settings, read_run, writable_folder, write_run

__all__ = ["measure", "read_runs", "runs_elsewhere"]

#: An emulator takes 50 to 300 times as long, and only its predictions count.
EMULATED_LIMIT = 500


def measure(
    folder: Path, selection: Selection, settings: Settings, results: Path, progress: Progress
) -> tuple[Run, Path]:
    """Measures a bundle and writes the Run; bad input is found before anything is measured.

    Where the results folder can no longer be written at the end (a full disk, a card pulled out), the Run goes to the
    system's temporary folder instead; ResultsError where that fails too.
    """
    bundle = Bundle.open(folder)
    if emulation_signs() and selection == Selection(variants=[], runtimes=[]) and settings.limit is None:
        selection = msgspec.structs.replace(selection, variants=[LIGHT])
        settings = msgspec.structs.replace(settings, limit=EMULATED_LIMIT)
        progress.say(
            f"EMULATED: the light model ({LIGHT}) on {EMULATED_LIMIT} images only; "
            "--variant, --runtime or --limit set something else"
        )
    planned = plan(bundle, selection)
    writable_folder(results)
    run = run_benchmark(bundle, planned, settings, progress)
    try:
        return run, write_run(run, results)
    except ResultsError as cause:
        path = write_run(run, Path(tempfile.gettempdir()))
        progress.say(f"! {cause.problem}; the Run was written to {path} instead")
        return run, path


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """The Runs of the named files, and of all Run files in the named folders, oldest first."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("run-*.json"))
            if not inside:
                raise ResultsError(f"{path}: holds no Run files", "measure first with `edge-bench run`")
            files += inside
        else:
            files.append(path)
    return [read_run(path) for path in dict.fromkeys(files)]


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
