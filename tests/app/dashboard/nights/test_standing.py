"""What is wrong now: changes that ended, engines that are back, nights that stopped, damaged and hostile records."""

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.app.dashboard.devices import devices_of
from edge_bench.app.dashboard.nights.overview import nights_now
from edge_bench.app.dashboard.nights.pages import NightPage, night_list_page
from edge_bench.app.dashboard.nights.reading import NightReader, run_path
from edge_bench.app.dashboard.nights.sentences import headline, notification, standing_lines
from edge_bench.app.dashboard.nights.standing import Standing, standing
from edge_bench.app.dashboard.pages import overview_page
from edge_bench.app.dashboard.snapshot import Snapshots
from edge_bench.app.nightly.judging.against_last import FAILS, LESS_ACCURATE
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import (
    Confirmation,
    ConfirmationKind,
    Delivery,
    Finding,
    Level,
    Measurement,
    MeasurementState,
    Night,
    NightState,
    Rule,
    SilentEngine,
)
from tests.app.dashboard.fleets import NOW, fleet, write_all
from tests.made.nights.whole import FINDING, NIGHT

DAY = 86_400.0
MARKUP = "<script>alert(1)</script>&\"'"
#: The morning after night 6 of `NIGHT`.
MORNING = datetime.datetime(2026, 3, 6, 8, tzinfo=datetime.UTC)


def night(number: int, *findings: Finding, correct: int | None = 9, times: bool = True, **fields: Any) -> Night:
    """Return a judged night in which pi5 delivered a Run, with or without times of the configuration."""
    level = Level(configuration=FINDING.configuration, seconds=0.1, trials=30, correct=correct, seen=10)
    delivered = Measurement(
        model="digits", engine="pi5", state=MeasurementState.DELIVERED, run_id=f"run{number}", run_file="run-x.json",
        levels=[level] if times else [],
    )  # fmt: skip
    made = Night(
        number=number, began=f"2026-03-{number:02}T02:30:00+00:00", state=NightState.DONE, judged=True,
        findings=list(findings), measurements=[delivered],
    )  # fmt: skip
    return msgspec.structs.replace(made, **fields)


def changed(verdict: str, since: int, **fields: Any) -> Finding:
    return msgspec.structs.replace(FINDING, verdict=verdict, since_night=since, **fields)


def after(*nights: Night) -> Standing:
    found = standing(nights)
    assert found
    return found


def test_a_slowdown_lasts_until_the_next_change_of_its_times() -> None:
    slower, faster = changed("slower", 2), changed("faster", 4, reported=False)
    assert [each.night for each in after(night(2, slower), night(3)).found] == [2]
    assert after(night(2, slower), night(3), night(4, faster)).findings == [faster]
    unconfirmed = changed("slower", 4, reported=False)
    assert after(night(2, slower), night(4, unconfirmed)).findings == [slower]
    other_model = night(5, measurements=[Measurement(model="other", engine="pi5")])
    assert not after(night(2, slower), other_model).findings


def of_bundle(bundle: str, number: int, *findings: Finding) -> Night:
    """Return a night with a Run of a bundle."""
    made = night(number, *findings)
    works = [msgspec.structs.replace(work, bundle_sha256=bundle) for work in made.measurements]
    return msgspec.structs.replace(made, measurements=works)


@pytest.mark.parametrize(("later", "lasts"), [("b", True), ("a", False), ("c", False), ("ab", True)])
def test_a_change_of_times_ends_with_another_model(later: str, lasts: bool) -> None:
    slower = changed("slower", 2, rule=Rule.NEW_MODEL)
    nights = [of_bundle(bundle, number) for number, bundle in enumerate(later, 3)]
    assert bool(after(of_bundle("a", 1), of_bundle("b", 2, slower), *nights).findings) is lasts


def test_a_change_ends_if_its_configuration_is_no_longer_measured() -> None:
    fails = changed(FAILS, 2)
    broken = night(2, fails, times=False)
    for failed, lasts in (([FINDING.configuration], True), (None, True), ([], False)):
        (work,) = broken.measurements
        third = night(3, measurements=[msgspec.structs.replace(work, run_id="run3", failed=failed)])
        assert bool(after(night(1), broken, third).findings) is lasts


