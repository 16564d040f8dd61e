"""Months of operation: archives, a disk that fills up, silent engines, kept bundles."""

import datetime
import errno
import shutil
import tarfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from edge_bench.app.nightly import job
from edge_bench.app.nightly.settings.reading import read_settings
from edge_bench.app.nightly.upkeep import disk, retention
from edge_bench.app.nightly.upkeep.silence import silent_engines
from edge_bench.app.nightly.work.measuring import seconds_to_wait
from edge_bench.bench.errors import DiskFull
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.nights.night import (
    Confirmation,
    ConfirmationKind,
    Finding,
    Measurement,
    MeasurementState,
    Night,
    Rule,
)
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run
from tests.made.nights.fleet import BEGIN, FakeFleet, Nights, made_run, settings_file, telling, told

DAY = datetime.timedelta(days=1)
NIGHTS = 100


@pytest.fixture
def nights(tmp_path: Path) -> list[Night]:
    """Return a hundred nights of one engine, whose Runs are in the folder."""
    made = []
    for number in range(1, NIGHTS + 1):
        run = made_run("pi4", BEGIN + number * DAY, 0.1)
        path = tmp_path / run_file_name(run.began, "pi4", run.run_id)
        path.write_bytes(encode_record(run))  # without the syncs of `write_run`
        work = Measurement(
            model="digits", engine="pi4", state=MeasurementState.DELIVERED, run_id=run.run_id, run_file=path.name,
            bytes=path.stat().st_size,
        )  # fmt: skip
        made.append(Night(number=number, began=run.began, measurements=[work]))
    return made


def _finding(night: Night, before: Night) -> Finding:
    return Finding(
        model="digits", engine="pi4", machine="", verdict="slower", rule=Rule.HISTORY, since_night=night.number,
        configuration=Configuration(variant="a", runtime="b", threads=1, batch_size=1), since=night.began,
        run_id=night.measurements[0].run_id, last_good_run=before.measurements[0].run_id,
    )  # fmt: skip


def test_old_runs_move_into_archives_of_months_and_references_stay(tmp_path: Path, nights: list[Night]) -> None:
    nights[-1] = msgspec.structs.replace(nights[-1], findings=[_finding(nights[10], nights[9])])
    other = write_run(made_run("pi9", BEGIN - 300 * DAY, 0.1), tmp_path)  # not of a night
    files = {path.name: path.read_bytes() for path in tmp_path.glob("run-*.json")}
    now = BEGIN + (NIGHTS + 1) * DAY
    notes = retention.apply_retention(tmp_path, nights, now, 50, None)
    archives = sorted((tmp_path / "archive").iterdir())
    assert [path.name for path in archives] == ["runs-2026-03.tar.gz", "runs-2026-04.tar.gz"]
    assert len(notes) == 2
    left = {path.name for path in tmp_path.glob("run-*.json")}
    assert other.name in left
    assert {night.measurements[0].run_file for night in [*nights[9:11], *nights[-40:]]} <= left

    unpacked = tmp_path / "unpacked"
    for archive in archives:
        with tarfile.open(archive) as content:
            content.extractall(unpacked, filter="data")
    found = {path.name: path.read_bytes() for path in unpacked.iterdir()}
    assert found.keys() | left == files.keys()
    assert not found.keys() & left
    assert all(files[name] == data for name, data in found.items())
    assert all(read_run(path).complete for path in unpacked.iterdir())
    assert retention.apply_retention(tmp_path, nights, now, 50, None) == []


def test_a_power_cut_between_archive_and_removal_repeats_nothing(
    tmp_path: Path, nights: list[Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = BEGIN + (NIGHTS + 1) * DAY
    count = len(list(tmp_path.glob("run-*.json")))
    unlink = Path.unlink

    def cut(path: Path, **how: bool) -> None:
        if path.suffix == ".json":
            raise KeyboardInterrupt
        unlink(path, **how)

    monkeypatch.setattr(Path, "unlink", cut)
    with pytest.raises(KeyboardInterrupt):
        retention.apply_retention(tmp_path, nights, now, 50, None)
    monkeypatch.setattr(Path, "unlink", unlink)
    retention.apply_retention(tmp_path, nights, now, 50, None)
    members = []
    for archive in (tmp_path / "archive").glob("*.tar.gz"):
        with tarfile.open(archive) as content:
            members += content.getnames()
    assert len(members) == len(set(members))
    assert len(members) + len(list(tmp_path.glob("run-*.json"))) == count


def test_a_damaged_archive_keeps_the_runs(tmp_path: Path, nights: list[Night]) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "runs-2026-03.tar.gz").write_bytes(b"\x1f\x8bnot an archive")
    notes = retention.apply_retention(tmp_path, nights, BEGIN + (NIGHTS + 1) * DAY, 50, None)
    assert len(list(tmp_path.glob("run-*.json"))) == NIGHTS
    assert "runs-2026-03.tar.gz" in notes[0]


def test_old_archives_are_removed_but_not_by_a_clock_that_was_set_forward(tmp_path: Path, nights: list[Night]) -> None:
    text = 'results = "."\nkeep = "50d"\nkeep_archives = "200d"\n'
    settings = read_settings(settings_file(tmp_path, text))
    now = BEGIN + (NIGHTS + 1) * DAY
    retention.retention_notes(settings, nights, now)
    archives = sorted((tmp_path / "archive").iterdir())
    far = now + 3650 * DAY
    assert len(retention.retention_notes(settings, nights, far)) == 1
    assert sorted((tmp_path / "archive").iterdir()) == archives
    later = [*nights, Night(number=101, began=far.isoformat()), Night(number=102, began=(far + DAY).isoformat())]
    retention.retention_notes(settings, later, far + DAY)
    assert not any(path in archives for path in (tmp_path / "archive").iterdir())


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_night_that_does_not_fit_is_refused(
    tmp_path: Path, nights: list[Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 40, 0, 64 << 20))
    with pytest.raises(DiskFull) as caught:
        disk.require_night_space(tmp_path, nights)
    assert caught.value.exit_code == 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 40, 0, 65 << 20))
    disk.require_night_space(tmp_path, nights)


