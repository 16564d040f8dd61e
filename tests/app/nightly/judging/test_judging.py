"""Which changes a night reports after earlier changes, closed nights, interruptions and errors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_bench.app.dashboard.nights.standing import standing
from edge_bench.app.nightly.judging.against_last import FAILS
from edge_bench.app.nightly.notify.message import message_of
from edge_bench.app.nightly.work import staging
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.bench.records.nights.files import read_recent_nights
from edge_bench.bench.records.nights.night import ConfirmationKind, Finding, MeasurementState, Night, NightState, Rule
from edge_bench.bench.records.run import Run
from tests.made.nights.fleet import FakeFleet, Nights, made_run, settings_file

#: The variation from night to night.
NOISE = (1.0, 1.001, 0.999, 1.0005)


class PowerCut(BaseException):
    """The end of the process at any moment, for which no code is prepared."""


def nights_of(folder: Path, times: Callable[[int], float]) -> Nights:
    """Nights of an engine, with its time in each."""
    nights = Nights(settings_file(folder, "", ["pi4"]), FakeFleet(lambda *_: ""))

    def make(engine: str, _: str) -> Run:
        number = number_of(nights)
        return made_run(engine, nights.now, 0.1 * times(number) * NOISE[number % len(NOISE)])

    nights.fleet.make = make
    return nights


def number_of(nights: Nights) -> int:
    return read_recent_nights(nights.results, 1)[0][-1].number


def made(nights: Nights, count: int) -> list[Night]:
    """Run so many nights."""
    found = []
    for _ in range(count):
        found.append(nights.night())
        nights.next_day()
    return found


def findings_of(nights: list[Night]) -> list[Finding]:
    return [finding for night in nights for finding in night.findings]


def cut(*_: object) -> None:
    raise PowerCut


def test_another_slowdown_soon_after_a_reported_one_is_reported(tmp_path: Path) -> None:
    nights = made(nights_of(tmp_path, lambda night: 1.0 if night < 5 else 1.06 if night < 8 else 1.6), 9)
    reported = [finding for night in nights for finding in night.reported]
    assert [(each.verdict, each.since_night) for each in reported] == [("slower", 5), ("slower", 8)]


def test_a_return_to_the_usual_time_after_a_faster_one_is_a_slowdown(tmp_path: Path) -> None:
    nights = made(nights_of(tmp_path, lambda night: 0.9 if 5 <= night < 9 else 1.0), 10)
    found = [(each.verdict, each.since_night, each.reported) for each in findings_of(nights)]
    assert found == [("faster", 5, False), ("slower", 9, True)]


@pytest.mark.parametrize("slow", [{5}, {5, 6}])
def test_a_slowdown_of_one_or_two_nights_ends(slow: set[int], tmp_path: Path) -> None:
    nights = made(nights_of(tmp_path, lambda night: 1.1 if night in slow else 1.0), 9)
    found = [(each.verdict, each.since_night) for each in findings_of(nights)]
    assert found == [("slower", 5), ("faster", max(slow) + 1)]
    now = standing(nights)
    assert now
    assert [each.verdict for each in now.findings] == ["faster"]


@pytest.mark.slow
def test_a_creep_is_reported_once(tmp_path: Path) -> None:
    nights = made(nights_of(tmp_path, lambda night: 1.001 ** max(0, night - 15)), 60)
    reported = [finding for night in nights for finding in night.reported]
    assert [each.verdict for each in reported] == ["slower"]
    assert reported[0].confirmation
    assert reported[0].confirmation.confirmed


def test_changes_in_a_night_that_was_closed_before_its_comparison_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = nights_of(tmp_path, lambda _: 1.0)
    first = nights.night()

    def make(engine: str, _: str) -> Run:
        return made_run(engine, nights.now, 0.2, bundle="c", wrong=30)

    nights.fleet.make = make
    nights.next_day()
    with monkeypatch.context() as patch:
        patch.setattr("edge_bench.app.nightly.job.disk_warning", cut)
        with pytest.raises(PowerCut):
            nights.night()
    nights.next_day()
    nights.boot = "boot-2"
    made(nights, 2)
    _, closed, third, fourth = read_recent_nights(nights.results, 9)[0]
    assert (closed.state, closed.judged) == (NightState.INTERRUPTED, False)
    assert {finding.rule for finding in third.findings} == {Rule.ACCURACY, Rule.NEW_MODEL}
    assert {finding.last_good_run for finding in third.findings} == {first.measurements[0].run_id}
    assert not fourth.findings
    now = standing([first, closed, third, fourth])
    assert now
    assert [each.rule for each in now.findings] == [Rule.ACCURACY]


@dataclass
class OneBreaks(FakeFleet):
    """An engine that cannot measure the model "other" in some nights."""

    state: MeasurementState = MeasurementState.DELIVERED

    def measure(self, request: Request) -> list[EngineOutcome]:
        if request.model.name == "other" and self.state is not MeasurementState.DELIVERED:
            return [EngineOutcome(engine, self.state, "it crashed") for engine in request.engines]
        return super().measure(request)


@pytest.mark.parametrize(
    ("broken", "found_in"),
    [(MeasurementState.FAILED, 2), (MeasurementState.SILENT, 3)],
)
def test_a_model_that_fails_completely_is_reported_once(
    broken: MeasurementState, found_in: int, tmp_path: Path
) -> None:
    text = '[run]\nruns_per_night = 1\n[notify]\nsilent_after = 2\n[[model]]\nname = "other"\nbundle = "bundle"\n'
    fleet = OneBreaks(lambda *_: "")
    nights = Nights(settings_file(tmp_path, text, ["pi4"]), fleet)
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1)
    done = made(nights, 1)
    fleet.state = broken
    done += made(nights, 3)
    (finding,) = findings_of(done)
    assert (finding.model, finding.verdict, finding.since_night, finding.reported) == ("other", FAILS, 2, True)
    assert [night.number for night in done if night.reported] == [found_in]
    assert not any(night.silent for night in done)
    assert "it crashed" in message_of(done[found_in - 1], nights.results).text
    now = standing(done)
    assert now
    assert now.findings == [finding]
    fleet.state = MeasurementState.DELIVERED
    done += made(nights, 1)
    now = standing(done)
    assert now
    assert not now.findings


def test_an_error_in_the_second_measurement_loses_no_change(tmp_path: Path) -> None:
    nights = nights_of(tmp_path, lambda _: 1.0)
    made(nights, 4)

    def make(engine: str, what: str) -> Run:
        if what:
            raise OSError("the disk is full")
        return made_run(engine, nights.now, 0.11, wrong=30)

    nights.fleet.make = make
    night = nights.night()
    assert {finding.rule for finding in night.reported} == {Rule.ACCURACY, Rule.EARLY}
    (slower,) = [finding for finding in night.findings if finding.rule is Rule.EARLY]
    assert slower.confirmation
    assert slower.confirmation.kind is ConfirmationKind.NONE
    assert "the disk is full" in slower.confirmation.reason


def test_a_bundle_that_is_replaced_before_the_second_measurement_confirms_nothing(tmp_path: Path) -> None:
    nights = nights_of(tmp_path, lambda _: 1.0)
    made(nights, 4)
    nights.fleet.make = lambda engine, what: made_run(engine, nights.now, 0.11, bundle="c" if what else "b")
    (finding,) = nights.night().reported
    assert finding.confirmation
    assert (finding.confirmation.kind, finding.confirmation.confirmed) == (ConfirmationKind.NONE, None)


def _cut_before_the_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("edge_bench.app.nightly.job.disk_warning", cut)


def _cut_after_the_record(patch: pytest.MonkeyPatch) -> None:
    def publish(night: Night, results: Path) -> None:
        if night.judged:
            raise PowerCut
        staging.publish(night, results)

    patch.setattr("edge_bench.app.nightly.job.publish", publish)


@pytest.mark.parametrize("cut_at", [_cut_before_the_record, _cut_after_the_record])
def test_a_power_cut_in_the_comparison_neither_repeats_nor_loses_the_second_measurement(
    cut_at: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = nights_of(tmp_path, lambda night: 1.1 if night >= 5 else 1.0)
    made(nights, 4)
    with monkeypatch.context() as patch:
        cut_at(patch)
        with pytest.raises(PowerCut):
            nights.night()
    nights.uptime += 600
    night = nights.night()
    assert night.number == 5
    assert len(nights.fleet.calls) == 6  # five nights, and the second measurement
    (finding,) = night.reported
    assert finding.confirmation
    (kept,) = (nights.results / "nights" / "confirmations").iterdir()
    assert kept.name == finding.confirmation.run_file
