"""What the first line and the notes of a night say: nothing measured, too early, no change, missing records."""

from pathlib import Path

import numpy as np

from edge_bench.app.nightly.notify.answer import answer_line
from edge_bench.app.nightly.notify.message import engine_line
from edge_bench.bench.records.nights.files import night_files, read_recent_nights
from edge_bench.bench.records.run import Run
from tests.made.nights.fleet import FakeFleet, Nights, made_run, settings_file


def quiet(folder: Path, *, dead_from: int = 99) -> Nights:
    """Nights of three engines without a change; pi4 dies in a night."""
    generator = np.random.default_rng(3)
    nights = Nights(settings_file(folder), FakeFleet(lambda *_: ""))

    def make(engine: str, _: str) -> Run | str:
        if engine == "pi4" and max(night_files(nights.results)) >= dead_from:
            return "no route to host"
        return made_run(engine, nights.now, 0.1 * generator.lognormal(0, 0.01))

    nights.fleet.make = make
    return nights


def test_no_change_is_said_only_after_a_comparison_that_could_have_found_one(tmp_path: Path) -> None:
    nights, made = quiet(tmp_path, dead_from=4), []
    for _ in range(4):
        made.append(nights.night())
        nights.next_day()
    assert not any(night.findings for night in made)
    lines = [answer_line(night).partition(":") for night in made]
    assert [first.split(" in night")[0] for first, _, _ in lines] == ["Too early to say"] * 3 + ["No change"]
    assert [rest.split()[0] for _, _, rest in lines[:3]] == ["3", "2", "1"]  # more nights
    assert "3 earlier nights; 2 of 3 Runs" in lines[3][2]
    assert {level.nights_before for each in made[3].measurements for level in each.levels} == {3}


def test_a_night_without_a_run_has_no_answer(tmp_path: Path) -> None:
    night = quiet(tmp_path, dead_from=1)
    night.fleet.make = lambda *_: "no route to host"
    made = night.night()
    assert answer_line(made).startswith("No answer in night 1: 0 of 3 Runs")
    for engine in made.silent:
        assert engine_line(engine).count("night") == 1


def test_records_that_are_missing_are_noted_once(tmp_path: Path) -> None:
    nights, noted = quiet(tmp_path), []
    for gone in ([], [], [1, 2], [], [], [2], []):  # records that are removed before the night
        for number in gone:
            night_files(nights.results)[number].unlink()
        night = nights.night()
        noted.append((night.number, sum("are missing" in note or "without the record" in note for note in night.notes)))
        nights.next_day()
    # without any record, the numbers start again; with a later one, they go on
    assert noted == [(1, 0), (2, 0), (1, 1), (2, 0), (3, 0), (4, 1), (5, 0)]
    first, _, fourth, _ = read_recent_nights(nights.results, 9)[0]
    assert any("6 Runs" in note for note in first.notes)
    assert any("night 2 " in note for note in fourth.notes)
