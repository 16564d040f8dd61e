"""`history` says what `nightly` has reported: the same change, since the same night."""

import datetime
import json
from pathlib import Path
from typing import Any

from edge_bench.bench.measure.stored.history import read_history
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.nights.night import Rule
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from tests.command_line import call_here
from tests.made.nights.fleet import FakeFleet, Nights, made_run, settings_file

SLOW_NIGHT = 5


def nights_of(folder: Path, *, confirmed: bool = True) -> Nights:
    """Nights of an engine that is slower from the fifth on, each of two Runs."""
    nights = Nights(settings_file(folder, "[run]\nruns_per_night = 2\n", ["pi4"]), FakeFleet(lambda *_: ""))
    made: list[int] = []

    def make(engine: str, what: str) -> Run:
        made.append(1)
        slower = len(made) > 2 * (SLOW_NIGHT - 1) and (not what or confirmed)
        return made_run(engine, nights.now, 0.1 * (1.05 if slower else 1.0) * (1 + 0.001 * (len(made) % 3)))

    nights.fleet.make = make
    return nights


def rows(results: Path) -> list[dict[str, Any]]:
    done = call_here("history", results, "--format", "jsonl", cwd=results)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_history_has_the_change_that_was_reported(tmp_path: Path) -> None:
    nights = nights_of(tmp_path)
    reported = []
    for number in range(1, 8):
        reported += nights.night().reported
        nights.next_day()
        if number == 3:  # the clock is set back by ten days
            nights.now -= datetime.timedelta(days=10)
    (finding,) = reported
    assert (finding.rule, finding.since_night) == (Rule.EARLY, SLOW_NIGHT)
    found = rows(nights.results)
    assert [row["night"] for row in found] == list(range(1, 8))  # in their order, with true times
    assert found[3]["began"] < found[0]["began"]
    (changed,) = [row for row in found if row["change"] == "slower"]
    assert (changed["night"], changed["run"]) == (SLOW_NIGHT, finding.run_id)
    assert finding.ratio
    assert changed["change_ratio"] == finding.ratio.value
    assert changed["change_ratio_low"] == finding.ratio.low
    alone = read_run(next(nights.results.glob("run-*.json")))
    assert {row["trials"] for row in found} == {2 * len(alone.results[0].trials)}
    assert "night 5" in call_here("history", nights.results, cwd=tmp_path).stdout.splitlines()[0]


def test_history_has_no_change_that_was_not_confirmed(tmp_path: Path) -> None:
    nights = nights_of(tmp_path, confirmed=False)
    findings = []
    for _ in range(7):
        findings += nights.night().findings
        nights.next_day()
    assert findings
    assert not [finding for finding in findings if finding.reported]
    (series,) = read_history([nights.results], Silent()).series
    assert series.judged
    assert not series.changes
