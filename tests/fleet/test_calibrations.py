"""`edge-bench fleet run --calibrate` on real engines: a device file for each real machine, none for an emulated one."""

import json
from pathlib import Path

import pytest

from edge_bench.bench.device_calibration.measuring import threads_of
from edge_bench.bench.device_calibration.networks import NETWORKS
from edge_bench.bench.prediction.device_file import read_device
from edge_bench.bench.system.machine import usable_cores
from tests.fleet.commands import Engines, Leftovers, rows_in, runs_in

pytestmark = [pytest.mark.containers, pytest.mark.slow]

#: Short trials, so that the times are not reliable.
SHORT = ("--trials", 2, "--processes", 1, "--force")


@pytest.mark.nightly
def test_every_real_engine_gets_a_device_file_and_the_emulated_one_a_reason(
    engines: Engines, tmp_path: Path, nothing_left: Leftovers
) -> None:
    devices = {"EDGE_BENCH_DEVICES": str(tmp_path / "devices")}
    done = engines.calibrate(*SHORT, "--format", "json", results=tmp_path / "runs", environment=devices)
    assert done.returncode == 1  # one engine has none
    rows = rows_in(tmp_path / "runs")
    assert {name: row["state"] for name, row in rows.items()} == {"amd": "done", "by-ssh": "done", "pi": "failed"}
    assert "emulated" in rows["pi"]["reason"]
    assert {row["device"] for row in json.loads(done.stdout)} == {"amd", "by-ssh"}
    for name in ("amd", "by-ssh"):
        device = read_device(tmp_path / f"devices/{name}.toml")
        assert device.personal
        assert not device.reliable
        assert {each.threads for each in device.parameters} == set(threads_of(usable_cores()))
        assert all(each.rows == len(NETWORKS) for each in device.parameters)
    assert not (tmp_path / "devices/pi.toml").exists()
    assert {run.machine.hostname for run in runs_in(tmp_path / "runs")} == {"amd", "by-ssh"}
