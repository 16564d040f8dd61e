"""What `history` needs of the Runs in files and folders, from an index of each folder that has many."""

import contextlib
import functools
import hashlib
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edge_bench.bench.analysis.labels.same_images import Pixels
from edge_bench.bench.analysis.over_time.measured import Description, MeasuredResult, MeasuredRun, measured
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.python_process import collection_paused
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.stored.charts import StoredCharts
from edge_bench.bench.measure.stored.nights import read_together, together
from edge_bench.bench.measure.stored.reading import IN_FOLDER, run_files, runs_inside, without_copies
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.run_files import read_run_with_checksum
from edge_bench.bench.version import __version__

if TYPE_CHECKING:
    from edge_bench.bench.io.file_index import Derived, FileIndex

__all__ = [
    "INDEX_FOLDER",
    "LEAST_FILES",
    "read_measured",
    "read_measured_files",
    "read_measured_nights",
    "stored_charts",
]

#: Folders with fewer Run files have no index, because reading them is fast.
LEAST_FILES = 30
#: Subfolder of the cache.
INDEX_FOLDER = "run-index"
#: Indexes that nobody has used for so long are removed when another one is created.
_UNUSED_SECONDS = 90 * 24 * 3600
#: Number of new Runs from which the progress is shown.
_SHOWN = 20


class _Own(msgspec.Struct, frozen=True, array_like=True):
    """The fields of a `MeasuredRun` that no other Run shares."""

    run_id: str
    began: str
    ended: str
    complete: bool
    trusted: bool | None
    trials: int
    missing: str
    repeat_group: str
    results: tuple[MeasuredResult, ...]


_SHARED = ("description", "pixels")
_DECODERS: tuple[msgspec.msgpack.Decoder[Any], ...] = (
    msgspec.msgpack.Decoder(Description),
    msgspec.msgpack.Decoder(Pixels),
)
_OWN = msgspec.msgpack.Decoder(_Own)
_encode = msgspec.msgpack.encode


def read_measured(paths: Sequence[Path], progress: Progress, *, without_damaged: bool = False) -> list[MeasuredRun]:
    """Return the Runs of `read_measured_files`."""
    return list(read_measured_files(paths, progress, without_damaged=without_damaged).values())


@collection_paused()
def read_measured_files(
    paths: Sequence[Path],
    progress: Progress,
    *,
    without_damaged: bool = False,
    more: Mapping[Path, Mapping[str, Sequence[str]]] | None = None,
) -> dict[Path, MeasuredRun]:
    """Return what is kept of the Runs in the named files and folders, by file, each run once.

    They are the Runs that `read_run_files` returns for the same arguments, with the same reports and errors.
    ``more`` has for each folder the further files of the Runs of nights, which count as one with the first.
    """
    runs: dict[Path, MeasuredRun] = {}
    for path in paths:
        if path.is_dir():
            further = (more or {}).get(path, {})
            groups = [[file.name, *further.get(file.name, ())] for file in run_files(path)]
            found = _read(path, groups, "nights.sqlite" if further else "sqlite", progress)
            runs |= runs_inside(path, found, progress, without_damaged=without_damaged)
        else:
            runs[path] = measured(read_run_or_journal(path))
    return without_copies(runs, progress, lambda run: run.trials)


@collection_paused()
def read_measured_nights(folder: Path, groups: Sequence[Sequence[str]]) -> dict[str, MeasuredRun]:
    """Return what is kept of the Runs of recent nights, by the first file of each, without damaged ones.

    Each group has the names of the files that count as one Run.
    """
    found = _read(folder, groups, "recent.sqlite", Silent())
    return {file.name: run for file, run in found if not isinstance(run, BadInput)}


def _read(
    folder: Path, groups: Sequence[Sequence[str]], suffix: str, progress: Progress
) -> Iterator[tuple[Path, MeasuredRun | BadInput]]:
    """Yield what is kept of the Run in each group of files, with the first of them, or why it cannot be read."""
    files, new = [folder / names[0] for names in groups], 0
    index = _index_of(folder, suffix) if len(files) >= LEAST_FILES else None
    try:
        found = _indexed(index, folder, groups) if index else _all_read(folder, groups)
        for number, (file, (run, known)) in enumerate(zip(files, found, strict=True)):
            new += not known
            if new == _SHOWN and not known:
                progress.start(f"reading new Runs of {folder}", len(files), number + 1 - new)  # the index had these
                progress.advance(new - 1)
            yield file, run
            if new >= _SHOWN:
                progress.advance()
        if new >= _SHOWN:
            progress.finish()
    finally:
        if index:
            index.close()
    if index and index.problem and new >= _SHOWN:
        progress.say(f"the index of {folder} cannot be kept: {index.problem}; the next command reads all Runs again")


