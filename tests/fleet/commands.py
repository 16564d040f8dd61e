"""`edge-bench fleet run` on the tests' own engines, and its results: Runs, state on disk, progress lines."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import clean_environment, command
from tests.fleet.engines import Dockerd, Network, Sshd

__all__ = ["IMAGE", "PI_IS_MEASURING", "QUICK", "Engines", "Leftovers", "Measured", "rows_in", "runs_in", "wait_for"]

#: The edge image for both platforms: a tag, or a file that `docker save` wrote.
IMAGE = os.environ.get("EDGE_BENCH_TESTS_IMAGE", "edge-bench:edge-bench-fleet-tests")
#: A tiny workload.
QUICK = ("--trials", 2, "--limit", 40)
#: A progress line of the engine ``pi`` after its first trial.
PI_IS_MEASURING = r"^pi: .* [1-9]\d*/\d+"
#: Returns the names of containers, volumes and networks that are left on the engines.
Leftovers = Callable[[], list[str]]


@dataclass
class Engines:
    """Three engines: reached by socket, by ssh or TLS, and one that emulates arm64. The first may manage a swarm."""

    daemons: list[Dockerd]
    sshd: Sshd
    network: Network
    bundle: Path
    folder: Path
    image: str  # a file from `docker save`; with a tag, every command would save the image again

    @property
    def fleet_file(self) -> Path:
        """A fleet file of all three: amd, by-ssh and pi."""
        return self.folder / "fleet.toml"

    def start(
        self,
        *arguments: object,
        results: Path,
        fleet_file: Path | None = None,
        urls: Sequence[str] = (),
        inside: Dockerd | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        image: str = "",
    ) -> "subprocess.Popen[str]":
        """Start `edge-bench fleet run` with a tiny workload on the engines of the fleet file, or on ``urls``.

        ``inside``: run it in that engine's network namespace, from which the others are on the network.
        ``image``: another name or file of the image.
        """
        options = [word for url in urls for word in ("--engine", url)]
        return subprocess.Popen(
            [
                *(["nsenter", f"--net=/run/netns/{inside.namespace}"] if inside else []),
                *command(
                    "fleet", "run", self.bundle, *(options or ("--fleet", fleet_file or self.fleet_file)),
                    "--image", image or self.image, "--variant", "dynamic", "--runtime", "litert", "--processes", 1,
                    "--results", results, *arguments,
                ),
            ],
            env={**clean_environment(self.folder), **environment},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: object, results: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
        """Run it to its end."""
        process = self.start(*arguments, results=results, **more)
        stdout, stderr = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def calibrate(
        self, *arguments: object, results: Path, environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        """Run `edge-bench fleet run --calibrate` on all engines to its end."""
        return subprocess.run(
            command("fleet", "run", "--calibrate", "--fleet", self.fleet_file, "--image", self.image,
                    "--results", results, *arguments),
            env={**clean_environment(self.folder), **environment},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def leftovers(self) -> list[str]:
        """Return what is left on each engine."""
        return [f"{daemon.name}: {left}" for daemon in self.daemons for left in daemon.leftovers()]


@dataclass
class Measured:
    """A `fleet run` that has ended, and its results folder."""

    done: "subprocess.CompletedProcess[str]"
    results: Path


def wait_for(process: "subprocess.Popen[str]", *patterns: str) -> None:
    """Read stderr until each pattern has matched a line, in any order. Fail if one does not."""
    assert process.stderr is not None
    lines, missing = list[str](), set(patterns)
    for line in process.stderr:
        lines.append(line)
        missing = {pattern for pattern in missing if not re.search(pattern, line)}
        if not missing:
            return
    raise AssertionError("".join(lines))


def runs_in(results: Path) -> list[Run]:
    """Return the Runs in a results folder."""
    return [read_run(path) for path in sorted(results.glob("run-*.json"))]


def rows_in(results: Path) -> dict[str, dict[str, Any]]:
    """Return the state of each engine by its name, as the fleet command has written it to disk."""
    (state,) = results.glob("fleet-*/state.json")
    return {row["engine"]["name"]: row for row in json.loads(state.read_bytes())["devices"]}
