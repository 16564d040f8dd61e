"""Fixtures that all tests share, and how tests are spread over processes."""

import gc
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from edge_bench.app.conversion import convertible
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from tests.bundles import cached_digits_bundle
from tests.command_line import CommandLine, Refuses, call, call_in_process, refusal
from tests.in_process.converter import ConverterHere
from tests.in_process.signal_stack import SignalStack
from tests.in_process.workers import workers_here
from tests.scheduling import LONG_GROUPS, GroupScheduling, group_of

# a shell starts its background programs with Ctrl-C ignored, and they would pass that on to those that tests interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # started with nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# a measurement needs warm-ups of half a second and trials of 0.2 s. Tests only need to know that they happen
os.environ.setdefault("EDGE_BENCH_WARM_UP_SECONDS", "0.02")
os.environ.setdefault("EDGE_BENCH_TRIAL_SECONDS", "0.01")
os.environ.setdefault("EDGE_BENCH_PROFILE_SECONDS", "0.02")
os.environ.setdefault("EDGE_BENCH_IDLE_SECONDS", "0.02")  # of a machine with a power meter


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage meanwhile: modules and tests are kept, and to search them again and again takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the groups that take longest first."""
    groups = list(dict.fromkeys(LONG_GROUPS.values()))
    items.sort(key=lambda item: groups.index(group) if (group := group_of(item.nodeid)) in groups else len(groups))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> GroupScheduling:
    """Spread groups of tests over the processes of pytest-xdist."""
    return GroupScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Install the stack of signal handlers again if a test's library left another one."""
    before = SignalStack.installed()
    try:
        return (yield)
    finally:
        before.install()


@pytest.fixture(scope="session", autouse=True)
def _no_other_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Other runs on this machine are not part of a test."""
    os.environ["EDGE_BENCH_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="session")
def digits_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Trained for three epochs. Tests must not change it; those that do take ``bundle_copy``."""
    folder = tmp_path_factory.mktemp("artifacts") / "bundle"
    return Bundle.open(Path(shutil.copytree(cached_digits_bundle(), folder)))


@pytest.fixture
def bundle_copy(digits_bundle: Bundle, tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(digits_bundle.folder, tmp_path / "bundle"))


@pytest.fixture
def digit_images(digits_bundle: Bundle, tmp_path: Path) -> Path:
    """The digits' test set as PNG files, one folder per class."""
    images, labels = digits_bundle.test_set()
    assert labels is not None
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "digits" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{number:04d}.png")
    return tmp_path / "digits"


@pytest.fixture
def edge_bench(tmp_path: Path) -> CommandLine:
    """Run ``edge-bench`` in a separate process, in an empty folder, with its own cache."""

    def run(*arguments: object, cwd: str = "", **more: object) -> object:
        return call(*arguments, cwd=Path(cwd) if cwd else tmp_path, **more)  # type: ignore[arg-type]

    return run  # type: ignore[return-value]


@pytest.fixture
def edge_bench_here(tmp_path: Path) -> CommandLine:
    """Run ``edge-bench`` as `edge_bench` does, but in this process: for what does not depend on its start or end."""

    def run(*arguments: object, **environment: str) -> object:
        return call_in_process(*arguments, cwd=tmp_path, **environment)

    return run  # type: ignore[return-value]


@pytest.fixture
def measure_here() -> Iterator[None]:
    """Load models in this process instead of in worker processes, for tests of what is done with their answers."""
    with workers_here():
        yield


@pytest.fixture
def convert_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert models in this process, which has TensorFlow already, instead of in a process that has to start it."""
    monkeypatch.setattr(convertible, "WorkerProcess", SimpleNamespace(spawn=ConverterHere))


@pytest.fixture
def refuses(tmp_path: Path) -> Refuses:
    """Assert that a command is refused, in this process; return the error."""

    def run(*arguments: object, **more: object) -> EdgeBenchError:
        return refusal(*arguments, cwd=tmp_path, **more)  # type: ignore[arg-type]

    return run