def test_a_faster_time_that_was_not_confirmed_ends_no_slowdown() -> None:
    rejected = Confirmation(kind=ConfirmationKind.REPEATED, confirmed=False)
    slower, faster = changed("slower", 2), changed("faster", 4, reported=False, confirmation=rejected)
    assert after(night(2, slower), night(4, faster)).findings == [slower]


def test_a_configuration_fails_until_it_has_times_again() -> None:
    fails = changed(FAILS, 2)
    assert after(night(1), night(2, fails, times=False), night(3, times=False)).findings == [fails]
    assert not after(night(1), night(2, fails, times=False), night(3)).findings


@pytest.mark.parametrize(("later", "lasts"), [(5, True), (8, True), (9, False), (None, True)])
def test_a_drop_of_accuracy_lasts_until_as_many_examples_are_correct_as_before(later: int | None, lasts: bool) -> None:
    drop = changed(LESS_ACCURATE, 2)
    found = after(night(1), night(2, drop, correct=5), night(3, correct=later)).findings
    assert bool(found) is lasts


def test_an_engine_is_silent_until_it_delivers_or_leaves_the_settings() -> None:
    silent = SilentEngine(engine="pi4", nights=1, since_night=2, since="2026-03-02T02:30:00+00:00", reason="no route")
    dead = Measurement(model="digits", engine="pi4", state=MeasurementState.SILENT)
    alive = msgspec.structs.replace(dead, state=MeasurementState.DELIVERED)
    pi5 = night(1).measurements
    second = night(2, silent=[silent], measurements=[*pi5, dead])
    assert after(second).silent == [silent]
    # a night in progress does not make an engine silent or alive before it has delivered
    waiting = msgspec.structs.replace(dead, state=MeasurementState.WAITING)
    running = night(3, measurements=[*pi5, waiting], judged=False, state=NightState.RUNNING)
    assert after(second, running).silent == [silent]
    assert after(second, running).running
    assert not after(second, msgspec.structs.replace(running, measurements=[*pi5, alive])).silent
    gone = after(second, night(3))
    assert (gone.silent, gone.gone) == ([], {"pi4": 2})
    assert not after(night(1), second, night(3, measurements=[*pi5, alive])).silent


def test_nights_that_stopped_are_named_first() -> None:
    now = after(night(5, FINDING))
    soon = datetime.datetime(2026, 3, 5, 8, tzinfo=datetime.UTC)
    assert headline(now, soon, 1.5 * DAY).startswith("Slower on pi5")
    late = headline(now, soon + datetime.timedelta(days=4), 1.5 * DAY)
    assert late.startswith("No night since 2026-03-05")
    assert "Slower on pi5" in late


def test_a_notification_that_was_not_sent_is_named_as_long_as_it_is_sent_again() -> None:
    delivery = Delivery(channel="mail", sent=False, reason="no relay")
    first = night(1, FINDING, deliveries=[delivery])
    for last, named in ((2, True), (14, True), (15, False)):
        lines = standing_lines(after(first, *(night(number) for number in range(2, last + 1))))
        assert any("no relay" in line and number == 1 for line, number in lines) is named
    cut_off = night(1, FINDING, state=NightState.INTERRUPTED)
    assert any("interrupted" in line for line, _ in standing_lines(after(cut_off, night(2))))
    assert "not sent" in notification(cut_off)
    assert "not sent" not in notification(night(1, state=NightState.INTERRUPTED, judged=False))


def test_an_engine_without_any_run_is_a_silent_device(tmp_path: Path) -> None:
    folder = write_all(fleet(1, 2), tmp_path / "results")
    dead = Measurement(model="digits", engine="pi4", state=MeasurementState.SILENT)
    write_night(msgspec.structs.replace(NIGHT, measurements=[*NIGHT.measurements, dead]), folder)
    snapshot = Snapshots([folder]).newest()
    devices = devices_of(snapshot, NOW, 30 * DAY, nights_now(snapshot.nights))
    assert [(each.name.split()[0], each.silent, each.silent_since_night) for each in devices] == [
        ("pi4", True, 5),
        ("pi0", False, None),
    ]
    assert "no Run" in overview_page(snapshot, NOW, 30 * DAY)


