"""Fixtures that the tests of images and of fleets share: the machine's own Docker engine, and both images."""

import contextlib
import fcntl
import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.command_line import REPOSITORY
from tests.containers.compose import EDGE, NATIVE, docker

__all__ = ["build_lock", "docker_engine", "images", "native_image"]


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skip without a Docker engine, buildx or compose."""
    try:
        answer = docker("info", "--format", "{{json .ServerVersion}}", timeout=30)
    except (OSError, subprocess.TimeoutExpired) as cause:
        pytest.skip(f"no Docker engine: {cause}")
    if answer.returncode or not json.loads(answer.stdout or '""'):
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()[:200]}")
    for name in ("buildx", "compose"):
        if docker(name, "version", timeout=30).returncode:
            pytest.skip(f"docker {name} is not installed")


@contextlib.contextmanager
def build_lock() -> Iterator[None]:
    """One process builds at a time; the next finds every layer in the cache."""
    folder = REPOSITORY / ".pytest_cache"
    folder.mkdir(exist_ok=True)
    with (folder / "docker-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def images(docker_engine: None) -> None:
    """Build both images from this checkout with compose. Skip if this machine cannot run arm64 programs."""
    with build_lock():
        built = docker("compose", "build", "train", "edge", timeout=2400)
    assert built.returncode == 0, built.stderr[-3000:]
    runs = docker("run", "--rm", "--platform", "linux/arm64", EDGE, "--version", timeout=120)
    if "exec format error" in runs.stderr:
        pytest.skip("this machine cannot run arm64 programs: install QEMU (docs/raspberry-pi.md, step 0)")
    assert runs.returncode == 0, runs.stderr


@pytest.fixture(scope="session")
def native_image(docker_engine: None) -> None:
    """Build the edge image for amd64, for tests of what does not depend on the processor: nothing is emulated."""
    with build_lock():
        built = docker(
            "buildx", "build", "--file", "Dockerfile.edge", "--platform", "linux/amd64", "--quiet", "--load",
            "--tag", NATIVE, ".", timeout=2400,
        )  # fmt: skip
    assert built.returncode == 0, built.stderr[-3000:]
