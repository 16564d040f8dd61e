"""Sentences on slack and accuracy: values, and when there is no interval or nothing to decide."""

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.quality import accuracy_change_text
from edge_bench.app.tables.runs.separate_runs import separation_notes
from edge_bench.app.tables.runs.slack import slack_sentence
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.comparison.slack import Slack
from edge_bench.bench.analysis.times.compared_times import Separation
from edge_bench.bench.records.run import Configuration, Run, Settings
from edge_bench.bench.stats.comparisons.separate_runs import VariationSource
from edge_bench.bench.stats.intervals import Interval, PairedDifference, paired_difference
from tests.bench.messages import numbers_in
from tests.factories import machine, result, run

SLACK = Slack(
    light=Configuration(variant="dynamic", runtime="litert", threads=4, batch_size=1),
    light_machine="pi (A72)",
    original=Configuration(variant="keras", runtime="tensorflow", threads=1, batch_size=32),
    original_machine="pi (A72)",
    same_run=True,
    same_machine=True,
    images=500,
    seconds=0.711,
    interval=Interval(0.622, 0.803),
    mean_seconds=0.944,
    mean_interval=Interval(0.855, 1.033),
    mean_rests_on_outlier=False,
)


def change(lost: int, gained: int) -> PairedDifference:
    new, old = np.ones(3000, bool), np.ones(3000, bool)
    new[:lost] = False
    old[lost : lost + gained] = False
    return paired_difference(new, old)


def test_a_slack_has_typical_and_mean_times_with_their_intervals() -> None:
    sentence = slack_sentence(SLACK)
    for value in (0.711, 0.622, 0.803, 500, 0.944, 0.855, 1.033, 4, 32):
        assert value in numbers_in(sentence)
    assert "separate runs" not in sentence


def test_a_mean_dominated_by_an_outlier_has_no_interval_but_a_reason() -> None:
    unsafe = msgspec.structs.replace(SLACK, mean_interval=None, mean_rests_on_outlier=True)
    sentence = slack_sentence(unsafe)
    assert "outlier" in sentence
    assert "outlier" not in slack_sentence(SLACK)
    assert 0.944 in numbers_in(sentence)
    assert 1.033 not in numbers_in(sentence)


def test_separate_runs_and_other_machines_are_named() -> None:
    separate = msgspec.structs.replace(SLACK, same_run=False)
    assert "separate runs" in slack_sentence(separate)
    elsewhere = msgspec.structs.replace(separate, same_machine=False, original_machine="desk (EPYC)")
    sentence = slack_sentence(elsewhere)
    assert "against the original on desk (EPYC)" in sentence
    assert "pi (A72)" in sentence
    assert "separate runs" in sentence


def test_a_slack_that_may_be_zero_is_undecided() -> None:
    assert "undecided" in slack_sentence(msgspec.structs.replace(SLACK, interval=Interval(-0.1, 1.5)))
    assert "undecided" not in slack_sentence(SLACK)


def test_one_process_gives_values_without_intervals() -> None:
    whole = run(result("keras", "tensorflow", 4.52), result("dynamic", "litert", 5.23))
    first = [
        msgspec.structs.replace(each, trials=[trial for trial in each.trials if trial.process == 0])
        for each in whole.results
    ]
    (slack,) = compare([msgspec.structs.replace(whole, results=first)]).slacks
    assert (slack.interval, slack.mean_interval, slack.mean_rests_on_outlier) == (None, None, False)
    assert slack.seconds == pytest.approx(0.71, abs=0.01)
    assert "[" not in slack_sentence(slack)


def test_a_change_of_accuracy_has_its_discordant_images_and_p() -> None:
    text = accuracy_change_text(change(12, 3))
    assert text.startswith("−0.30 [−0.")
    assert text.endswith("; 12 lost, 3 gained, p = 0.035")
    assert accuracy_change_text(change(3, 12)).startswith("+0.30 [+0.")
    assert accuracy_change_text(change(40, 3)).endswith("p < 0.001")


@pytest.mark.parametrize(("lost", "gained", "few"), [(0, 0, True), (5, 0, True), (2, 3, True), (6, 0, False)])
def test_fewer_than_six_discordant_images_decide_nothing(lost: int, gained: int, few: bool) -> None:
    text = accuracy_change_text(change(lost, gained))
    assert ("too few to decide" in text) is few
    assert ("p = " in text) is not few
    assert f"{lost} lost, {gained} gained" in text


def test_the_slack_of_two_machines_is_a_note_of_the_comparison() -> None:
    from edge_bench.app.tables.runs.comparison import comparison_table

    pi = run(result("dynamic", "litert", 4.0), on=machine(hostname="pi", architecture="aarch64"))
    comparison = compare([run(result("keras", "tensorflow", 1.0)), pi])
    (slack,) = comparison.slacks
    letters = {slack.original_run: "A", slack.light_run: "B"}
    assert slack_sentence(slack, letters) in list(comparison_table(comparison).notes)


def test_the_sides_of_a_slack_have_the_letters_of_the_table() -> None:
    from edge_bench.app.tables.runs.comparison import comparison_table

    def notes(*runs: Run) -> list[str]:
        table = comparison_table(compare(list(runs)))
        return [note for note in table.notes if "(slack)" in note]

    both = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 1.2))
    assert [note.split(":")[0] for note in notes(both)] == ["what an offload may cost (slack), dynamic on litert"]
    again = msgspec.structs.replace(both, run_id="again", began="2026-01-02T00:00:00+00:00")
    assert [note.split(":")[0] for note in notes(both, again)] == [
        "what an offload may cost (slack), A",
        "what an offload may cost (slack), B",
    ]
    original = run(result("keras", "tensorflow", 1.0))
    light = run(result("dynamic", "litert", 1.2))
    (note,) = notes(original, light)
    assert note.startswith("what an offload may cost (slack), B: ")
    assert "of A " in note


def test_titles_count_in_singular_and_plural() -> None:
    from edge_bench.app.tables.runs.repeats import repeats_table
    from edge_bench.app.tables.runs.run import run_table

    whole = run(result("dynamic", "litert", 1.0))
    assert " 30 trials," in run_table(whole).title
    (measured,) = whole.results
    once = msgspec.structs.replace(
        whole,
        results=[msgspec.structs.replace(measured, trials=measured.trials[:1])],
        settings=Settings(trials=1, processes=1),
    )
    assert " 1 trial," in run_table(once).title
    assert " 1 trial per run," in repeats_table([once]).title


def test_notes_on_separate_runs_name_the_configurations_that_they_are_of() -> None:
    def noted(variations: list[float]) -> list[str]:
        names = ("float32 on litert", "int8 on litert")
        return separation_notes(
            ("desk", name, Separation(runs=1, baseline_runs=1, source=VariationSource.REPEATED, variation=each,
                                      differences=[])) for name, each in zip(names, variations, strict=True)
        )  # fmt: skip

    [same] = noted([0.01, 0.01])
    assert same.startswith("desk, separate runs: ")
    first, second = noted([0.01, 1.8e-15])
    assert ("float32 on litert" in first, "int8 on litert" in second) == (True, True)
    assert "0.01 %" in second
    assert "0.000" not in second
