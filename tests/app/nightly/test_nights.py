"""Nights on three engines: what is found and reported."""

import datetime
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.nightly.work.lock import night_lock
from edge_bench.bench.records.nights.files import night_files, read_nights
from edge_bench.bench.records.nights.night import ConfirmationKind, Rule
from edge_bench.bench.records.run import Run
from tests.command_line import Refuses
from tests.made.nights.fleet import FakeFleet, Nights, made_run, settings_file, telling, told

SLOW_NIGHT, DEAD_NIGHT = 5, 4


@pytest.fixture
def teller(tmp_path: Path) -> str:
    """Return settings with a command that appends each notification to the file ``told``."""
    return telling(tmp_path)


def week(folder: Path, text: str = "", *, slowdown: float = 0.05, deviation: float = 0.002) -> Nights:
    """Nights of three engines: pi4 dies in the fourth, pi5 is slower from the fifth on."""
    generator = np.random.default_rng(3)
    nights = Nights(settings_file(folder, text), FakeFleet(lambda *_: ""))

    def make(engine: str, _: str) -> Run | str:
        number = max(night_files(nights.results))
        if engine == "pi4" and number >= DEAD_NIGHT:
            return "no route to host"
        slower = 1 + slowdown if engine == "pi5" and number >= SLOW_NIGHT else 1.0
        return made_run(engine, nights.now, 0.1 * slower * generator.lognormal(0, deviation))

    nights.fleet.make = make
    return nights


@pytest.mark.slow
def test_a_week_in_which_one_engine_dies_and_one_slows_down(tmp_path: Path, teller: str) -> None:
    nights = week(tmp_path, teller)
    made = []
    for _ in range(7):
        made.append(nights.night())
        nights.next_day()

    (finding,) = [finding for night in made for finding in night.reported]
    assert (finding.engine, finding.verdict, finding.rule) == ("pi5", "slower", Rule.EARLY)
    assert finding.since_night == SLOW_NIGHT
    assert finding.ratio
    assert finding.ratio.value == pytest.approx(1.05, abs=0.01)
    assert finding.ratio.low
    assert finding.ratio.low > 1.02
    assert finding.confirmation
    assert finding.confirmation.kind is ConfirmationKind.REPEATED
    assert finding.confirmation.confirmed
    assert (nights.results / "nights" / "confirmations" / finding.confirmation.run_file).is_file()

    silent = [engine for night in made for engine in night.silent]
    assert {(each.engine, each.since_night) for each in silent} == {("pi4", DEAD_NIGHT)}
    assert [each.nights for each in silent] == [1, 2, 3, 4]
    assert [each.reported for each in silent] == [True, True, False, True]

    messages = told(tmp_path)
    named = [(message["night"], [change["engine"] for change in message["changes"]]) for message in messages]
    assert (DEAD_NIGHT, []) in named
    assert any(engines == ["pi5"] for _, engines in named)
    about = next(message for message in messages if message["changes"])
    for part in ("pi5", "night 5", "1.05×", "digits"):
        assert part in str(about["subject"])
    # the history sees one Run of each engine and night, and no second measurement
    assert len(list(nights.results.glob("run-*.json"))) == 3 * 7 - 4


def test_quiet_nights_report_nothing(tmp_path: Path, teller: str) -> None:
    nights = week(tmp_path, teller, slowdown=0.0, deviation=0.01)
    for _ in range(3):  # before pi4 dies
        assert not nights.night().findings
        nights.next_day()
    assert not told(tmp_path)


@pytest.mark.slow
def test_a_change_that_the_second_measurement_does_not_show_is_not_reported(tmp_path: Path, teller: str) -> None:
    nights = week(tmp_path, teller)
    make = nights.fleet.make

    def only_once(engine: str, what: str) -> Run | str:
        return made_run(engine, nights.now, 0.1) if what else make(engine, what)

    nights.fleet.make = only_once
    for _ in range(6):
        night = nights.night()
        nights.next_day()
    (finding,) = night.findings
    assert finding.confirmation
    assert finding.confirmation.confirmed is False
    assert not night.reported