def test_a_device_of_a_silent_engine_is_silent_before_its_last_run_is_old(tmp_path: Path) -> None:
    runs = fleet(1, 2)
    folder = write_all(runs, tmp_path / "results")
    silent = SilentEngine(
        engine="pi0", nights=1, since_night=2, since=(NOW - datetime.timedelta(hours=3)).isoformat(),
        last_delivered=runs[-1].began,
    )  # fmt: skip
    work = Measurement(model="m", engine="pi0", state=MeasurementState.DELIVERED, run_id=runs[-1].run_id)
    dead = msgspec.structs.replace(work, state=MeasurementState.SILENT, run_id="")
    for each in (night(1, measurements=[work]), night(2, measurements=[dead], silent=[silent])):
        write_night(each, folder)
    snapshot = Snapshots([folder]).newest()
    (device,) = devices_of(snapshot, NOW, 1.5 * DAY, nights_now(snapshot.nights))
    assert (device.silent, device.silent_since_night) == (True, 2)


def test_a_damaged_record_is_named_and_breaks_no_page(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for each in (night(4), NIGHT):
        write_night(each, folder)
    (folder / "nights" / "night-000005.json").write_bytes(b'{"schema_version": "2.0", "number": 5, "began": "2026')
    (folder / "nights" / "night-000007.json").write_bytes(write_night(NIGHT, folder).read_bytes())  # of another number
    snapshot = Snapshots([folder]).newest()
    (nights,) = snapshot.nights
    assert (sorted(nights.damaged), [each.number for each in nights.nights]) == ([5, 7], [4, 6])
    assert nights.read(5)[0] is None
    assert "night-000005.json" in nights.read(5)[1]
    page = overview_page(snapshot, MORNING, 1.5 * DAY)
    assert page.count("the record is damaged") == 2
    assert "Slower on pi5" in page
    assert 'href="/nights/1/5"' in NightPage(nights, nights.nights[1], ()).page(MORNING)

    for number in (4, 6):
        (folder / "nights" / f"night-{number:06d}.json").write_bytes(b"")
    snapshot = Snapshots([folder]).newest()
    assert "No record of a night" in overview_page(snapshot, MORNING, 1.5 * DAY)


def test_no_name_in_a_record_becomes_markup_or_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    hostile = msgspec.convert(_with_markup(msgspec.to_builtins(NIGHT)), Night)
    write_night(hostile, folder)
    snapshot = Snapshots([folder]).newest()
    (nights,) = snapshot.nights
    pages = [
        overview_page(snapshot, MORNING, 1.5 * DAY),
        night_list_page(nights, MORNING),
        NightPage(nights, nights.nights[0], {hostile.findings[0].run_id}).page(MORNING),
    ]
    for page in pages:
        assert "<script" not in page
        assert 'alert(1)"' not in page
    assert all("&lt;script&gt;" in page for page in pages)
    # a name of a file that a record must not lead to
    secret = tmp_path / "run-secret.json"
    secret.write_text("{}")
    for name in ("../run-secret.json", str(secret), "edge-bench.toml", ""):
        work = msgspec.structs.replace(NIGHT.measurements[0], run_file=name, more_runs=[name])
        assert run_path(folder, msgspec.structs.replace(NIGHT, measurements=[work], findings=[]), name) is None


def _with_markup(value: Any, key: str = "") -> Any:
    """Return a record in which every text that is no keyword has HTML."""
    kept = {"schema_version", "state", "rule", "kind", "since", "began", "ended"}
    if isinstance(value, dict):
        return {name: _with_markup(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_markup(each, key) for each in value]
    return f"{value}{MARKUP}" if isinstance(value, str) and key not in kept else value


def test_a_record_is_read_again_when_it_changes(tmp_path: Path) -> None:
    write_night(night(1), tmp_path)
    reader = NightReader([tmp_path])
    (first,) = reader.newest()
    (again,) = reader.newest()
    assert again.nights[0] is first.nights[0]
    write_night(night(1, FINDING), tmp_path)
    write_night(night(2), tmp_path)
    (later,) = reader.newest()
    assert [len(each.findings) for each in later.nights] == [1, 0]
    assert NightReader([tmp_path / "none", tmp_path / "nights" / "night-000001.json"]).newest() == []
