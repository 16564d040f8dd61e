"""Runs with two rounds in real workers: what is measured, interruptions, and options that do not fit."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure import runner
from edge_bench.bench.measure.duration.cost import ConfigurationCost, RunCost
from edge_bench.bench.measure.options import settings as options
from edge_bench.bench.measure.options.settings import searched
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.rounds import final_round
from edge_bench.bench.measure.schedule import AT_ONCE, grouped_schedule
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.run import FirstRound, Run, Settings
from edge_bench.bench.records.run_files import read_run
from tests.factories import measure_bundle

SELECTION, SETTINGS = searched(
    Selection(variants=["float32", "int8"], runtimes=["litert"], threads=[1], batch_sizes=[1, 8]),
    Settings(trials=4, processes=2, limit=20),
)


class Interrupts(Silent):
    """Presses Ctrl-C after the first trial of a round."""

    def __init__(self, task: str) -> None:
        self.wanted, self.task, self.messages = task, "", list[str]()

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.task = what

    def advance(self, steps: int = 1, note: str = "") -> None:
        if steps and self.task == self.wanted:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        self.messages.append(message)


def brief(run: Run) -> list[int]:
    return [len(result.first_round) for result in run.results]


def trials(run: Run) -> list[int]:
    return [len(result.trials) for result in run.results]


@pytest.mark.slow
def test_a_search_interrupted_in_both_rounds_is_resumed_with_the_same_finalists(
    digits_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(run: Run) -> list[int]:
        assert trials(run) == [0] * 4
        return [3, 1]

    monkeypatch.setattr(runner, "choose_finalists", choose)

    def measured(progress: Silent, **how: bool) -> tuple[Run, Path]:
        return measure_bundle(digits_bundle.folder, SELECTION, SETTINGS, tmp_path, progress, **how)

    first, path = measured(Interrupts("first round"))
    assert (first.complete, first.finalists, sum(brief(first)), sum(trials(first))) == (False, None, 1, 0)
    assert path.with_suffix(JOURNAL).exists()
    progress = Interrupts("second round")
    second, _ = measured(progress, resume=True)
    assert (second.complete, second.finalists, brief(second), sum(trials(second))) == (False, [3, 1], [4] * 4, 1)
    assert any("2 of 4 configurations" in message for message in progress.messages)
    monkeypatch.setattr(runner, "choose_finalists", lambda run: pytest.fail("chosen again"))
    whole, path = measured(Silent(), resume=True)
    assert (whole.run_id, whole.complete, whole.finalists) == (first.run_id, True, [3, 1])
    assert (brief(whole), trials(whole)) == ([4] * 4, [0, 4, 0, 4])
    assert not path.with_suffix(JOURNAL).exists()
    assert read_run(path) == whole
    for result in whole.results:
        early, late = ({each.process for each in side} for side in (result.first_round, result.trials))
        assert not early & late  # fresh processes
        assert len(result.labels()) == 20
    once = measure_bundle(digits_bundle.folder, SELECTION, SETTINGS, tmp_path, Silent(), once=True)[0]
    assert once.run_id == whole.run_id


def test_groups_are_small_and_drawn_anew() -> None:
    groups = grouped_schedule(20, trials=5, processes=3, seed=1)
    assert [len(generation.rounds) for _, generation in groups] == [2] * 6 + [1] * 3
    for number in range(3):
        members = [member for each, generation in groups if generation.number == number for member in each]
        assert sorted(members) == list(range(20))
    assert max(len(each) for each, _ in groups) <= AT_ONCE
    assert {frozenset(each) for each, generation in groups if generation.number == 0} != {
        frozenset(each) for each, generation in groups if generation.number == 1
    }


def test_a_run_with_a_limit_of_workers_measures_every_trial_once() -> None:
    settings = Settings(trials=5, processes=2, at_once=3)
    groups = final_round(range(10, 17), settings, 0)
    assert max(len(members) for members, _ in groups) <= 3
    counts = Counter((member, generation.number) for members, generation in groups for member in members)
    assert counts == dict.fromkeys(((member, number) for member in range(10, 17) for number in range(2)), 1)
    assert sum(len(members) * len(generation.rounds) for members, generation in groups) == 7 * 5
    assert len(final_round(range(3), settings, 0)) == 2  # all at once


def test_threads_and_batch_sizes_are_searched_unless_they_are_set(
    digits_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_bench.bench.measure.plan.usable_cores", lambda: 6)

    def axes(**chosen: Any) -> tuple[set[int], set[int]]:
        selection = Selection(variants=["int8"], runtimes=["litert"], searched=True, **chosen)
        found = [each.configuration for each in plan(digits_bundle, selection)]
        return {each.threads for each in found}, {each.batch_size for each in found}

    assert axes() == ({1, 2, 4, 6}, {1, 8, 32})
    assert axes(threads=[3], batch_sizes=[5]) == ({3}, {5})


def test_the_first_round_is_never_longer_than_the_second() -> None:
    _, default = searched(Selection(), Settings())
    assert default.first_round == FirstRound(trials=6, processes=3, finalists=8)
    _, short = searched(Selection(), Settings(trials=2, processes=5))
    assert short.first_round == FirstRound(trials=2, processes=2)


@pytest.mark.parametrize(
    ("settings", "repeats"),
    [(Settings(), 2), (Settings(resample=10), 1), (Settings(processes=1), 1), (Settings(trials=1), 1)],
)
def test_options_that_do_not_fit_are_refused(settings: Settings, repeats: int) -> None:
    with pytest.raises(BadInput, match="--find-fastest") as refused:
        searched(Selection(), settings, repeat_runs=repeats)
    assert refused.value.remedy


def test_emulated_times_have_no_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "emulation_signs", lambda: ["a sign"])
    with pytest.raises(BadInput):
        searched(Selection(), Settings())


def test_the_cost_is_that_of_both_rounds() -> None:
    cost = RunCost([ConfigurationCost(1.0), ConfigurationCost(2.0), ConfigurationCost(4.0)], start_seconds=3.0)
    settings = Settings(trials=10, processes=5, first_round=FirstRound(trials=6, processes=3, finalists=2))
    assert cost.seconds(settings, 1) == pytest.approx(3 * 3 + 6 * 7 + 5 * 2 + 10 * 3)
