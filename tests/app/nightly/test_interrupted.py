"""Nights that are interrupted at any moment lose and repeat nothing, and are notified of."""

import contextlib
import datetime
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.nightly.notify.channels import CHANNELS
from edge_bench.app.nightly.settings.reading import Model
from edge_bench.app.nightly.work import staging
from edge_bench.app.nightly.work.outcome import Request
from edge_bench.bench.records.nights.files import read_recent_nights, write_night
from edge_bench.bench.records.nights.night import MeasurementState, NightState
from edge_bench.bench.records.run_files import read_run, write_run
from tests.made.nights.fleet import BEGIN, ENGINES, FakeFleet, Nights, made_run, settings_file, telling, told


class PowerCut(BaseException):
    """The end of the process at any moment, for which no code is prepared."""


def _cut_at(step: int, nights: Nights, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Cut the power at the given step of those that change the disk; return a function that returns their number."""
    steps = Counter[str]()

    def counted(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            steps["all"] += 1
            if steps["all"] == step:
                raise PowerCut
            return function(*arguments, **keywords)

        return call

    monkeypatch.setattr("edge_bench.app.nightly.job.write_night", counted(write_night))
    monkeypatch.setattr("edge_bench.app.nightly.notify.send.write_night", counted(write_night))
    monkeypatch.setattr("edge_bench.app.nightly.job.publish", counted(staging.publish))
    monkeypatch.setattr("edge_bench.app.nightly.job.remove_staging", counted(staging.remove_staging))
    nights.fleet.before = counted(lambda _: None)  # type: ignore[assignment]
    return lambda: steps["all"]


@pytest.mark.slow
def test_a_power_cut_at_any_step_loses_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        nights = Nights(settings_file(folder, "[run]\nruns_per_night = 2\n"), FakeFleet(lambda *_: ""))
        nights.fleet.make = lambda engine, _, at=nights: made_run(engine, at.now, 0.1)  # type: ignore[misc]
        with monkeypatch.context() as patch:
            _cut_at(step, nights, patch)
            try:
                nights.night()
                break  # there are fewer steps
            except PowerCut:
                pass
        nights.fleet.before = lambda _: None
        nights.uptime += 600
        night = nights.night()
        delivered = [each for each in read_recent_nights(nights.results, 9)[0] if each.state is NightState.DONE]
        runs = [read_run(path) for path in nights.results.glob("run-*.json")]
        # a cut after the last step of a night lets the next command begin another one
        assert len(runs) == 3 * len(delivered), step
        assert Counter(run.machine.hostname for run in runs) == dict.fromkeys(ENGINES, len(delivered)), step
        assert {each.run_id for made in delivered for each in made.measurements} == {run.run_id for run in runs}, step
        more = [name for made in delivered for each in made.measurements for name in each.more_runs]
        assert len(more) == len(set(more)) == 3 * len(delivered), step
        assert {path.name for path in (nights.results / "nights" / "more").iterdir()} == set(more), step
        assert night.number == len(delivered)
        assert not list((nights.results / "nights").glob("staging-*")), step
    assert step > 8


@pytest.mark.slow
@pytest.mark.parametrize("second", [0, 1, 2, 3, 4])
def test_a_power_cut_at_any_step_and_while_the_night_is_closed_loses_no_run(
    second: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = closed = 0
    while True:
        step += 1
        folder = tmp_path / str(step)
        folder.mkdir()
        nights = Nights(settings_file(folder, "[run]\nruns_per_night = 2\n"), FakeFleet(lambda *_: ""))
        nights.fleet.make = lambda engine, _, at=nights: made_run(engine, at.now, 0.1)  # type: ignore[misc]
        with monkeypatch.context() as patch:
            _cut_at(step, nights, patch)
            try:
                nights.night()
                break  # there are fewer steps
            except PowerCut:
                pass
        nights.fleet.before = lambda _: None
        nights.next_day()
        nights.boot = "boot-2"
        with monkeypatch.context() as patch, contextlib.suppress(PowerCut):
            _cut_at(second, nights, patch)
            nights.resume()
        nights.resume()
        recorded = read_recent_nights(nights.results, 9)[0]
        if not recorded or recorded[0].state is NightState.DONE:
            continue
        closed += 1
        works = recorded[0].measurements
        assert recorded[0].state is NightState.INTERRUPTED
        assert {path.name for path in nights.results.glob("run-*.json")} == {each.run_file for each in works} - {""}
        further = [name for each in works for name in each.more_runs]
        assert sorted(path.name for path in nights.results.glob("nights/more/*")) == sorted(further)
        assert len(further) + sum(bool(each.run_file) for each in works) == len(nights.fleet.calls), step
    assert closed > 8


def test_a_night_that_was_interrupted_long_ago_is_closed_with_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(settings_file(tmp_path), FakeFleet(lambda *_: ""))
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)
    measured = iter([True, False])

    def cut(_: str) -> None:
        if not next(measured):
            raise PowerCut

    nights.fleet.before = cut
    with pytest.raises(PowerCut):
        nights.night()
    nights.fleet.before = lambda _: None
    nights.next_day()
    nights.boot = "boot-2"
    night = nights.night()
    first, second = read_recent_nights(nights.results, 9)[0]
    assert (first.number, first.state, second.number, second.state) == (1, NightState.INTERRUPTED, 2, NightState.DONE)
    assert [each.state for each in first.measurements].count(MeasurementState.DELIVERED) == 1
    assert not night.silent
    assert len(list(nights.results.glob("run-*.json"))) == 4


@pytest.mark.parametrize("hours", [1, 30])
def test_resume_continues_or_closes_an_interrupted_night_and_begins_none(hours: int, tmp_path: Path) -> None:
    def cut(_: str) -> None:
        raise PowerCut

    nights = Nights(settings_file(tmp_path), FakeFleet(lambda *_: ""))
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)
    assert nights.resume() is None
    nights.night()
    assert nights.resume() is None
    nights.next_day()
    nights.fleet.before = cut
    with pytest.raises(PowerCut):
        nights.night()
    nights.fleet.before = lambda _: None
    nights.boot, nights.now = "boot-2", nights.now + datetime.timedelta(hours=hours)
    night = nights.resume()
    states = [each.state for each in read_recent_nights(nights.results, 9)[0]]
    if hours < 12:
        assert night
        assert (night.number, night.state) == (2, NightState.DONE)
        assert len(list(nights.results.glob("run-*.json"))) == 6
    else:
        assert night is None
        assert states == [NightState.DONE, NightState.INTERRUPTED]
    assert nights.resume() is None


def test_a_night_that_ends_while_it_notifies_is_notified_of_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(settings_file(tmp_path, telling(tmp_path), ["pi4"]), FakeFleet(lambda *_: "no route to host"))

    def cut(*_: object) -> tuple[str, int]:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setitem(CHANNELS, "command", cut)
        with pytest.raises(PowerCut):
            nights.night()
    assert not told(tmp_path)
    nights.next_day()
    nights.boot = "boot-2"
    assert nights.resume() is None
    (message,) = told(tmp_path)
    assert (message["night"], [each["engine"] for each in message["silent"]]) == (1, ["pi4"])
    (night,) = read_recent_nights(nights.results, 9)[0]
    assert (night.state, [each.sent for each in night.deliveries]) == (NightState.INTERRUPTED, [True])
    nights.night()
    assert [each["night"] for each in told(tmp_path)] == [1, 2]


@pytest.mark.parametrize(("calls", "further"), [(1, 0), (3, 1)])
def test_a_closed_night_keeps_the_runs_of_engines_that_left_the_settings(
    calls: int, further: int, tmp_path: Path
) -> None:
    text = "[run]\nruns_per_night = 2\n"
    nights = Nights(settings_file(tmp_path, text, ["pi4", "pi5"]), FakeFleet(lambda *_: ""))
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)

    def cut(_: str) -> None:
        if len(nights.fleet.calls) == calls:
            raise PowerCut

    nights.fleet.before = cut
    with pytest.raises(PowerCut):
        nights.night()
    settings_file(tmp_path, text, ["pi5"])
    nights.fleet.before = lambda _: None
    assert nights.resume() is None
    (night,) = read_recent_nights(nights.results, 9)[0]
    pi4, pi5 = night.measurements
    assert night.state is NightState.INTERRUPTED
    assert (pi4.engine, pi4.state, len(pi4.more_runs)) == ("pi4", MeasurementState.DELIVERED, further)
    assert (pi5.state is MeasurementState.DELIVERED) == bool(further)
    assert (nights.results / pi4.run_file).is_file()
    assert {path.name for path in nights.results.glob("nights/more/*")} == set(pi4.more_runs)
    assert pi4.bytes == sum(path.stat().st_size for path in nights.results.rglob(f"run-*{pi4.engine}*.json"))


def test_a_run_without_times_is_not_kept_as_one(tmp_path: Path) -> None:
    request = Request(Model("digits", None, (), ()), ["pi4"], tmp_path)
    request.fleet_folder.mkdir()
    write_run(msgspec.structs.replace(made_run("pi4", BEGIN, 0.1), results=[]), request.fleet_folder)
    assert staging.staged_outcomes(request) == []


def test_a_changed_fleet_file_closes_the_night(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.toml"
    engine = '[[engine]]\nname = "{0}"\nurl = "ssh://me@{0}"\n'
    fleet.write_text(engine.format("pi4") + engine.format("pi5"))
    nights = Nights(settings_file(tmp_path, '[fleet]\nfile = "fleet.toml"\n', []), FakeFleet(lambda *_: ""))

    def cut(_: str) -> None:
        raise PowerCut

    nights.fleet.make, nights.fleet.before = lambda engine, _: made_run(engine, nights.now, 0.1), cut
    with pytest.raises(PowerCut):
        nights.night()
    fleet.write_text(engine.format("pi5"))
    nights.fleet.before = lambda _: None
    night = nights.night()
    assert (night.number, [each.engine for each in night.measurements], night.silent) == (2, ["pi5"], [])
    fleet.write_text(engine.format("pi5") + "# another comment\n")
    assert nights.settings.sha256 != night.settings_sha256
