"""Data sets by name: found on this machine or downloaded, verified by checksum, and split into parts."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_bench.app.training.data import download
from edge_bench.app.training.data.cifar10 import cifar10_arrays
from edge_bench.app.training.data.digits import digit_arrays
from edge_bench.app.training.data.image_folder import image_folder
from edge_bench.bench.errors import DatasetError, DatasetUnavailable
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.manifest import DatasetInfo

__all__ = ["DATASETS", "Dataset", "known_dataset", "load_dataset"]

Images = npt.NDArray[np.uint8]  # [n, height, width, channels]
Labels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]  # [n]

FASHION_MNIST = "fashion-mnist"
DIGITS = "digits"
CIFAR10 = "cifar10"
STAND_IN_NOTE = "STAND-IN DATA: digits (1,797 images) instead of Fashion-MNIST, which is not available"


@dataclass(frozen=True)
class IdxFile:
    """One of the four files of Fashion-MNIST."""

    name: str  # without .gz
    sha256: str  # of the decompressed bytes
    shape: tuple[int, ...]


#: The checksums are of decompressed bytes, because mirrors may compress differently. Source: Zalando's repository.
FASHION_MNIST_FILES = {
    "train_images": IdxFile(
        "train-images-idx3-ubyte",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        (60_000, 28, 28),
    ),
    "train_labels": IdxFile(
        "train-labels-idx1-ubyte",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        (60_000,),
    ),
    "test_images": IdxFile(
        "t10k-images-idx3-ubyte",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        (10_000, 28, 28),
    ),
    "test_labels": IdxFile(
        "t10k-labels-idx1-ubyte",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        (10_000,),
    ),
}
FASHION_MNIST_CLASSES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """Images, uint8 [n, height, width, channels], and labels, uint8 or uint16 [n], in three parts."""

    info: DatasetInfo
    train_images: Images
    train_labels: Labels
    validation_images: Images
    validation_labels: Labels
    test_images: Images
    test_labels: Labels
    source: str  # folder or package that it was read from, for messages only


def load_dataset(name: str, data_dir: Path | None = None, progress: Progress | None = None) -> Dataset:
    """Load a data set by name. ``auto`` is Fashion-MNIST if available, otherwise digits with a note.

    ``data_dir`` contains one folder per data set, or is the data set's own folder. If it is given, no other folder is
    searched. Raise DatasetUnavailable if the data cannot be found, DatasetError if it is damaged.
    """
    progress = progress or Silent()
    if name not in DATASETS and Path(name).is_dir():
        return _image_folder_dataset(Path(name), progress)
    if name == "auto":
        try:
            return _fashion_mnist(data_dir, progress)
        except DatasetUnavailable as cause:
            progress.say(f"{cause.problem}")
            return _digits(note=STAND_IN_NOTE)
    try:
        loader = DATASETS[name]
    except KeyError:
        raise DatasetError(
            f"unknown data set {name!r}",
            f"use {', '.join(DATASETS)}, or a folder of images with one subfolder per class",
        ) from None
    return loader(data_dir, progress)


def known_dataset(name: str) -> str:
    """Return ``name`` if every machine can load the data set by it. Raise DatasetError otherwise."""
    if name not in DATASETS:
        raise DatasetError(
            f"{name!r} is not a data set that other machines can load", f"use one of: {', '.join(DATASETS)}"
        )
    return name


def _fashion_mnist(data_dir: Path | None, progress: Progress) -> Dataset:
    folder = _find_fashion_mnist(data_dir, progress)
    arrays = {key: _read_idx(folder, file) for key, file in FASHION_MNIST_FILES.items()}
    images, labels = arrays["train_images"][..., np.newaxis], arrays["train_labels"]
    digest = hashlib.sha256("".join(file.sha256 for file in FASHION_MNIST_FILES.values()).encode()).hexdigest()
    # as in the paper: 50,000 images for training, 10,000 for validation; the files are already in random order
    return Dataset(
        info=DatasetInfo(name=FASHION_MNIST, sha256=digest, classes=FASHION_MNIST_CLASSES),
        train_images=images[:50_000],
        train_labels=labels[:50_000],
        validation_images=images[50_000:],
        validation_labels=labels[50_000:],
        test_images=arrays["test_images"][..., np.newaxis],
        test_labels=arrays["test_labels"],
        source=str(folder),
    )


def _find_fashion_mnist(data_dir: Path | None, progress: Progress) -> Path:
    first = FASHION_MNIST_FILES["train_images"]
    if data_dir is not None:
        for folder in (data_dir / FASHION_MNIST, data_dir):
            if _existing_file(folder, first):
                return folder
        raise DatasetUnavailable(
            f"{data_dir}: Fashion-MNIST not found ({first.name} or {first.name}.gz)",
            "use the folder that contains its four idx files, or omit --data-dir to use the cache or download it",
        )
    if data_path := os.environ.get("EDGE_BENCH_DATA"):
        folder = Path(data_path) / FASHION_MNIST
        if _existing_file(folder, first):
            return folder
    return download.fashion_mnist([file.name for file in FASHION_MNIST_FILES.values()], _verify, progress)


def _existing_file(folder: Path, file: IdxFile) -> Path | None:
    for path in (folder / f"{file.name}.gz", folder / file.name):
        if path.is_file():
            return path
    return None


def _verify(path: Path) -> None:
    """Raise DatasetError if the file's content does not match its name."""
    file = next(file for file in FASHION_MNIST_FILES.values() if path.name.startswith(file.name))
    _decompress(path, file)


