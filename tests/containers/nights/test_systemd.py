"""The timer of `schedule install --system` with a real systemd: a night of a user, a power cut, its continuation."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.records.run_files import read_run
from tests.containers.compose import NATIVE, docker
from tests.containers.nights.test_compose import SETTINGS, wait_for

pytestmark = [pytest.mark.containers, pytest.mark.nightly, pytest.mark.usefixtures("native_image")]

IMAGE = "edge-bench-systemd:edge-bench-tests"
MACHINE = f"""
FROM {NATIVE} AS tool
FROM debian:bookworm-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends dbus python3 systemd-sysv >/dev/null
# these services would change settings of the machine's own kernel, such as the emulation of arm64
RUN systemctl mask systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount \\
      systemd-sysctl.service systemd-modules-load.service systemd-udevd.service
RUN useradd --create-home bench
COPY --from=tool /opt/edge-bench /opt/edge-bench
"""
SCHEDULE = "/opt/edge-bench/bin/python -m edge_bench schedule"
NIGHTS = "/nights/results/nights"
Inside = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def inside(bundle_copy: Path, tmp_path: Path) -> Iterator[Inside]:
    """Return a shell of root in a container whose first process is systemd.

    /nights has a bundle and settings, and belongs to a normal user.
    """
    built = subprocess.run(
        ["docker", "build", "--quiet", "--tag", IMAGE, "-"], input=MACHINE, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-2000:]
    (tmp_path / "edge-bench.toml").write_text(SETTINGS)
    name = f"edge-bench-tests-systemd-{os.getpid()}"
    # systemd mounts, and writes control groups
    options = ("--privileged", "--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/run/lock")
    started = docker("run", "--detach", "--name", name, *options, IMAGE, "/sbin/init")
    assert started.returncode == 0, started.stderr
    try:
        for path, target in ((bundle_copy, "bundle"), (tmp_path / "edge-bench.toml", "edge-bench.toml")):
            docker("exec", name, "mkdir", "-p", "/nights")
            assert docker("cp", str(path), f"{name}:/nights/{target}").returncode == 0
        docker("exec", name, "chown", "--recursive", "bench:bench", "/nights")
        yield lambda command: docker("exec", name, "sh", "-c", command)
    finally:
        docker("rm", "--force", "--volumes", name)


def power_cut() -> None:
    """Kill all processes of the container at once, and start it again."""
    name = f"edge-bench-tests-systemd-{os.getpid()}"
    for command in ("kill", "start"):
        assert docker(command, name).returncode == 0


def install(inside: Inside, seconds: int) -> None:
    """Install the timer for the minute that is so many seconds from now."""
    at = inside(f"date --date='{seconds} seconds' +%H:%M").stdout.strip()
    installed = inside(f"{SCHEDULE} install /nights/edge-bench.toml --system --at {at}")
    assert installed.returncode == 0, installed.stderr
    assert "checked" in installed.stderr


def remove(inside: Inside) -> None:
    removed = inside(f"{SCHEDULE} remove --system")
    assert removed.returncode == 0, removed.stderr


def begins_nothing(inside: Inside) -> bool:
    """Return whether the timer has begun no night since it was installed, and will not for an hour."""
    (timer,) = json.loads(inside("systemctl list-timers edge-bench-nightly.timer --output=json").stdout)
    now = int(inside("date +%s").stdout)
    return not timer["last"] and timer["next"] / 1e6 > now + 3600


def test_a_timer_begins_a_night_that_is_continued_after_a_power_cut(inside: Inside, tmp_path: Path) -> None:
    wait_for(lambda: not inside("systemctl show-environment").returncode)
    install(inside, 75)
    assert not inside("ls /nights/results").stdout  # nothing begins before its time
    wait_for(lambda: inside(f"find {NIGHTS}/staging-000001 -name 'run-*.journal' -size +5k").stdout)
    power_cut()

    def night() -> dict[str, Any]:
        read = inside(f"cat {NIGHTS}/night-000001.json")
        found: dict[str, Any] = json.loads(read.stdout) if not read.returncode else {}
        return found

    wait_for(lambda: inside("systemctl is-active multi-user.target").stdout == "active\n")
    assert night()["state"] == "running"  # the start of the machine does not wait for it
    wait_for(lambda: night().get("state") == "done")
    log = inside("journalctl --no-pager --unit 'edge-bench*'").stdout
    assert night()["resumed"] == 1, log
    assert inside(f"ls {NIGHTS}").stdout.split().count("night-000002.json") == 0, log
    run = tmp_path / "run.json"
    run.write_text(inside("cat /nights/results/run-*.json").stdout)  # one Run: two would be no JSON
    assert len(read_run(run).results[0].trials) == 80
    assert inside(f"stat --format %U {NIGHTS}/night-000001.json").stdout == "bench\n"

    for remove_first in (False, True):  # another time of today, which has passed, is no missed night
        inside("touch --date='2 days ago' /var/lib/systemd/timers/stamp-edge-bench-nightly.timer")
        if remove_first:
            remove(inside)
        install(inside, -60)
        assert begins_nothing(inside)
    remove(inside)
    assert "edge-bench" not in inside("systemctl list-unit-files --no-pager").stdout
    assert inside(f"ls {NIGHTS}").stdout.split().count("night-000002.json") == 0, log
