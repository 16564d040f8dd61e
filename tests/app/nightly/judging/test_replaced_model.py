"""A model that is replaced during a night: Runs of two models are never taken as one."""

import math
from pathlib import Path

import pytest

from edge_bench.app.nightly.confirming.confirm import Confirmer
from edge_bench.app.nightly.judging.candidates import Candidate
from edge_bench.app.nightly.judging.series import NightRun
from edge_bench.app.nightly.settings.reading import Model
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.measure.stored.nights import together
from edge_bench.bench.records.nights.night import ConfirmationKind, Finding, Rule
from tests.made.nights.fleet import BEGIN, FakeFleet, Nights, made_run, settings_file


def test_further_runs_of_another_model_are_left_out(tmp_path: Path) -> None:
    nights = Nights(settings_file(tmp_path, "[run]\nruns_per_night = 4\n", ["pi4"]), FakeFleet(lambda *_: ""))
    bundles = iter("bbcc")
    nights.fleet.make = lambda engine, _: made_run(engine, nights.now, 0.1, bundle=next(bundles))
    night = nights.night()
    (work,) = night.measurements
    assert (work.bundle_sha256, work.repeats, len(work.more_runs)) == ("b", 3, 1)
    assert sum("replaced" in note for note in night.notes) == 1
    assert {path.name for path in (nights.results / "nights" / "more").iterdir()} == set(work.more_runs)
    assert len(list(nights.results.rglob("run-*.json"))) == 2


def test_recorded_runs_of_another_model_do_not_count() -> None:
    first, same, other = (made_run("pi4", BEGIN, 0.1, bundle=name) for name in "bbc")
    assert together([first, other]) == first
    assert len(together([first, same, other]).results[0].trials) == 2 * len(first.results[0].trials)


@pytest.mark.parametrize(("bundle", "kind"), [("b", ConfirmationKind.REPEATED), ("c", ConfirmationKind.NONE)])
def test_another_model_confirms_nothing(bundle: str, kind: ConfirmationKind, tmp_path: Path) -> None:
    run = made_run("pi4", BEGIN, 0.2)
    finding = Finding(
        model="digits", engine="pi4", machine="", configuration=run.results[0].configuration, verdict="slower",
        rule=Rule.EARLY, since_night=5, since=BEGIN.isoformat(),
    )  # fmt: skip
    before = [math.log(0.1 / 100)] * 4  # of 100 images each
    candidate = Candidate(finding, before, NightRun(5, measured(run), lambda: run))
    fleet = FakeFleet(lambda *_: made_run("pi4", BEGIN, 0.2, bundle=bundle))
    confirmer = Confirmer(fleet, tmp_path, tmp_path / "again", 0.02)
    (found,) = confirmer.confirmed([candidate], Model("digits", None, (), ()), "pi4")
    assert found.confirmation
    assert found.confirmation.kind is kind
    assert found.reported
