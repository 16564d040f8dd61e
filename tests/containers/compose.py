"""Docker and compose as a person calls them, with images and volumes of these tests' own; the contents of images."""

import json
import os
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import REPOSITORY

__all__ = [
    "ARM64", "EDGE", "HOST", "NATIVE", "TAG", "Completed", "Compose", "Story", "assert_licences", "compressed_bytes",
    "docker",
]  # fmt: skip

Completed = subprocess.CompletedProcess[str]

#: A tag, and project names, that no person uses: their images, volumes and containers stay untouched.
TAG = "edge-bench-tests"
EDGE, HOST = f"edge-bench:{TAG}", f"edge-bench-host:{TAG}"
#: The edge image for this machine's own processor.
NATIVE = f"edge-bench-amd64:{TAG}"
#: Run a container under emulation.
ARM64 = ("run", "--rm", "--platform", "linux/arm64")

LICENCES = "/usr/share/doc/edge-bench/third-party-licences"
DISTRIBUTIONS = """
import importlib.metadata, json
found = [[each.metadata["Name"], each.version] for each in importlib.metadata.distributions()]
print(json.dumps(found), open("{}").read(), sep=chr(10))
"""


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


def assert_licences(image: str) -> None:
    """Assert that the image has a licence id and a text for each distribution in it, and for no other."""
    done = docker("run", "--rm", "--network=none", "--entrypoint", "/opt/edge-bench/bin/python", image, "-c",
                  DISTRIBUTIONS.format(LICENCES))  # fmt: skip
    assert done.returncode == 0, done.stderr
    installed, text = done.stdout.split("\n", maxsplit=1)
    expected = {f"{name} {version}" for name, version in json.loads(installed) if name != "edge-bench"}
    listed = dict(line.split(": ") for line in text.split("\n\n", maxsplit=1)[0].splitlines())
    assert listed.keys() == expected
    for name, licence in listed.items():
        _, _, after = text.partition(f"\n{name}: {licence}\n{'=' * 80}\n")
        assert len(after.partition("=" * 80)[0]) > 500, name


def compressed_bytes(archive: Path, *how: object, platform: str = "linux/arm64") -> int:
    """Build an image and return the size of its compressed layers."""
    built = docker(
        "buildx", "build", "--platform", platform, "--quiet", "--provenance=false",
        "--output", f"type=oci,dest={archive},compression=gzip,force-compression=true", *how,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr[-2000:]
    with tarfile.open(archive) as members:

        def blob(digest: str) -> dict[str, Any]:
            file = members.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert file is not None
            found: dict[str, Any] = json.loads(file.read())
            return found

        index = members.extractfile("index.json")
        assert index is not None
        manifest = blob(json.loads(index.read())["manifests"][0]["digest"])
    return sum(layer["size"] for layer in manifest["layers"])
