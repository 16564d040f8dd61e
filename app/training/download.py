"""The official download of Fashion-MNIST into the user's cache: with progress, time-outs, retries and a check."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.data.cache import cache_folder
from bench.errors import DatasetError, DatasetUnavailable
from bench.progress import Progress

__all__ = ["archive", "fashion_mnist"]

#: Zalando's own address of the files. EDGE_BENCH_FASHION_MNIST_URL names a mirror.
FASHION_MNIST_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CONNECT_SECONDS, READ_SECONDS = 10, 60


def fashion_mnist(names: Sequence[str], verify: Callable[[Path], None], progress: Progress) -> Path:
    """The folder in the cache that holds the named files (with .gz), fetched where they are missing.

    ``verify`` raises DatasetError for a file that is not what it should be; such a file is removed. Raises
    DatasetUnavailable where the network does not give them. pooch writes under a temporary name and renames, so
    an interrupted download leaves nothing that looks whole.
    """
    folder = cache_folder() / "fashion-mnist"
    missing = [name for name in names if not (folder / f"{name}.gz").is_file()]
    if not missing:
        return folder
    import pooch
    import requests

    base = os.environ.get("EDGE_BENCH_FASHION_MNIST_URL", FASHION_MNIST_URL).rstrip("/")
    pooch.get_logger().setLevel("ERROR")
    progress.start("downloading Fashion-MNIST", len(missing))
    for name in missing:
        path = folder / f"{name}.gz"
        fetch = pooch.HTTPDownloader(timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=_bytes_bar(name, progress))
        keeper = pooch.create(
            path=folder,
            base_url=f"{base}/",
            registry={path.name: None},
            retry_if_failed=2,
            env="EDGE_BENCH_NO_POOCH",
        )
        try:
            keeper.fetch(path.name, downloader=fetch)
        except (OSError, ValueError, requests.RequestException) as cause:
            progress.finish()
            raise DatasetUnavailable(
                f"Fashion-MNIST is neither in EDGE_BENCH_DATA nor in {folder}, and {base} did not give it "
                f"({type(cause).__name__})",
                "put its four idx files into a folder fashion-mnist and name the one above with --data-dir or "
                "EDGE_BENCH_DATA, or use --dataset digits",
            ) from None
        try:
            verify(path)
        except DatasetError:
            path.unlink(missing_ok=True)
            progress.finish()
            raise
        progress.advance(1, name)
    progress.finish()
    return folder


def archive(base: str, name: str, sha256: str, dataset: str, progress: Progress) -> Path:
    """One file with the right checksum, from the cache or fetched into it. DatasetUnavailable where it cannot be."""
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    folder = cache_folder() / dataset
    progress.start(f"downloading {dataset}", 1)
    try:
        path = pooch.retrieve(
            f"{base}{name}",
            known_hash=f"sha256:{sha256}",
            fname=name,
            path=folder,
            downloader=pooch.HTTPDownloader(
                timeout=(CONNECT_SECONDS, READ_SECONDS), progressbar=_bytes_bar(name, progress)
            ),
        )
    except (OSError, ValueError, requests.RequestException) as cause:
        raise DatasetUnavailable(
            f"{dataset} is neither in EDGE_BENCH_DATA nor in {folder}, and {base} did not give it "
            f"({type(cause).__name__})",
            f"put {name} into a folder {dataset} and name the one above with --data-dir or EDGE_BENCH_DATA",
        ) from None
    finally:
        progress.finish()
    return Path(path)


class _bytes_bar:  # noqa: N801 - pooch asks for an object with tqdm's methods
    """pooch's progress: says how much of a file has come, without moving the count of files."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.name, self.progress, self.total, self.done = name, progress, 0, 0

    def update(self, count: int) -> None:
        self.done += count
        self.progress.advance(0, f"{self.name} {self.done / 1e6:.1f} MB")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing to close."""
