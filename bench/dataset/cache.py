"""Cache of decoded images on disk. Images are decoded once, in parallel, then memory-mapped by later runs."""

import concurrent.futures
import contextlib
import hashlib
import importlib.metadata
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.archives import Readable
from edge_bench.bench.io.disk_space import require_free_space
from edge_bench.bench.io.files import drop_mapped_pages, locked_temporary, read_bounded, replacing, write_atomically
from edge_bench.bench.io.names import escape_surrogates
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.preprocessing.decode import ImageFacts, decode_with_facts, require_pillow
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Progress
from edge_bench.bench.system.machine import usable_cores
from edge_bench.bench.wording import counted

__all__ = ["Decoded", "decoded_images", "stored_array", "stored_stream"]

#: A set whose 16-bit values are all lower is probably from a sensor with 12 bits or fewer. Above, it may have 14 bits.
_TWELVE_BITS, _FOURTEEN_BITS = 1 << 12, 1 << 14
#: Increase it if a new version of this module decodes the same files to other pixels or notes, or refuses them.
_CACHE_VERSION = 3


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded images, without those that could not be decoded."""

    pixels: Path  # .npy file, uint8 [files, height, width, channels]; rows of unreadable files are empty
    readable: list[int]  # indices of the decoded files in the list of files, and their rows in ``pixels``
    problems: list[str] = []  # one message per unreadable file
    notes: list[str] = []  # remarks on the images, needed to interpret the results
    sizes: list[tuple[int, int]] = []  # width and height of each file's image in pixels; 0, 0 for unreadable files
    turned: int = 0  # images whose EXIF orientation is not upright, whether it was applied or not


class _CacheRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON file stored beside the pixels in the cache; fields as in `Decoded`."""

    kept: list[int]  # ``readable``
    broken: list[str]  # ``problems``
    notes: list[str] = []
    sizes: list[tuple[int, int]] = []
    turned: int = 0

    def is_of(self, files: int) -> bool:
        """Return whether this is the record of this number of files."""
        kept = [-1, *self.kept, files]
        return (
            bool(self.kept)
            and all(before < after for before, after in itertools.pairwise(kept))
            and len(self.kept) + len(self.broken) == files == len(self.sizes)
        )


def decoded_images(
    folder: Path, files: Sequence[str], geometry: Geometry, progress: Progress, *, skip_broken: bool = False
) -> Decoded:
    """Decode the files to a .npy, uint8 [files, height, width, channels], or return it from the cache.

    The cache identifies a file by path, size, inode and the modification times of content and inode. Its key includes
    the version of Pillow, which decodes. Raise DatasetError for the first file that is not a complete image, unless
    ``skip_broken``. Raise it also if no file is, or if all 16-bit images are so dark that they have fewer bits.
    Raise BadInput if there is not enough disk space.
    """
    require_pillow()
    key = _cache_key(folder, files, geometry, skip_broken=skip_broken)
    cache = cache_folder() / "images"
    pixels, record = cache / f"{key}.npy", cache / f"{key}.json"
    if pixels.is_file() and record.is_file():
        with contextlib.suppress(OSError, ValueError, RecursionError):  # decode again if the record is damaged
            cached = msgspec.json.decode(read_bounded(record, MAX_RUN_BYTES), type=_CacheRecord)
            if cached.is_of(len(files)):
                return _decoded(pixels, cached)
    shape = (len(files), geometry.height, geometry.width, geometry.channels)
    _require_space(cache, int(np.prod(shape, dtype=np.int64)))
    with replacing(pixels) as temporary:
        unreadable, facts = _decode_all(temporary, shape, folder, files, geometry, progress, skip_broken=skip_broken)
        readable = [number for number in range(len(files)) if number not in unreadable]
        if not readable:
            raise DatasetError(f"{folder}: none of its {counted(len(files), 'image')} can be read")
        _refuse_twelve_bits(folder, facts)  # before they are cached
    made = _CacheRecord(
        kept=readable,
        broken=[escape_surrogates(unreadable[number]) for number in sorted(unreadable)],
        notes=_remarks(facts, geometry),
        sizes=[each.size for each in facts],
        turned=sum(each.orientation != 1 for each in facts),
    )
    # written last: without the record, the pixels do not count as cached
    write_atomically(record, msgspec.json.encode(made))
    return _decoded(pixels, made)


def _decoded(pixels: Path, found: _CacheRecord) -> Decoded:
    return Decoded(
        pixels=pixels, readable=found.kept, problems=found.broken, notes=found.notes, sizes=found.sizes,
        turned=found.turned,
    )  # fmt: skip


