"""What goes wrong with a Raspberry Pi: a power cut, a full SD card, a wrong clock, little memory."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator

import pytest

from edge_bench.bench.records.run_files import read_run
from tests.fleet.commands import rows_in
from tests.pi.desk import PI, Desk, Step
from tools.emulated_pi.machine import EmulatedPi

pytestmark = [pytest.mark.containers, pytest.mark.nightly]

QUICK = "--variant dynamic --runtime litert --processes 1 --limit 40"
#: Trials that last for a minute or two there, in which the power is cut; progress is shown every ten seconds.
TRIALS = 120
LONG = f"{QUICK} --trials {TRIALS}"
MEASURING = rf"\b[1-9]\d*/{TRIALS}\b"
#: The time that a Pi starts with which was switched off and has no network.
BEHIND = f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=365):%Y-%m-%dT%H:%M:%S}"
FLEET = f"edge-bench fleet run artifacts/bundle --engine ssh://{PI}"
SEND = f"docker save edge-bench:latest | gzip | ssh {PI} docker load"
CONTAINER = (
    'docker run --rm --hostname "$(hostname)" -v "$PWD/RESULTS:/results" --user "$(id -u):$(id -g)" edge-bench run'
)


@pytest.fixture(scope="module")
def ready(desk: Desk) -> Desk:
    """The Pi has the image."""
    built = desk.run(
        "docker image inspect edge-bench:latest || make edge-image BUNDLE=artifacts/bundle RESULTS=results"
    )
    assert built.code == 0, built.stderr
    if desk.pi.ssh("docker image inspect edge-bench:latest").returncode:
        sent = desk.run(SEND)
        assert sent.code == 0, sent.stderr
    return desk


def on_the_pi(desk: Desk, arguments: str, results: str) -> Step:
    """Measure in a container there, as the README does, with results in a folder of this test."""
    command = CONTAINER.replace("RESULTS", results)
    return desk.run(f"ssh {PI} 'mkdir -p {results} && {command} {arguments}'")


@contextlib.contextmanager
def full_card(pi: EmulatedPi, left: int, to: str = "%a") -> Iterator[None]:
    """Fill the card until ``left`` bytes are free: to users (%a), or to root, thus Docker, which has a reserve (%f)."""
    filled = pi.ssh(f"fallocate -l $(($(stat -f -c '{to} * %S' /) - {left})) /full", user="root")
    assert filled.returncode == 0, filled.stderr
    try:
        yield
    finally:
        pi.ssh("rm /full", user="root")


def docker_megabytes(pi: EmulatedPi) -> int:
    """Return what images, containers and volumes take on the card, and what was left of them."""
    return int(pi.ssh("du -sm /var/lib/docker", user="root").stdout.split()[0])


def cut_power_when(desk: Desk, command: str, pattern: str) -> tuple[int, str]:
    """Switch the Pi off when a line of a command's output matches; return the command's exit code and output."""
    process = desk.start(command)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if re.search(pattern, line):
            desk.pi.cut_power()
            break
    output, _ = process.communicate(timeout=300)
    return process.returncode, "".join(lines) + output


def test_a_full_sd_card_is_reported_and_nothing_is_lost(ready: Desk) -> None:
    pi = ready.machine()
    with full_card(pi, left=3_000_000):
        full = on_the_pi(ready, f"{QUICK} --trials 2", "full")
        refused = ready.run(f"{FLEET} {QUICK} --trials 2 --results full --image edge-bench:latest")
    for step in (full, refused):
        assert step.code not in (0, 130), step.stdout
        assert "Traceback" not in step.stdout + step.stderr
        assert re.search(r"(?i)no space|disk", step.stdout + step.stderr), step.stderr
    again = on_the_pi(ready, f"{QUICK} --trials 2", "full")
    assert again.code == 0, again.stderr
    assert pi.ssh("docker ps --all --quiet; docker volume ls --quiet").stdout == ""


def test_an_image_that_does_not_fit_is_reported(ready: Desk) -> None:
    pi = ready.machine()
    pi.ssh("docker image rm --force $(docker image ls --quiet)", user="root")
    before = docker_megabytes(pi)
    with full_card(pi, left=150_000_000, to="%f"):
        by_hand = ready.run(SEND)
        refused = ready.run(f"{FLEET} {QUICK} --trials 2 --results small")
        left = pi.ssh("docker image ls --all --quiet; docker ps --all --quiet; docker volume ls --quiet").stdout
    assert by_hand.code
    assert "no space" in by_hand.stderr
    assert left == ""
    assert docker_megabytes(pi) < before + 10  # no half of an image
    assert refused.code == 1
    (row,) = rows_in(ready.folder / "small").values()
    assert row["state"] == "failed"
    assert "space" in row["reason"]
    assert "disk" in row["remedy"]
    done = ready.run(f"{FLEET} {QUICK} --trials 2 --results small --resume")
    assert done.code == 0, done.stdout + done.stderr
    pi.ssh("docker tag $(docker image ls --quiet) edge-bench:latest")  # for the next tests


def test_a_fleet_run_resumes_after_the_pi_was_switched_off(ready: Desk) -> None:
    ready.machine()
    code, output = cut_power_when(ready, f"{FLEET} {LONG} --results cut --reconnect-timeout 5", MEASURING)
    cut = dt.datetime.now(dt.UTC)
    assert code == 1, output
    (row,) = rows_in(ready.folder / "cut").values()
    assert row["state"] == "lost"
    assert "--resume" in output
    ready.machine()
    resumed = ready.run(f"{FLEET} {LONG} --results cut --resume")
    assert resumed.code == 0, resumed.stdout + resumed.stderr
    (path,) = (ready.folder / "cut").glob("run-*.json")
    run = read_run(path)
    assert dt.datetime.fromisoformat(run.began) < cut  # it was continued from its journal
    assert [len(result.trials) for result in run.results] == [TRIALS]
    assert ready.pi.ssh("docker ps --all --quiet; docker volume ls --quiet").stdout == ""


def test_a_container_resumes_although_the_clock_is_a_year_behind_after_the_power_cut(ready: Desk) -> None:
    """A Pi has no clock that runs without power."""
    ready.machine()
    command = CONTAINER.replace("RESULTS", "cut")
    remote = f"ssh -o ServerAliveInterval=2 -o ServerAliveCountMax=2 {PI} 'mkdir -p cut && {command} {LONG}'"
    code, output = cut_power_when(ready, remote, MEASURING)
    assert code, output
    pi = ready.machine(clock=BEHIND)
    assert ".journal" in pi.ssh("ls cut").stdout
    resumed = on_the_pi(ready, f"{LONG} --resume", "cut")
    assert resumed.code == 0, resumed.stdout + resumed.stderr
    assert ".journal" not in pi.ssh("ls cut").stdout
    fetched = ready.run(f'mkdir by-hand && scp "{PI}:cut/run-*.json" by-hand')
    assert fetched.code == 0, fetched.stderr
    (path,) = (ready.folder / "by-hand").glob("run-*.json")
    assert [len(result.trials) for result in read_run(path).results] == [TRIALS]
    assert pi.ssh("docker ps --all --quiet").stdout == ""


def test_a_clock_one_year_behind_changes_nothing_but_the_date(ready: Desk) -> None:
    ready.machine(clock=BEHIND)
    done = ready.run(f"{FLEET} {QUICK} --trials 3 --results late")
    assert done.code == 0, done.stdout + done.stderr
    (path,) = (ready.folder / "late").glob("run-*.json")
    began = dt.datetime.fromisoformat(read_run(path).began)
    assert dt.datetime.now(dt.UTC) - began > dt.timedelta(days=360)
    compared = ready.run("cp late/run-*.json results && edge-bench compare results")
    assert compared.code == 0, compared.stderr


@pytest.mark.parametrize(("memory_mb", "core"), [(1024, "cortex-a72"), (512, "cortex-a53")])
def test_little_memory_is_enough(ready: Desk, memory_mb: int, core: str) -> None:
    """A Pi 4 with 1 GB; a Zero 2 W with 512 MB."""
    ready.machine(memory_mb=memory_mb, core=core)
    by_hand = on_the_pi(ready, f"{QUICK} --trials 3", f"memory-{memory_mb}")
    assert by_hand.code == 0, by_hand.stdout + by_hand.stderr
    done = ready.run(f"{FLEET} {QUICK} --trials 3 --results memory-{memory_mb}")
    assert done.code == 0, done.stdout + done.stderr
    (path,) = (ready.folder / f"memory-{memory_mb}").glob("run-*.json")
    machine = read_run(path).machine
    assert machine.memory_bytes < memory_mb << 20
    assert machine.cpu == {"cortex-a72": "Cortex-A72", "cortex-a53": "Cortex-A53"}[core]
