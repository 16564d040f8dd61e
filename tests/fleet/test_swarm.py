"""`edge-bench fleet run --swarm` on a real swarm of three nodes."""

import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tests.command_line import REPOSITORY
from tests.fleet.commands import Engines, Leftovers, rows_in, runs_in, wait_for
from tests.fleet.engines import Dockerd

pytestmark = [pytest.mark.containers, pytest.mark.slow]


def without_platform(swarm: Engines, folder: Path) -> Path:
    """Write the fleet file without the platform that pi emulates, because a swarm's nodes run their own platform."""
    plain = folder / "fleet.toml"
    plain.write_text(swarm.fleet_file.read_text().replace('platform = "linux/arm64"\n', "").replace(
        '"ssh_config"', f'"{swarm.sshd.config}"'))  # fmt: skip
    return plain


def docker(engine: Dockerd, *arguments: str) -> str:
    """Call docker for an engine, and return its stdout."""
    return subprocess.run(
        ["docker", "--host", engine.url, *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_a_global_job_fetches_every_run_and_a_drained_node_is_reported(
    swarm: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    manager = swarm.daemons[0]

    def set_availability(availability: str) -> None:
        docker(manager, "node", "update", "--availability", availability, "pi")

    plain = without_platform(swarm, tmp_path)
    results, stack = tmp_path / "results", tmp_path / "stack.yaml"
    options = ("--swarm", "--stack-file", stack, "--trials", 24, "--limit", 100)
    process = swarm.start(*options, results=results, fleet_file=plain)
    try:
        wait_for(process, r"^pi\b.*\brunning\b")  # the state of its task
        set_availability("drain")
        _, stderr = process.communicate(timeout=240)
    finally:
        set_availability("active")
    reasons = {name: row["reason"] for name, row in rows_in(results).items()}
    assert [name for name, reason in reasons.items() if reason] == ["pi"], stderr
    assert {"amd", "by-ssh"} <= {run.machine.hostname for run in runs_in(results)}
    assert nothing_left() == []
    described = stack.read_text()
    assert "mode: global-job" in described
    assert "node.platform.arch == x86_64" in described
    done = swarm.run(*options, "--resume", results=results, fleet_file=plain)
    assert done.returncode == 0, done.stderr
    assert sorted(run.machine.hostname for run in runs_in(results)) == ["amd", "by-ssh", "pi"]
    assert docker(manager, "service", "ls", "-q") == ""


@pytest.mark.nightly
def test_the_stack_file_can_be_deployed_with_the_commands_in_its_head(
    swarm: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    manager, stack = swarm.daemons[0], tmp_path / "stack.yaml"
    options = ("--swarm", "--stack-file", stack, "--trials", 1, "--limit", 20)
    assert swarm.run(*options, results=tmp_path, fleet_file=without_platform(swarm, tmp_path)).returncode == 0
    head = [line[1:] for line in stack.read_text().splitlines() if line.startswith("#")]
    script = "\n".join(line for line in head if line.startswith("   "))
    script = script.replace("$PWD/BUNDLE", str(swarm.bundle)).replace("THIS-FILE", shlex.quote(str(stack)))
    environment = {"DOCKER_HOST": manager.url, "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    try:
        subprocess.run(["sh", "-ec", script], cwd=REPOSITORY, env=environment, check=True, capture_output=True)
        volume = next(line for line in script.splitlines() if "volume create" in line).split()[-1]
        inside = ["run", "--rm", "-v", f"{volume}:/results", "--entrypoint", "sh"]
        image = re.search(r"^ +(\S+) -R /bundle", script, re.MULTILINE)
        assert image
        deadline = time.monotonic() + 120
        while len(docker(manager, *inside, image[1], "-c", "ls -d /results/runs/*/run-*.json || true").split()) < 3:
            assert time.monotonic() < deadline, docker(manager, "stack", "ps", "--no-trunc", "edge-bench")
            time.sleep(1)
    finally:
        subprocess.run(["docker", "stack", "rm", "edge-bench"], env=environment, check=False, capture_output=True)
        _until_removed(environment, script)


def _until_removed(environment: dict[str, str], script: str) -> None:
    """Remove network, token and volumes once the last task has ended."""
    made = re.findall(r"docker (network|secret|volume) create (?:--\S+(?: overlay)? )*(\S+)", script)
    assert len(made) == 4
    for kind, name in made:
        deadline = time.monotonic() + 60
        while True:
            done = subprocess.run(["docker", kind, "rm", name], env=environment, check=False, capture_output=True)
            if done.returncode == 0 or time.monotonic() > deadline:
                break
            time.sleep(1)
