"""Runs from files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from edge_bench.api.messages import progress_view
from edge_bench.api.runs import Run, Runs
from edge_bench.bench.measure.stored.reading import read_run_files

__all__ = ["AnyPath", "load", "paths_of"]

AnyPath: TypeAlias = str | os.PathLike[str]


def load(paths: AnyPath | Iterable[AnyPath]) -> Runs:
    """Return the Runs in files, in folders of Run files, or in journals of interrupted runs, oldest first in a folder.

    Each run is returned once. Raise ResultsError for a file that is damaged or missing, and for a folder without Runs.
    Skipped files, such as a second copy of a Run, are logged.
    """
    files = read_run_files(paths_of(paths), progress_view(shown=False))
    return Runs(Run(record, path) for path, record in files.items())


def paths_of(paths: AnyPath | Iterable[AnyPath]) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(each) for each in paths]