def _all_read(folder: Path, groups: Sequence[Sequence[str]]) -> Iterator[tuple[MeasuredRun | BadInput, bool]]:
    shared: dict[Description | Pixels, Any] = {}
    for names in groups:
        try:
            run = measured(read_together([folder / name for name in names], IN_FOLDER))
        except BadInput as cause:
            yield cause, False
            continue
        parts = {name: shared.setdefault(getattr(run, name), getattr(run, name)) for name in _SHARED}
        yield msgspec.structs.replace(run, **parts), False


def _indexed(
    index: "FileIndex", folder: Path, groups: Sequence[Sequence[str]]
) -> Iterator[tuple[MeasuredRun | BadInput, bool]]:
    from edge_bench.bench.io.file_index import Derived, joined_checksum

    decode = _Decoder()

    def derive(paths: Sequence[Path]) -> Derived:
        found = [read_run_with_checksum(paths[0], IN_FOLDER)]
        for path in paths[1:]:
            with contextlib.suppress(ResultsError):
                found.append(read_run_with_checksum(path, IN_FOLDER))
        digest = joined_checksum([each for _, each in found])
        kept = measured(together([run for run, _ in found]))
        own = _Own(*(getattr(kept, name) for name in _Own.__struct_fields__))
        return Derived(digest, _encode(own), tuple(_encode(getattr(kept, name)) for name in _SHARED))

    for found, known in index.derived(folder, groups, derive):
        yield found if isinstance(found, BadInput) else decode(found), known


class _Decoder:
    """Decodes entries. Runs that share a part get the same object, which saves memory and comparisons."""

    def __init__(self) -> None:
        self._shared: dict[bytes, Any] = {}

    def __call__(self, derived: "Derived") -> MeasuredRun:
        own = _OWN.decode(derived.own)
        parts = {}
        for name, decoder, data in zip(_SHARED, _DECODERS, derived.parts, strict=True):
            if data not in self._shared:
                self._shared[data] = decoder.decode(data)
            parts[name] = self._shared[data]
        return MeasuredRun(**{name: getattr(own, name) for name in _Own.__struct_fields__}, **parts)


def stored_charts(paths: Sequence[Path], count: int) -> StoredCharts:
    """Return the charts of the series of ``count`` Runs in these files and folders, as far as they are kept."""
    return StoredCharts(_place(paths, "charts") if count >= LEAST_FILES else None)


def _index_of(folder: Path, suffix: str) -> "FileIndex | None":
    """Return the index of a folder; None if there is no place for one."""
    try:
        from edge_bench.bench.io.file_index import FileIndex
    except ImportError:  # a Python without SQLite
        return None
    path = _place([folder], suffix)
    if path is None:
        return None
    index = FileIndex(path, MAX_RUN_BYTES)
    with contextlib.suppress(OSError):
        os.utime(path)
    return index


def _place(paths: Sequence[Path], suffix: str) -> Path | None:
    """Return the file in the cache for these files and folders, and this version of the code; None without a cache."""
    try:
        place = cache_folder() / INDEX_FOLDER
        names = b"\0".join(os.fsencode(path.resolve(strict=True)) for path in paths)
    except (OSError, RuntimeError, BadInput):  # a loop of links, no cache
        return None
    path = place / f"{hashlib.sha256(names).hexdigest()[:24]}-{_version()}.{suffix}"
    if not path.exists():
        _remove_unused(place)
    return path


@functools.cache
def _version() -> str:
    """Return what identifies the code that derives: any change of it makes another index."""
    digest = hashlib.sha256(f"{__version__} {platform.python_version()} {np.__version__}".encode())
    root = Path(__file__).resolve().parents[2]
    for file in sorted(root.rglob("*.py")):
        with contextlib.suppress(OSError):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _remove_unused(place: Path) -> None:
    """Remove the indexes that were not used for a long time, as those of other versions and of removed folders."""
    for path in place.glob("*-*.*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                path.unlink()
