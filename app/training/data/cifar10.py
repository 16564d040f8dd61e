"""CIFAR-10 (Krizhevsky 2009), found or downloaded, and verified. The binary version needs no pickle."""

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError, DatasetUnavailable
from edge_bench.bench.io.archives import ARCHIVE_ERRORS, tar_files
from edge_bench.bench.io.files import open_regular_file, read_bounded, why_unreadable
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.manifest import DatasetInfo

__all__ = ["CIFAR10_CLASSES", "cifar10_arrays"]

ARCHIVE = "cifar-10-binary.tar.gz"
#: Checksum from TensorFlow Datasets of the archive on the author's site.
ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
URL = "https://www.cs.toronto.edu/~kriz/"
BATCHES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
CIFAR10_CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
_RECORD = 1 + 3 * 32 * 32
_IMAGES_PER_BATCH = 10_000
_MAX_UNPACKED = 256 << 20  # the archive has 184 MB


def cifar10_arrays(
    data_dir: Path | None, progress: Progress
) -> tuple[DatasetInfo, npt.NDArray[np.uint8], npt.NDArray[np.uint8], str]:
    """Return the info, images uint8 [60000, 32, 32, 3], labels uint8 [60000], and the source of the files.

    The last 10,000 images are the test set. The six .bin files or their archive are searched in ``cifar10/`` in
    ``data_dir`` or EDGE_BENCH_DATA, then in the cache, and otherwise downloaded. Raise DatasetUnavailable if they
    cannot be found, DatasetError if they are damaged.
    """
    contents, source = _find_files(data_dir, progress)
    for name, content in contents.items():
        if len(content) != _RECORD * _IMAGES_PER_BATCH:
            raise DatasetError(
                f"{source}: {name} has {len(content):,} bytes, {_RECORD * _IMAGES_PER_BATCH:,} expected",
                "download it again",
            )
    records = np.frombuffer(b"".join(contents[name] for name in BATCHES), np.uint8).reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() >= len(CIFAR10_CLASSES):
        raise DatasetError(f"{source}: label {labels.max()}; CIFAR-10 has 10 classes", "download it again")
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    info = DatasetInfo(name="cifar10", sha256=hashlib.sha256(records.tobytes()).hexdigest(), classes=CIFAR10_CLASSES)
    return info, images, labels, source


def _find_files(data_dir: Path | None, progress: Progress) -> tuple[dict[str, bytes], str]:
    roots = [data_dir] if data_dir else [Path(data_path)] if (data_path := os.environ.get("EDGE_BENCH_DATA")) else []
    for folder in [candidate for root in roots for candidate in (root / "cifar10", root)]:
        for inner in (folder, folder / "cifar-10-batches-bin"):
            if all((inner / name).is_file() for name in BATCHES):
                return {name: _read_file(inner / name) for name in BATCHES}, str(inner)
        if (folder / ARCHIVE).is_file():
            return _read_archive(folder / ARCHIVE), str(folder / ARCHIVE)
    if data_dir:
        raise DatasetUnavailable(f"{data_dir}: CIFAR-10 not found", f"put {ARCHIVE} or its six .bin files there")
    from edge_bench.app.training.data.download import archive

    path = archive(URL, ARCHIVE, ARCHIVE_SHA256, "cifar10", progress)
    return _read_archive(path), str(path)


def _read_file(path: Path) -> bytes:
    try:
        return read_bounded(path, _RECORD * _IMAGES_PER_BATCH)
    except (OSError, ValueError) as cause:
        raise DatasetError(f"{path}: cannot be read: {why_unreadable(cause)}", "download it again") from None


def _read_archive(path: Path) -> dict[str, bytes]:
    """Return the contents of the six files by name. Nothing is extracted to disk."""
    contents: dict[str, bytes] = {}
    try:
        with open_regular_file(path) as file, gzip.open(file) as stream:
            for member in tar_files(stream, _MAX_UNPACKED):
                name = Path(member.name).name
                if member.size > _RECORD * _IMAGES_PER_BATCH:
                    raise DatasetError(
                        f"{path}: {name[:80]} has {member.size:,} bytes", "remove it and download it again"
                    )
                if name in BATCHES and member.size == _RECORD * _IMAGES_PER_BATCH:
                    contents[name] = member.content()
    except (OSError, *ARCHIVE_ERRORS) as cause:
        raise DatasetError(
            f"{path}: invalid or truncated archive: {cause}", "remove it and download it again"
        ) from None
    if missing := [name for name in BATCHES if name not in contents]:
        raise DatasetError(f"{path}: files are missing: {', '.join(missing)}", "remove it and download it again")
    return contents
