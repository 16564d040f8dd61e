"""From a bundle's path to a Run on disk, and from paths to Runs."""

from collections.abc import Sequence
from pathlib import Path

from bench.benchmark import run_benchmark
from bench.bundle import Bundle
from bench.errors import ResultsError
from bench.plan import Selection, plan
from bench.progress import Progress
from bench.results import Run, Settings, read_run, writable_folder, write_run

__all__ = ["measure", "read_runs"]


def measure(
    folder: Path, selection: Selection, settings: Settings, results: Path, progress: Progress
) -> tuple[Run, Path]:
    """Measures a bundle and writes the Run; bad input is found before anything is measured."""
    bundle = Bundle.open(folder)
    planned = plan(bundle, selection)
    writable_folder(results)
    run = run_benchmark(bundle, planned, settings, progress)
    return run, write_run(run, results)


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
