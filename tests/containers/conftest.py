"""A real engine, both images built from this checkout, and compose's whole story told once."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY

Completed = subprocess.CompletedProcess[str]

#: Beside what a person built: these tests never touch their images, volumes and containers.
TAG = "edge-bench-tests"
EDGE, HOST = f"edge-bench:{TAG}", f"edge-bench-host:{TAG}"


def docker(*arguments: object, timeout: float = 1200, environment: dict[str, str] | None = None) -> Completed:
    """Calls docker as a person would, in the repository."""
    return subprocess.run(
        ["docker", *map(str, arguments)],
        cwd=REPOSITORY,
        env=_environment() | (environment or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _environment() -> dict[str, str]:
    """The person's, without their settings for edge-bench."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDGE_BENCH_")} | {
        "EDGE_BENCH_TAG": TAG,
        "EDGE_BENCH_REVISION": "tested",
        "DOCKER_DEFAULT_PLATFORM": "",
    }


@dataclass
class Compose:
    """One project of compose.yaml with volumes of its own."""

    project: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object) -> Completed:
        return docker("compose", "--project-name", self.project, *arguments, environment=self.environment)

    def volume(self, name: str) -> str:
        return f"{self.project}_{name}"

    def copy_out(self, volume: str, folder: Path) -> Path:
        """Everything in one of the project's volumes, as files in ``folder``."""
        folder.mkdir()
        with (folder.parent / f"{folder.name}.tar").open("wb") as archive:
            subprocess.run(
                ["docker", "run", "--rm", "--network=none", "-v", f"{self.volume(volume)}:/volume:ro",
                 "--entrypoint", "tar", HOST, "-C", "/volume", "-c", "."],
                stdout=archive, check=True,
            )  # fmt: skip
        with tarfile.open(archive.name) as members:
            members.extractall(folder, filter="data")
        return folder


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips with a reason where no engine answers or it cannot run arm64 programs."""
    try:
        answer = docker("info", "--format", "{{json .ServerVersion}}", timeout=30)
    except (OSError, subprocess.TimeoutExpired) as cause:
        pytest.skip(f"no Docker engine: {cause}")
    if answer.returncode or not json.loads(answer.stdout or '""'):
        pytest.skip(f"no Docker engine answers: {answer.stderr.strip()[:200]}")
    for name in ("buildx", "compose"):
        if docker(name, "version", timeout=30).returncode:
            pytest.skip(f"docker {name} is not installed")


@pytest.fixture(scope="session")
def images(engine: None) -> None:
    """Both images, built from this checkout as a person would: compose builds them."""
    built = docker("compose", "build", "train", "edge", timeout=2400)
    assert built.returncode == 0, built.stderr[-3000:]
    runs = docker("run", "--rm", "--platform", "linux/arm64", EDGE, "--version", timeout=120)
    if "exec format error" in runs.stderr:
        pytest.skip("this machine runs no arm64 programs: install QEMU's binfmt (docs/containers.md)")
    assert runs.returncode == 0, runs.stderr


@dataclass
class Story:
    """What `docker compose up` did and left."""

    compose: Compose
    output: str
    bundle: Path
    results: Path

    def run_of(self, architecture: str) -> Run:
        (run,) = (run for run in self.runs() if run.machine.architecture == architecture)
        return run

    def runs(self) -> Sequence[Run]:
        return [read_run(path) for path in sorted(self.results.glob("run-*.json"))]


@pytest.fixture(scope="session")
def story(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """`docker compose up`: one epoch on real data, measured on the host and on the emulated edge, compared."""
    named = os.environ.get("EDGE_BENCH_DATA", "")
    real = (Path(named) / "fashion-mnist").is_dir() if named else False
    settings = {"EDGE_BENCH_DATA": str(Path(named).resolve())} if real else {"EDGE_BENCH_DATASET": "digits"}
    compose = Compose(
        f"edge-bench-tests-{os.getpid()}",
        settings
        | {
            "EPOCHS": "1",
            "EDGE_BENCH_VARIANT": "keras,dynamic",
            "EDGE_BENCH_LIMIT": "500" if real else "300",
            "EDGE_BENCH_TRIALS": "2",
            "EDGE_BENCH_PROCESSES": "1",
        },
    )
    try:
        done = compose("up", "--no-color")
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        folder = tmp_path_factory.mktemp("story")
        artifacts = compose.copy_out("artifacts", folder / "artifacts")
        results = compose.copy_out("results", folder / "results")
        yield Story(compose, done.stdout + done.stderr, artifacts / "bundle", results)
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "2")
