"""The official download of Fashion-MNIST into the user's cache: with progress, time-outs, retries and a check."""

import contextlib
import errno
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_bench.bench.dataset.cache import cache_folder
from edge_bench.bench.errors import DatasetError, DatasetUnavailable
from edge_bench.bench.io.files import fsync_folder, sha256_of
from edge_bench.bench.io.locks import lock
from edge_bench.bench.progress import Progress

__all__ = ["archive", "fashion_mnist"]

#: Zalando's own address of the files. EDGE_BENCH_FASHION_MNIST_URL names a mirror.
FASHION_MNIST_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_ELSEWHERE = (
    "put its four idx files into a folder fashion-mnist and name the one above with --data-dir or EDGE_BENCH_DATA, "
    "or use --dataset digits"
)
CONNECT_SECONDS, READ_SECONDS = 10, 60


#: As people call a data set, by its folder.
_NAMES = {"fashion-mnist": "Fashion-MNIST"}


def fashion_mnist(names: Sequence[str], verify: Callable[[Path], None], progress: Progress) -> Path:
    """The folder in the cache that holds the named files (with .gz), fetched where they are missing.

    ``verify`` raises DatasetError for a file that is not what it should be. Raises DatasetUnavailable where the network
    does not give them.
    """
    folder = cache_folder() / "fashion-mnist"
    wanted = [folder / f"{name}.gz" for name in names]
    if all(path.is_file() for path in wanted):
        return folder
    base = os.environ.get("EDGE_BENCH_FASHION_MNIST_URL", FASHION_MNIST_URL).rstrip("/")
    with _arriving(folder) as arriving:
        missing = [path for path in wanted if not path.is_file()]
        progress.start("downloading Fashion-MNIST", len(missing))
        try:
            for path in missing:
                _fetched(f"{base}/{path.name}", path, arriving, verify, progress, _ELSEWHERE)
                progress.advance(1, path.name)
        finally:
            progress.finish()
    return folder


def archive(base: str, name: str, sha256: str, dataset: str, progress: Progress) -> Path:
    """One file with the right checksum, from the cache or fetched into it. DatasetUnavailable where it cannot be."""

    def verify(path: Path) -> None:
        if sha256_of(path) != sha256:
            raise DatasetError(f"{base}{name}: altered: its SHA-256 is not {sha256[:16]}…", "try again later")

    path = cache_folder() / dataset / name
    if path.is_file() and sha256_of(path) == sha256:
        return path
    with _arriving(path.parent) as arriving:
        progress.start(f"downloading {dataset}", 1)
        try:
            remedy = f"put {name} into a folder {dataset} and name the one above with --data-dir or EDGE_BENCH_DATA"
            _fetched(f"{base}{name}", path, arriving, verify, progress, remedy)
        finally:
            progress.finish()
    return path


@contextlib.contextmanager
def _arriving(folder: Path) -> Iterator[Path]:
    """An empty folder for what is on its way into ``folder``, to one process at a time; another waits."""
    arriving = folder / ".arriving"
    try:
        arriving.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as cause:
        raise DatasetUnavailable(
            f"{folder}: a download cannot be kept there: {cause.strerror}",
            "name a folder you may write with EDGE_BENCH_CACHE",
        ) from None
    try:
        lock(handle, patience=math.inf)
        shutil.rmtree(arriving)  # what a kill has left there
        arriving.mkdir()
        yield arriving
    finally:
        shutil.rmtree(arriving, ignore_errors=True)
        os.close(handle)


def _fetched(
    url: str, path: Path, arriving: Path, verify: Callable[[Path], None], progress: Progress, remedy: str
) -> None:
    """Fetches a file that gets its name only when it is whole, checked and on disk."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    fetch = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=_bytes_bar(path.name, progress))
    keeper = pooch.create(
        path=arriving,
        base_url=f"{url.rpartition('/')[0]}/",
        registry={path.name: None},
        retry_if_failed=2,
        env="EDGE_BENCH_NO_POOCH",
    )
    try:
        arrived = Path(keeper.fetch(path.name, downloader=fetch))
        verify(arrived)
        with arrived.open("rb") as file:
            os.fsync(file.fileno())
        arrived.replace(path)
        fsync_folder(path.parent)
    except (OSError, ValueError, requests.RequestException) as cause:
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            raise DatasetUnavailable(
                f"{path.parent}: no room for {path.name}", "make room, or name another folder with EDGE_BENCH_CACHE"
            ) from None
        dataset = _NAMES.get(path.parent.name, path.parent.name)
        raise DatasetUnavailable(
            f"{dataset} is neither in EDGE_BENCH_DATA nor in {path.parent}, and {url.rpartition('/')[0]} did not "
            f"give {path.name} ({type(cause).__name__})",
            remedy,
        ) from None


class _bytes_bar:  # noqa: N801 - pooch asks for an object with tqdm's methods
    """pooch's progress: says how much of a file has come, without moving the count of files."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.name, self.progress, self.all_reduce, self.done = name, progress, 0, 0

    def update(self, count: int) -> None:
        self.done += count
        self.progress.advance(0, f"{self.name} {self.done / 1e6:.1f} MB")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing to close."""