def _read_idx(folder: Path, file: IdxFile) -> npt.NDArray[np.uint8]:
    path = _existing_file(folder, file)
    if path is None:
        raise DatasetError(
            f"{folder}: {file.name}.gz is missing", "copy the four files there again, or remove the folder"
        )
    data = _decompress(path, file)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(file.shape)).reshape(file.shape)


def _decompress(path: Path, file: IdxFile) -> bytes:
    """Return the verified bytes of an idx file (LeCun's format: magic number, dimensions, values)."""
    expected = 4 + 4 * len(file.shape) + int(np.prod(file.shape))
    remedy = "remove it and download it again"
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            data = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as cause:
        raise DatasetError(f"{path}: truncated or not gzip ({cause}); {expected:,} bytes expected", remedy) from None
    if len(data) != expected:
        size = f"more than {expected:,}" if len(data) > expected else f"{len(data):,}"
        raise DatasetError(f"{path}: {size} bytes decompressed, {expected:,} expected", remedy)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise DatasetError(f"{path}: wrong content: its SHA-256 is not {file.sha256[:16]}…", remedy)
    return data


def _digits(data_dir: Path | None = None, progress: Progress | None = None, *, note: str = "") -> Dataset:  # noqa: ARG001
    """Return scikit-learn's 1,797 handwritten digits (UCI), 8×8 enlarged to 28×28: real data without a network."""
    images, labels = digit_arrays()
    # The file is sorted by writer, so it is shuffled before it is split. The order does not depend on --seed.
    order = np.random.default_rng(1797).permutation(len(labels))
    images, labels = images[order], labels[order]
    return Dataset(
        info=DatasetInfo(
            name=DIGITS,
            sha256=hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest(),
            classes=[str(digit) for digit in range(10)],
            note=note,
        ),
        train_images=images[:1_197],
        train_labels=labels[:1_197],
        validation_images=images[1_197:1_497],
        validation_labels=labels[1_197:1_497],
        test_images=images[1_497:],
        test_labels=labels[1_497:],
        source="scikit-learn",
    )


def _cifar10(data_dir: Path | None, progress: Progress) -> Dataset:
    """Return CIFAR-10. The last 5,000 of the 50,000 training images (in random order) are for validation."""
    info, images, labels, source = cifar10_arrays(data_dir, progress)
    return Dataset(
        info=info,
        train_images=images[:45_000],
        train_labels=labels[:45_000],
        validation_images=images[45_000:50_000],
        validation_labels=labels[45_000:50_000],
        test_images=images[50_000:],
        test_labels=labels[50_000:],
        source=source,
    )


def _image_folder_dataset(folder: Path, progress: Progress) -> Dataset:
    info, parts = image_folder(folder, progress)
    return Dataset(info, *parts["train"], *parts["validation"], *parts["test"], source=str(folder))


DATASETS: dict[str, Callable[[Path | None, Progress], Dataset]] = {
    FASHION_MNIST: _fashion_mnist,
    DIGITS: _digits,
    CIFAR10: _cifar10,
}
