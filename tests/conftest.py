"""What the tests share: a real bundle, trained here on real digits, and the command line as a person calls it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge_bench.app.training.fit.checkpoints import TrainingSettings
from edge_bench.app.training.job import train_bundle
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Settings

# a shell has its background programs ignore Ctrl-C, and they would hand that on to those that the tests interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).resolve().parent.parent
CommandLine = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever else measures on this machine is not part of a test."""
    os.environ["EDGE_BENCH_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="session")
def digits_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained for three epochs: nobody should change it; tests that do take ``bundle_copy``."""
    folder = tmp_path_factory.mktemp("artifacts") / "bundle"
    bundle = train_bundle(folder, TrainingSettings(dataset="digits", epochs=3, batch_size=32), Silent())
    assert isinstance(bundle, Bundle)
    return bundle


@pytest.fixture
def bundle_copy(digits_bundle: Bundle, tmp_path: Path) -> Path:
    """A bundle to spoil."""
    return Path(shutil.copytree(digits_bundle.folder, tmp_path / "bundle"))


@pytest.fixture
def digit_images(digits_bundle: Bundle, tmp_path: Path) -> Path:
    """The digits' test set as PNGs, a folder a class."""
    images, labels = digits_bundle.test_set()
    assert labels is not None
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number:04d}.png")
    return tmp_path / "digits"


@pytest.fixture
def edge_bench(tmp_path: Path) -> CommandLine:
    """Runs ``edge-bench`` as a person would, in an empty folder, with a cache of its own."""

    def call(
        *arguments: object, timeout: float = 300, cwd: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command(*arguments),
            cwd=cwd or tmp_path,
            env=clean_environment(tmp_path) | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return call


def measure_bundle(
    folder: Path, selection: Selection, settings: Settings, results: Path, progress: Progress, **how: Any
) -> tuple[Run, Path]:
    """As `edge-bench run BUNDLE` does it, in this process."""
    return measure(BenchmarkRequest.from_bundle(folder, selection, settings, progress), results, progress, **how)


def command_parameters() -> list[Any]:
    """Every option and argument of every command, as typer has them."""
    from typer.main import get_command

    from edge_bench.app.cli.main import app

    def parameters(group: Any) -> list[Any]:
        return [*group.params, *(each for sub in getattr(group, "commands", {}).values() for each in parameters(sub))]

    return parameters(get_command(app))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_bench", *map(str, arguments)]


def clean_environment(cache: Path) -> dict[str, str]:
    """No EDGE_BENCH_… of the person who runs the tests, no network, no cache of theirs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_BENCH_")}
    return kept | {
        "PYTHONPATH": str(REPOSITORY),
        "EDGE_BENCH_CACHE": str(cache / "cache"),
        "EDGE_BENCH_RUNTIME_DIR": str(cache),  # whoever else measures on this machine is not part of the test
        "EDGE_BENCH_FASHION_MNIST_URL": "http://127.0.0.1:9/",  # nobody listens on the discard port
    }


def assert_refused(done: "subprocess.CompletedProcess[str]", *words: str, code: int = 2) -> None:
    """One or two lines on stderr, no traceback, the exit code, and the words that say what is wrong."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    errors = lines[next((n for n, line in enumerate(lines) if line.startswith("error:")), 0) :]
    assert done.returncode == code, done.stderr
    assert 1 <= len(errors) <= 2, done.stderr
    assert errors[0].startswith("error:")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in "\n".join(errors), done.stderr
