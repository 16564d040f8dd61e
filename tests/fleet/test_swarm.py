"""`edge-bench fleet run --swarm` on a real swarm of three nodes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fleet.conftest import Shelf, runs_in
from tests.fleet.test_engines import wait_for

pytestmark = [pytest.mark.containers, pytest.mark.slow]
Left = Callable[[], list[str]]


def test_a_global_job_brings_every_run_home_and_a_drained_nodes_row_says_so(
    swarm: Shelf, tmp_path: Path, nothing_left: Left
) -> None:
    manager = swarm.engines[0]

    def node(availability: str) -> None:
        subprocess.run(
            ["docker", "--host", manager.url, "node", "update", "--availability", availability, "pi"],
            check=True, capture_output=True,
        )  # fmt: skip

    # without the platform that pi was told to emulate: a swarm's nodes are what they are
    plain = tmp_path / "fleet.toml"
    plain.write_text(swarm.fleet_file.read_text().replace('platform = "linux/arm64"\n', "").replace(
        '"ssh_config"', f'"{swarm.sshd.config}"'))  # fmt: skip
    results, stack = tmp_path / "results", tmp_path / "stack.yaml"
    options = ("--swarm", "--stack-file", stack, "--trials", 40, "--limit", 200)
    process = swarm.start(*options, results=results, fleet_file=plain)
    try:
        wait_for(process, "pi: running")
        node("drain")
        out, error = process.communicate(timeout=240)
    finally:
        node("active")
    assert "pi: it was drained half-way" in out, error
    assert {"amd", "by-ssh"} <= {run.machine.hostname for run in runs_in(results)}
    assert nothing_left() == []
    described = stack.read_text()
    assert 'mode: "global-job"' in described
    assert "node.platform.arch == x86_64" in described
    done = swarm.run(*options, "--resume", results=results, fleet_file=plain)
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(results)) == ["amd", "by-ssh", "pi"]
    services = subprocess.run(
        ["docker", "--host", manager.url, "service", "ls", "-q"], check=True, capture_output=True, text=True
    )
    assert services.stdout == ""