def _decode_all(
    path: Path,
    shape: tuple[int, ...],
    folder: Path,
    files: Sequence[str],
    geometry: Geometry,
    progress: Progress,
    *,
    skip_broken: bool,
) -> tuple[dict[int, str], list[ImageFacts]]:
    """Decode into a new .npy at ``path``; return the problem of each unreadable file by its index, and all facts."""
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, shape)  # type: ignore[no-untyped-call]
    problems: dict[int, str] = {}
    facts = [ImageFacts()] * len(files)

    def decode_file(number: int) -> None:
        try:
            pixels[number], facts[number] = decode_with_facts(folder / files[number], geometry)
        except DatasetError as cause:
            if not skip_broken:
                raise
            problems[number] = cause.problem

    progress.start("decoding images", len(files))
    # Pillow releases the interpreter lock while it decodes and resamples, so threads use all cores
    pool = concurrent.futures.ThreadPoolExecutor(usable_cores())
    try:
        step = 64
        for start in range(0, len(files), step):
            chunk = range(start, min(start + step, len(files)))
            for future in [pool.submit(decode_file, number) for number in chunk]:
                future.result()
            drop_mapped_pages(pixels)  # keep written pages in the system's page cache, not in this process
            progress.advance(len(chunk))
    finally:
        pool.shutdown(cancel_futures=True)
        progress.finish()
    pixels.flush()
    return problems, facts


def _remarks(facts: Sequence[ImageFacts], geometry: Geometry) -> list[str]:
    """Return notes on orientations that were not applied, and on 16-bit values that may have 14 bits."""
    notes = []
    turned = sum(each.orientation != 1 for each in facts)
    if turned and not geometry.exif_orientation:
        notes.append(f"ignored the EXIF orientation of {counted(turned, 'image')}; use --exif-orientation to apply it")
    peak = _highest_peak(facts)
    if peak is not None and peak < _FOURTEEN_BITS:
        notes.append(
            f"the highest of all 16-bit pixel values is {peak:,} of 65,535: if the images have fewer than 16 bits, "
            "they are decoded too dark; convert them to 8 bits"
        )
    return notes


def _refuse_twelve_bits(folder: Path, facts: Sequence[ImageFacts]) -> None:
    """Raise DatasetError if all 16-bit values fit in 12 bits, since 4,095 then is white, not dark grey."""
    peak = _highest_peak(facts)
    if peak and peak < _TWELVE_BITS:  # black images alone prove nothing
        raise DatasetError(
            f"{folder}: the highest value in its 16-bit images is {peak:,} of 65,535, so they probably have "
            f"{max(8, peak.bit_length())} bits and would be decoded too dark",
            "convert the images to 8 bits per channel",
        )


def _highest_peak(facts: Sequence[ImageFacts]) -> int | None:
    return max((each.peak for each in facts if each.peak is not None), default=None)


def stored_array(name: str, array: npt.NDArray[np.generic]) -> Path:
    """Store an array as a .npy in the cache, named by ``name`` and a checksum of its content."""
    digest = hashlib.sha256(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    cache = cache_folder() / "images"
    path = cache / f"{name}-{digest.hexdigest()[:24]}.npy"
    if not path.is_file():
        _require_space(cache, array.nbytes)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
    return path


def stored_stream(name: str, stream: Readable, size: int) -> Path:
    """Store a .npy from a stream of ``size`` bytes in the cache, named as by `stored_array`.

    Raise ValueError if the stream has another size. At most ``size`` bytes are written.
    """
    cache = cache_folder() / "images"
    _require_space(cache, size)
    digest, remaining = hashlib.sha256(), size
    temporary, handle = locked_temporary(cache / f"{name}.npy")  # renamed once its checksum is known
    try:
        with temporary.open("wb") as file:
            while remaining and (chunk := stream.read(min(remaining, 1 << 20))):
                digest.update(chunk)
                file.write(chunk)
                remaining -= len(chunk)
        if remaining or stream.read(1):
            raise ValueError("its size differs from the stated size")
        path = cache / f"{name}-{digest.hexdigest()[:24]}.npy"
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)
    return path


def _require_space(cache: Path, size: int) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if not os.access(cache, os.W_OK):
            raise PermissionError(13, "another user can write to it")
    except OSError as cause:
        raise BadInput(
            f"{cache}: cannot store decoded images: {cause.strerror}",
            "set EDGE_BENCH_CACHE to a writable folder",
        ) from None
    remedy = "use a smaller --limit, or set EDGE_BENCH_CACHE to a folder with more space"
    require_free_space(cache, size + (64 << 20), "the decoded images need {}", remedy, unit="GB")


def _cache_key(folder: Path, files: Sequence[str], geometry: Geometry, *, skip_broken: bool) -> str:
    decoder = importlib.metadata.version("pillow")
    digest = hashlib.sha256(repr((str(folder.resolve()), geometry, skip_broken, decoder, _CACHE_VERSION)).encode())
    for file in files:
        try:
            status = (folder / file).stat()
        except OSError as cause:
            raise DatasetError(f"{folder / file}: cannot be read: {cause.strerror}") from None
        # a tool may restore a replaced file's modification time, but not the time when its inode changed
        identity = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        digest.update(os.fsencode(f"{file}\0{identity}\n"))
    return digest.hexdigest()[:32]