def test_what_belongs_to_a_run_in_use_stays_whatever_a_wrong_clock_says(
    tmp_path: Path, nights: list[Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(folder: str, number: int, suffix: str = "json") -> Path:
        path = tmp_path / "nights" / folder / f"run-20240101T000000Z-pi4-{number}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        return path

    kept = [made("more", 1), made("confirmations", 1)]
    journal, others = made("unfinished", 1, "journal"), [made("more", 2), made("confirmations", 2)]
    again = Confirmation(kind=ConfirmationKind.REPEATED, run_file=kept[1].name)
    finding = msgspec.structs.replace(_finding(nights[-1], nights[-2]), confirmation=again)
    work = msgspec.structs.replace(nights[-1].measurements[0], more_runs=[kept[0].name])
    nights[-1] = msgspec.structs.replace(nights[-1], measurements=[work], findings=[finding])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(retention, "_add", full)
    now = datetime.datetime.now(datetime.UTC)
    notes = retention.apply_retention(tmp_path, nights, now, 50, None)
    assert len(list(tmp_path.glob("run-*.json"))) == NIGHTS
    assert any("no space left" in note for note in notes)
    assert all(path.exists() for path in [*kept, journal])
    assert not any(path.exists() for path in others)  # although no archive could be written
    retention.apply_retention(tmp_path, nights, now + 51 * DAY, 50, None)
    assert not journal.exists()


def test_all_records_count_for_retention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_READ_NIGHTS", 2)
    monkeypatch.setattr(retention, "_MIN_RUNS", 2)
    nights = Nights(settings_file(tmp_path, 'keep = "1d"\n', ["pi4"]), FakeFleet(lambda *_: ""))
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)
    for _ in range(5):
        nights.night()
        nights.now += datetime.timedelta(hours=6)
    nights.now += 3 * DAY
    nights.night()
    assert len(list(nights.results.glob("run-*.json"))) == 2
    with tarfile.open(nights.results / "archive" / "runs-2026-03.tar.gz") as content:
        assert len(content.getnames()) == 4


@pytest.mark.parametrize("helps", [True, False])
def test_a_full_disk_is_notified_of_unless_old_files_can_be_removed(
    helps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(settings_file(tmp_path, f'keep = "50d"\n{telling(tmp_path)}', ["pi4"]), FakeFleet(lambda *_: ""))
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)
    old = nights.results / "nights" / "more" / ("run-20250101T000000Z-pi4-1.json" if helps else "other.json")
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(1 << 40, 0, 0 if old.exists() else 1 << 40))
    if helps:
        assert nights.night().notes
        assert not old.exists()
        assert not told(tmp_path)
        return
    for _ in range(2):
        with pytest.raises(DiskFull):
            nights.night()
    assert not list(nights.results.glob("nights/night-*"))
    first, _ = told(tmp_path)
    assert first["night"] == 0
    assert str(nights.results) in first["warnings"][0]
    (tmp_path / "tell.sh").unlink()
    with pytest.raises(DiskFull) as caught:
        nights.night()
    assert "command: " in caught.value.problem


def test_a_disk_that_fills_up_is_reported_once_for_each_threshold(
    tmp_path: Path, nights: list[Night], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, free, warned = 100 << 20, 6_000 << 20, []
    past: list[Night] = []
    for night in nights[:50]:
        free -= lost
        monkeypatch.setattr(shutil, "disk_usage", lambda _, now=free: _Usage(1 << 40, 0, now))
        warning, now_free = disk.disk_warning(tmp_path, past)
        if warning:
            warned.append((free - (64 << 20)) // lost)
        past.append(msgspec.structs.replace(night, free_bytes=now_free))
    assert warned[:2] == [30, 15]
    assert len(warned) <= 3


def test_an_engine_is_named_with_the_night_since_which_it_is_silent() -> None:
    def night(number: int, **states: MeasurementState) -> Night:
        works = [
            Measurement(model=model, engine=engine, state=state)
            for engine, state in states.items()
            for model in ("a", "b")
        ]
        return Night(number=number, began=f"2026-03-{number:02d}T02:30:00+00:00", measurements=works)

    delivered, silent, failed = MeasurementState.DELIVERED, MeasurementState.SILENT, MeasurementState.FAILED
    earlier = [night(1, x=delivered, y=delivered), night(2, x=silent, y=failed), night(3, y=failed), night(4, x=silent)]
    found = {each.engine: each for each in silent_engines(night(5, x=silent, y=failed), earlier, 3)}
    assert (found["x"].nights, found["x"].since_night, found["x"].answers, found["x"].reported) == (3, 2, False, True)
    assert (found["y"].nights, found["y"].since_night, found["y"].answers) == (3, 2, True)
    assert found["x"].last_delivered == "2026-03-01T02:30:00+00:00"


@pytest.mark.parametrize(("since_start", "seconds"), [(40.0, 260.0), (300.0, 0.0), (9e6, 0.0)])
def test_engines_are_waited_for_soon_after_the_start_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, since_start: float, seconds: float
) -> None:
    monkeypatch.setattr(time, "clock_gettime", lambda _: since_start)
    assert seconds_to_wait() == seconds
