"""A small trained bundle, kept between test runs as long as the code that makes it stays the same."""

import fcntl
import hashlib
import shutil
from pathlib import Path

from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY

CACHE = REPOSITORY / ".pytest_cache" / "bundles"
SETTINGS = TrainingSettings(dataset="digits", epochs=3, batch_size=32)
#: Whatever decides what is in a bundle.
SOURCES = ("app/training", "app/conversion", "bench/records", "bench/io", "requirements/dev.txt", "tests/bundles.py")


def cached_digits_bundle() -> Path:
    """Return the folder of a bundle of the paper's CNN, trained on digits; train it if there is none."""
    folder = CACHE / _key()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            for old in CACHE.iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            bundle = train_bundle(folder, SETTINGS, Silent())
            assert isinstance(bundle, Bundle)
    return folder


def _key() -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        path = REPOSITORY / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(REPOSITORY).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
