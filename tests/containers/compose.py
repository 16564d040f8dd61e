"""Docker and compose as a person calls them, with images and volumes of these tests' own."""

import os
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY

__all__ = ["ARM64", "EDGE", "HOST", "TAG", "Completed", "Compose", "Story", "docker"]

Completed = subprocess.CompletedProcess[str]

#: A tag, and project names, that no person uses: their images, volumes and containers stay untouched.
TAG = "edge-bench-tests"
EDGE, HOST = f"edge-bench:{TAG}", f"edge-bench-host:{TAG}"
#: Run a container under emulation.
ARM64 = ("run", "--rm", "--platform", "linux/arm64")


def docker(*arguments: object, timeout: float = 1200, environment: dict[str, str] | None = None) -> Completed:
    """Call docker in the repository."""
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
    """Return this process's environment without the person's EDGE_BENCH_… variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDGE_BENCH_")} | {
        "EDGE_BENCH_TAG": TAG,
        "EDGE_BENCH_REVISION": "tested",
        "DOCKER_DEFAULT_PLATFORM": "",
    }


@dataclass
class Compose:
    """A project of compose.yaml with its own volumes."""

    project: str
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object) -> Completed:
        return docker("compose", "--project-name", self.project, *arguments, environment=self.environment)

    def volume(self, name: str) -> str:
        """Return the full name of a volume."""
        return f"{self.project}_{name}"

    def copy_out(self, volume: str, folder: Path) -> Path:
        """Copy all files of a volume into a new folder."""
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


@dataclass
class Story:
    """The output and the results of `docker compose up`."""

    compose: Compose
    output: str
    bundle: Path
    results: Path

    def run_of(self, architecture: str) -> Run:
        """Return the only Run of an architecture."""
        (run,) = (run for run in self.runs() if run.machine.architecture == architecture)
        return run

    def runs(self) -> Sequence[Run]:
        return [read_run(path) for path in sorted(self.results.glob("run-*.json"))]
