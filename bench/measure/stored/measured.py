"""What `history` needs of the Runs in files and folders, from an index of each folder that has many."""

import contextlib
import functools
import hashlib
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from edge_bench.bench.analysis.labels.same_images import Pixels
from edge_bench.bench.analysis.over_time.measured import Description, MeasuredResult, MeasuredRun, measured
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.python_process import collection_paused
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.measure.recording.run_builder import read_run_or_journal
from edge_bench.bench.measure.stored.charts import StoredCharts
from edge_bench.bench.measure.stored.reading import IN_FOLDER, run_files, runs_inside, without_copies
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.run_files import read_run, read_run_with_checksum
from edge_bench.bench.version import __version__

if TYPE_CHECKING:
    from edge_bench.bench.io.file_index import Derived, FileIndex

__all__ = ["INDEX_FOLDER", "LEAST_FILES", "read_measured", "read_measured_files", "stored_charts"]

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
    paths: Sequence[Path], progress: Progress, *, without_damaged: bool = False
) -> dict[Path, MeasuredRun]:
    """Return what is kept of the Runs in the named files and folders, by file, each run once.

    They are the Runs that `read_run_files` returns for the same arguments, with the same reports and errors.
    """
    runs: dict[Path, MeasuredRun] = {}
    for path in paths:
        if path.is_dir():
            runs |= runs_inside(path, _read(path, progress), progress, without_damaged=without_damaged)
        else:
            runs[path] = measured(read_run_or_journal(path))
    return without_copies(runs, progress, lambda run: run.trials)


def _read(folder: Path, progress: Progress) -> Iterator[tuple[Path, MeasuredRun | BadInput]]:
    """Yield what is kept of the Run in each Run file of a folder, or why it cannot be read."""
    files, new = run_files(folder), 0
    index = _index_of(folder) if len(files) >= LEAST_FILES else None
    try:
        found = _indexed(index, folder, files) if index else _all_read(files)
        for number, (file, (run, known)) in enumerate(zip(files, found, strict=True)):
            new += not known
            if new == _SHOWN and not known:
                progress.start(f"reading new Runs of {folder}", len(files), number)
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


def _all_read(files: Sequence[Path]) -> Iterator[tuple[MeasuredRun | BadInput, bool]]:
    shared: dict[Description | Pixels, Any] = {}
    for file in files:
        try:
            run = measured(read_run(file, IN_FOLDER))
        except BadInput as cause:
            yield cause, False
            continue
        parts = {name: shared.setdefault(getattr(run, name), getattr(run, name)) for name in _SHARED}
        yield msgspec.structs.replace(run, **parts), False


def _indexed(index: "FileIndex", folder: Path, files: Sequence[Path]) -> Iterator[tuple[MeasuredRun | BadInput, bool]]:
    from edge_bench.bench.io.file_index import Derived

    decode = _Decoder()

    def derive(path: Path) -> Derived:
        run, digest = read_run_with_checksum(path, IN_FOLDER)
        kept = measured(run)
        own = _Own(*(getattr(kept, name) for name in _Own.__struct_fields__))
        return Derived(digest, _encode(own), tuple(_encode(getattr(kept, name)) for name in _SHARED))

    for found, known in index.derived(folder, [file.name for file in files], derive):
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


def _index_of(folder: Path) -> "FileIndex | None":
    """Return the index of a folder; None if there is no place for one."""
    try:
        from edge_bench.bench.io.file_index import FileIndex
    except ImportError:  # a Python without SQLite
        return None
    path = _place([folder], "sqlite")
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
