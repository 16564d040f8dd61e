"""Decoded images on disk, memory-mapped: made once, in parallel, and used by every later run at once."""

import concurrent.futures
import contextlib
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.files import drop_mapped_pages, locked_temporary, replacing, write_atomically
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.preprocessing.decode import decode, require_pillow
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Progress
from edge_bench.bench.system.machine import usable_cores

__all__ = ["Decoded", "cache_folder", "decoded_images", "stored_array", "stored_stream"]


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """Where decoded images are, and which of the files they are; some may have been left out."""

    pixels: Path
    kept: list[int]  # places in the list of files
    broken: list[str] = []  # what was wrong with those left out


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What lies beside the pixels in the cache."""

    kept: list[int]
    broken: list[str]


def cache_folder() -> Path:
    """EDGE_BENCH_CACHE, else the platform's cache folder, else, where that cannot be written, the temporary one."""
    if named := os.environ.get("EDGE_BENCH_CACHE"):
        return Path(named)
    import platformdirs

    elsewhere = lasting_temporary_folder() / "edge-bench-cache"
    try:
        folder = Path(platformdirs.user_cache_dir("edge-bench"))
        if not folder.is_absolute():
            return elsewhere
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: no HOME, and nobody knows this user
        return elsewhere
    return folder if os.access(folder, os.W_OK) else elsewhere


def decoded_images(
    folder: Path, files: Sequence[str], geometry: Geometry, progress: Progress, *, skip_broken: bool = False
) -> Decoded:
    """The files' pixels as a .npy, uint8 [kept, height, width, channels], from the cache where they are there.

    The cache knows a file by its path, size and time of change. Raises DatasetError for the first file that is no
    whole image unless ``skip_broken``, BadInput where there is no room.
    """
    require_pillow()
    key = _key(folder, files, geometry, skip_broken=skip_broken)
    place = cache_folder() / "images"
    pixels, record = place / f"{key}.npy", place / f"{key}.json"
    if pixels.is_file() and record.is_file():
        with contextlib.suppress(msgspec.DecodeError):  # a damaged record: decoded again
            there = msgspec.json.decode(record.read_bytes(), type=_Record)
            return Decoded(pixels=pixels, kept=there.kept, broken=there.broken)
    shape = (len(files), geometry.height, geometry.width, geometry.channels)
    _room(place, int(np.prod(shape, dtype=np.int64)))
    with replacing(pixels) as temporary:
        broken = _decode_all(temporary, shape, folder, files, geometry, progress, skip_broken=skip_broken)
        kept = [number for number in range(len(files)) if number not in broken]
        if not kept:
            raise DatasetError(f"{folder}: none of its {len(files):,} images can be read")
    words = [broken[number] for number in sorted(broken)]
    # rows of broken images stay empty in the file; the record is written last and says which to pass over
    write_atomically(record, msgspec.json.encode(_Record(kept=kept, broken=words)))
    return Decoded(pixels=pixels, kept=kept, broken=words)


def _decode_all(
    path: Path,
    shape: tuple[int, ...],
    folder: Path,
    files: Sequence[str],
    geometry: Geometry,
    progress: Progress,
    *,
    skip_broken: bool,
) -> dict[int, str]:
    """Decodes into a new .npy at ``path``; what was wrong with which file."""
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, shape)  # type: ignore[no-untyped-call]
    broken: dict[int, str] = {}

    def one(number: int) -> None:
        try:
            pixels[number] = decode(folder / files[number], geometry)
        except DatasetError as cause:
            if not skip_broken:
                raise
            broken[number] = cause.problem

    progress.start("decoding images", len(files))
    # Pillow lets go of the interpreter while it decodes and resamples, so threads use all cores
    pool = concurrent.futures.ThreadPoolExecutor(usable_cores())
    try:
        step = 64
        for start in range(0, len(files), step):
            some = range(start, min(start + step, len(files)))
            for done in [pool.submit(one, number) for number in some]:
                done.result()
            drop_mapped_pages(pixels)  # written pages wait in the system's cache, not in this process
            progress.advance(len(some))
    finally:
        pool.shutdown(cancel_futures=True)
        progress.finish()
    pixels.flush()
    return broken


def stored_array(name: str, array: npt.NDArray[np.generic]) -> Path:
    """An array as a .npy in the cache, under ``name`` and a checksum of its content."""
    digest = hashlib.sha256(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    place = cache_folder() / "images"
    path = place / f"{name}-{digest.hexdigest()[:24]}.npy"
    if not path.is_file():
        _room(place, array.nbytes)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
    return path


def stored_stream(name: str, stream: IO[bytes], size: int) -> Path:
    """A .npy that comes as a stream of ``size`` bytes, kept in the cache as ``stored_array`` does.

    ValueError where it is another size: no more than stated is ever written.
    """
    place = cache_folder() / "images"
    _room(place, size)
    digest, left = hashlib.sha256(), size
    temporary, handle = locked_temporary(place / f"{name}.npy")  # named by its content, once that is known
    try:
        with temporary.open("wb") as file:
            while left and (chunk := stream.read(min(left, 1 << 20))):
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
        if left or stream.read(1):
            raise ValueError("its size is not what it says")
        path = place / f"{name}-{digest.hexdigest()[:24]}.npy"
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)
    return path


def _room(place: Path, wanted: int) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(place).free
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "not yours to write")
    except OSError as cause:
        raise BadInput(
            f"{place}: decoded images cannot be kept there: {cause.strerror}",
            "name a folder you may write with EDGE_BENCH_CACHE",
        ) from None
    if wanted + (64 << 20) > free:
        raise BadInput(
            f"{place}: the decoded images need {wanted / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free",
            "use a smaller --limit, or name a folder with more room with EDGE_BENCH_CACHE",
        )


def _key(folder: Path, files: Sequence[str], geometry: Geometry, *, skip_broken: bool) -> str:
    digest = hashlib.sha256(repr((str(folder.resolve()), geometry, skip_broken)).encode())
    for file in files:
        try:
            state = (folder / file).stat()
        except OSError as cause:
            raise DatasetError(f"{folder / file}: cannot be read: {cause.strerror}") from None
        digest.update(f"{file}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]
