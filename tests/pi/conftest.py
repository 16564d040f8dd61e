"""One emulated Raspberry Pi for all tests, and the PC beside it."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.command_line import REPOSITORY
from tests.containers.fixtures import build_lock, docker_engine
from tests.pi.desk import Desk
from tools.emulated_pi.machine import EmulatedPi, Trouble, build, require_programs

__all__ = ["docker_engine"]

#: The name that the README uses. An image of this name on this machine gets it back after the tests.
IMAGE = "edge-bench:latest"
FOLDER = REPOSITORY / "build/pi"
#: Use the machine that `make pi-up` has started, as it is: "raspberrypi:2222". For work on these tests.
RUNNING = os.environ.get("EDGE_BENCH_TESTS_PI", "")


@pytest.fixture(scope="session")
def pi(docker_engine: None) -> Iterator[EmulatedPi]:
    """A new machine with an empty disk, running; or the one of EDGE_BENCH_TESTS_PI."""
    if RUNNING:
        name, _, used = RUNNING.partition(":")
        yield EmulatedPi(FOLDER, name=name, port=int(used))
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    machine = EmulatedPi(FOLDER, name=f"pi{os.getpid()}", port=port)
    try:
        require_programs()
        build(FOLDER)
        machine.start()
    except Trouble as cause:
        pytest.skip(str(cause))
    try:
        yield machine
    finally:
        machine.cut_power()
        for path in FOLDER.glob(f"{machine.name}.*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(scope="session")
def desk(pi: EmulatedPi, digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The PC, with a bundle and its own Run as after `make bench`."""
    desk = Desk(tmp_path_factory.mktemp("desk"), pi)
    desk.prepare()
    shutil.copytree(digits_bundle.folder, desk.folder / "artifacts/bundle")
    measured = desk.run("edge-bench run artifacts/bundle --trials 12 --processes 3 --variant dynamic,float32")
    assert measured.code == 0, measured.stderr
    desk.steps.clear()
    kept = f"edge-bench-before-pi-tests:{os.getpid()}"
    with build_lock(), kept_tag(kept):
        yield desk


@contextlib.contextmanager
def kept_tag(kept: str) -> Iterator[None]:
    """Give an image of this machine that has the README's name this name back at the end."""
    had = subprocess.run(["docker", "tag", IMAGE, kept], capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        subprocess.run(["docker", "image", "rm", IMAGE], capture_output=True, check=False)
        if had:
            subprocess.run(["docker", "tag", kept, IMAGE], capture_output=True, check=False)
            subprocess.run(["docker", "image", "rm", kept], capture_output=True, check=False)
