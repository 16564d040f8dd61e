"""Devices that are alive or silent, and when the files are read again."""

import datetime
from pathlib import Path

import pytest

from edge_bench.app.dashboard.ages import age
from edge_bench.app.dashboard.devices import devices_of, devices_sentence
from edge_bench.app.dashboard.snapshot import LOOK_SECONDS, Snapshots, series_id
from tests.app.dashboard.fleets import NOW, fleet, write_all

DAY = 86_400.0


def test_silent_devices_are_first_then_slower_ones(tmp_path: Path) -> None:
    folder = write_all(fleet(4, slower="pi2", silent="pi3"), tmp_path / "results")
    snapshot = Snapshots([folder]).newest()
    devices = devices_of(snapshot, NOW, 1.5 * DAY)
    assert [(each.name.split()[0], each.silent, each.slower) for each in devices] == [
        ("pi3", True, 0),
        ("pi2", False, 1),
        ("pi0", False, 0),
        ("pi1", False, 0),
    ]
    assert [each.runs for each in devices] == [17, 20, 20, 20]
    assert "pi3" in devices_sentence(devices, 36)
    assert not any(each.silent for each in devices_of(snapshot, NOW, 4 * DAY))


def test_a_device_whose_clock_is_ahead_is_not_called_alive(tmp_path: Path) -> None:
    snapshot = Snapshots([write_all(fleet(2, silent="pi1"), tmp_path / "results")]).newest()
    earlier = NOW - datetime.timedelta(days=2)  # the last Run of pi0 is two days ahead, that of pi1 a day behind
    devices = devices_of(snapshot, earlier, 0.5 * DAY)
    assert [(each.name.split()[0], each.silent) for each in devices] == [("pi1", True), ("pi0", None)]
    sentence = devices_sentence(devices, 12)
    assert "pi0" in sentence
    assert "pi1" in sentence


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.01, "just now"), (3, "3 h ago"), (72, "3 days ago"), (-5, "in the future: its clock is wrong")],
)
def test_ages(hours: float, text: str) -> None:
    assert age((NOW - datetime.timedelta(hours=hours)).isoformat(), NOW) == text


def test_files_are_read_again_only_if_they_changed(tmp_path: Path) -> None:
    time = [0.0]
    runs = fleet(1, 12)
    folder = write_all(runs[:-1], tmp_path / "results")
    snapshots = Snapshots([folder], clock=lambda: time[0])
    first = snapshots.newest()
    time[0] += LOOK_SECONDS
    assert snapshots.newest() is first
    write_all(runs[-1:], folder)
    assert snapshots.newest() is first  # not looked at yet
    time[0] += LOOK_SECONDS
    second = snapshots.newest()
    assert [len(each.runs) for each in (first, second)] == [11, 12]
    assert series_id(first.series[0]) == series_id(second.series[0])


def test_a_folder_that_cannot_be_read_is_a_problem_and_damaged_files_are_notes(tmp_path: Path) -> None:
    empty = Snapshots([tmp_path]).newest()
    assert empty.problem
    assert not empty.runs
    folder = write_all(fleet(1, 3), tmp_path / "results")
    (folder / "run-damaged.json").write_text("{")
    damaged = Snapshots([folder]).newest()
    assert not damaged.problem
    assert len(damaged.runs) == 3
    assert any("run-damaged.json" in note for note in damaged.notes)
