"""The service that `schedule install --compose` writes, in the host image: a night, and a restart in its middle."""

import datetime
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import MeasurementState, NightState
from edge_bench.bench.records.run_files import read_run
from tests.command_line import CommandLine
from tests.containers.compose import Compose, docker

pytestmark = [pytest.mark.containers, pytest.mark.nightly, pytest.mark.usefixtures("images")]

SETTINGS = """
[[model]]
name = "digits"
bundle = "bundle"
[run]
variant = "int8"
runtime = "litert"
trials = 80
processes = 2
limit = 200
runs_per_night = 1
"""
_LONGEST_SECONDS = 300


def wait_for(done: Callable[[], object]) -> None:
    """Wait for a container. Fail after five minutes."""
    ends = time.monotonic() + _LONGEST_SECONDS
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_a_night_in_a_compose_service_is_continued_after_a_restart(
    bundle_copy: Path, tmp_path: Path, edge_bench: CommandLine
) -> None:
    if bundle_copy.name != "bundle":
        bundle_copy.rename(tmp_path / "bundle")
    (tmp_path / "edge-bench.toml").write_text(SETTINGS)
    file, results = tmp_path / "nightly.yaml", tmp_path / "results"
    at = datetime.datetime.now() + datetime.timedelta(seconds=75)
    done = edge_bench("schedule", "install", tmp_path, "--at", f"{at:%H:%M}", "--compose", file)
    assert done.returncode == 0, done.stderr
    service = Compose(f"edge-bench-tests-nights-{os.getpid()}")
    try:
        started = service("--file", file, "up", "--detach")
        assert started.returncode == 0, started.stderr
        staging = results / "nights" / "staging-000001"
        wait_for(lambda: any(path.stat().st_size > 5_000 for path in staging.rglob("run-*.journal")))
        container = service("--file", file, "ps", "--quiet").stdout.strip()
        assert docker("restart", container).returncode == 0

        def nights() -> list[NightState]:
            return [night.state for night in read_recent_nights(results, 9)[0]]

        wait_for(lambda: nights() == [NightState.DONE])
    finally:
        logs = service("--file", file, "logs", "--no-color").stdout
        service("--file", file, "down", "--timeout", "2")
    (night,) = read_recent_nights(results, 9)[0]
    assert night.resumed == 1, logs
    (measurement,) = night.measurements
    assert measurement.state is MeasurementState.DELIVERED, logs
    assert len(read_run(results / measurement.run_file).results[0].trials) == 80
    assert "finished trials: " in logs  # those before the restart are kept