def test_a_drop_of_accuracy_on_the_same_examples_is_reported_with_what_changed(tmp_path: Path, teller: str) -> None:
    nights = Nights(settings_file(tmp_path, teller, ["pi4"]), FakeFleet(lambda *_: ""))
    states = iter([{"wrong": 5}, {"wrong": 30, "kernel": "6.6"}, {"wrong": 30, "kernel": "6.6"}])
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1, **next(states))  # type: ignore[arg-type]
    found = []
    for _ in range(3):
        found.append(nights.night().reported)
        nights.next_day()
    assert [len(each) for each in found] == [0, 1, 0]
    (finding,) = found[1]
    assert (finding.verdict, finding.rule, finding.points) == ("less accurate", Rule.ACCURACY, -25.0)
    assert finding.points_high is not None
    assert finding.points_high < 0
    assert "kernel 6.1 → 6.6" in finding.differences
    assert "kernel 6.1 → 6.6" in str(told(tmp_path)[0]["text"])


def test_a_new_model_whose_old_bundle_is_gone_is_not_called_slower(tmp_path: Path) -> None:
    nights = Nights(settings_file(tmp_path, "", ["pi4"]), FakeFleet(lambda *_: ""))
    runs = iter([("b", 0.1), ("c", 0.2)])

    def make(engine: str, _: str) -> Run:
        bundle, seconds = next(runs)
        return made_run(engine, nights.now, seconds, bundle=bundle)

    nights.fleet.make = make
    nights.night()
    nights.next_day()
    night = nights.night()
    (finding,) = night.findings
    assert finding.rule is Rule.NEW_MODEL
    assert finding.confirmation
    assert finding.confirmation.kind is ConfirmationKind.NONE
    assert finding.confirmation.reason
    assert not night.reported


@pytest.mark.slow
def test_nights_keep_their_order_if_the_clock_is_set_back(tmp_path: Path) -> None:
    nights = week(tmp_path)
    noted, found = [], []
    for number in range(1, 8):
        night = nights.night()
        noted += [number] if any("set back" in note for note in night.notes) else []
        found += night.reported
        nights.next_day()
        if number == 5:
            nights.now -= datetime.timedelta(days=40)
    assert noted == [6]
    assert [(finding.engine, finding.since_night) for finding in found] == [("pi5", SLOW_NIGHT)]


@pytest.mark.slow
def test_a_second_scheduler_is_refused_and_changes_nothing(tmp_path: Path, refuses: Refuses) -> None:
    path = settings_file(tmp_path)
    with night_lock(tmp_path / "results") as handle:
        before = sorted(tmp_path.rglob("*"))
        holder = subprocess.Popen(["sleep", "60"], cwd=tmp_path, pass_fds=(handle,))
        error = refuses("nightly", path)
        holder.kill()
        holder.wait()
        assert error.exit_code == 2
        assert f"process {holder.pid}" in error.problem
        assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_record_is_noted_and_its_number_is_not_used_again(tmp_path: Path) -> None:
    nights = week(tmp_path)
    nights.night()
    nights.next_day()
    nights.night()
    path = list(night_files(nights.results).values())[-1]
    path.write_bytes(path.read_bytes()[:100])
    nights.next_day()
    night = nights.night()
    assert night.number == 3
    assert any(str(path) in note for note in night.notes)


def test_a_record_survives_a_round_trip_and_needs_its_own_name(tmp_path: Path) -> None:
    nights = week(tmp_path)
    night = nights.night()
    (path,) = night_files(nights.results).values()
    assert read_nights([path])[0] == [night]
    other = path.with_name("night-000007.json")
    path.rename(other)
    made, notes = read_nights([other])
    assert not made
    assert len(notes) == 1
    assert msgspec.json.decode(other.read_bytes())["number"] == 1
