"""Small trained bundles, kept between test runs as long as the code that makes them stays the same."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY, call
from tests.made.graph.drawings import DrawnFiles, trained_on_drawings

CACHE = REPOSITORY / ".pytest_cache" / "bundles"
SETTINGS = TrainingSettings(dataset="digits", epochs=3, batch_size=32)
#: Whatever decides what is in a bundle.
SOURCES = (
    "app/training", "app/conversion", "bench/records", "bench/io", "bench/inputs", "requirements/dev.txt",
    "tests/bundles.py", "tests/made/graph/drawings.py",
)  # fmt: skip


def cached_digits_bundle() -> Path:
    """Return the folder of a bundle of the paper's CNN, trained on digits; train it if there is none."""

    def make(folder: Path) -> None:
        assert isinstance(train_bundle(folder, SETTINGS, Silent()), Bundle)

    return _cached("digits", make)


def cached_drawings() -> tuple[DrawnFiles, Path]:
    """Return the files of `trained_on_drawings`, and the bundle of all variants for its output ``value``."""

    def make(folder: Path) -> None:
        folder.mkdir()
        files = trained_on_drawings(folder)
        done = call(
            "export", files.model, "--bundle", "b", "--data", files.tests, "--calibration", files.calibration,
            "--labels", files.tests, "--task", "regress", "--output", "value", cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (folder / "b").rename(folder / "bundle")

    folder = _cached("drawings", make)
    return DrawnFiles(
        *(folder / name for name in ("drawings.keras", "drawings.npz", "calibration.npz"))
    ), folder / "bundle"


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name that ``make`` wrote; call it if the sources have changed since."""
    (CACHE / name).mkdir(parents=True, exist_ok=True)
    folder = CACHE / name / _key()
    with (CACHE / name / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for old in (CACHE / name).iterdir():
                if old.is_dir():
                    shutil.rmtree(old)
            making = folder.with_suffix(".making")
            make(making)
            making.rename(folder)
    return folder


def _key() -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        path = REPOSITORY / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(REPOSITORY).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
