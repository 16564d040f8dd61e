"""Downloads of data sets into the user's cache, with progress, timeouts, retries and verification."""

import contextlib
import errno
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_bench.bench.errors import DatasetError, DatasetUnavailable
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import fsync_folder, sha256_of
from edge_bench.bench.io.locks import lock
from edge_bench.bench.io.temporary import cache_folder
from edge_bench.bench.progress import Progress

__all__ = ["archive", "fashion_mnist"]

#: Zalando's URL of the files. EDGE_BENCH_FASHION_MNIST_URL selects a mirror.
FASHION_MNIST_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_FASHION_MNIST_REMEDY = (
    "put its four idx files into a folder fashion-mnist and set --data-dir or EDGE_BENCH_DATA to the parent folder, "
    "or use --dataset digits"
)
CONNECT_SECONDS, READ_SECONDS = 10, 60


#: Display names of data sets, by folder.
_NAMES = {"fashion-mnist": "Fashion-MNIST"}


def fashion_mnist(names: Sequence[str], verify: Callable[[Path], None], progress: Progress) -> Path:
    """Return the cache folder of the named files (with .gz) after downloading missing ones.

    ``verify`` raises DatasetError for a wrong file. Raise DatasetUnavailable if the download fails.
    """
    folder = cache_folder() / "fashion-mnist"
    paths = [folder / f"{name}.gz" for name in names]
    if all(path.is_file() for path in paths):
        return folder
    base = os.environ.get("EDGE_BENCH_FASHION_MNIST_URL", FASHION_MNIST_URL).rstrip("/")
    with _download_folder(folder) as incoming:
        missing = [path for path in paths if not path.is_file()]
        progress.start("downloading Fashion-MNIST", len(missing))
        try:
            for path in missing:
                _download(f"{base}/{path.name}", path, incoming, verify, progress, _FASHION_MNIST_REMEDY)
                progress.advance(1, path.name)
        finally:
            progress.finish()
    return folder


def archive(base: str, name: str, sha256: str, dataset: str, progress: Progress) -> Path:
    """Return a file with this checksum from the cache. Download it if necessary.

    Raise DatasetUnavailable if the download fails, DatasetError if the checksum differs.
    """

    def verify(path: Path) -> None:
        if sha256_of(path) != sha256:
            raise DatasetError(f"{base}{name}: wrong content: its SHA-256 is not {sha256[:16]}…", "try again later")

    path = cache_folder() / dataset / name
    if path.is_file() and sha256_of(path) == sha256:
        return path
    with _download_folder(path.parent) as incoming:
        progress.start(f"downloading {dataset}", 1)
        try:
            remedy = f"put {name} into a folder {dataset} and set --data-dir or EDGE_BENCH_DATA to its parent folder"
            _download(f"{base}{name}", path, incoming, verify, progress, remedy)
        finally:
            progress.finish()
    return path


@contextlib.contextmanager
def _download_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder for downloads into ``folder``. It is locked, so other processes wait."""
    incoming = folder / ".arriving"
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as cause:
        raise unwritable(
            folder,
            cause,
            "set EDGE_BENCH_CACHE to a writable folder",
            DatasetUnavailable,
            what="downloads cannot be stored there",
        ) from None
    try:
        lock(handle, patience=math.inf)
        shutil.rmtree(incoming)  # left by a killed process
        incoming.mkdir()
        yield incoming
    finally:
        shutil.rmtree(incoming, ignore_errors=True)
        os.close(handle)


def _download(
    url: str, path: Path, incoming: Path, verify: Callable[[Path], None], progress: Progress, remedy: str
) -> None:
    """Download a file. It is renamed to ``path`` only when it is complete, verified and synced to disk."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    downloader = pooch.create(
        path=incoming,
        base_url=f"{url.rpartition('/')[0]}/",
        registry={path.name: None},
        retry_if_failed=2,
        env="EDGE_BENCH_NO_POOCH",
    )
    try:
        downloaded = Path(downloader.fetch(path.name, downloader=_once_without_a_network(path.name, progress)))
        verify(downloaded)
        with downloaded.open("rb") as file:
            os.fsync(file.fileno())
        downloaded.replace(path)
        fsync_folder(path.parent)
    except (OSError, ValueError, requests.RequestException) as cause:
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            raise DatasetUnavailable(
                f"{path.parent}: not enough disk space for {path.name}",
                "free disk space, or set EDGE_BENCH_CACHE to another folder",
            ) from None
        dataset = _NAMES.get(path.parent.name, path.parent.name)
        raise DatasetUnavailable(
            f"{dataset} is neither in EDGE_BENCH_DATA nor in {path.parent}, and the download of {path.name} from "
            f"{url.rpartition('/')[0]} failed ({type(cause).__name__})",
            remedy,
        ) from None


def _once_without_a_network(name: str, progress: Progress) -> Callable[..., object]:
    """Return a downloader for pooch that is not called again if the server's name cannot be resolved.

    Without a network, three seconds of retries would only delay the answer.
    """
    import pooch
    import requests

    download = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=_bytes_bar(name, progress))

    def fetch(*arguments: object) -> object:
        try:
            return download(*arguments)
        except requests.ConnectionError as cause:
            if "NameResolutionError" not in repr(cause):  # of urllib3, inside of two other errors
                raise
            # pooch retries after errors of requests, but not after this one of Python
            raise ConnectionError("the name of the server cannot be resolved") from None

    return fetch


class _bytes_bar:  # noqa: N801 - pooch asks for an object with tqdm's methods
    """Progress bar for pooch: show the downloaded bytes of a file without advancing the number of files."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.name, self.progress, self.total, self.done = name, progress, 0, 0

    def update(self, count: int) -> None:
        self.done += count
        self.progress.advance(0, f"{self.name} {self.done / 1e6:.1f} MB")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing to close."""
