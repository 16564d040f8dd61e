"""The choice of images, trials and processes for a budget, and what it costs."""

import re

import msgspec
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.duration.budget import choose, precision
from edge_bench.bench.measure.duration.cost import ConfigurationCost, RunCost
from edge_bench.bench.records.run import Settings

#: Two configurations, 10 and 20 ms per image; four seconds to start a generation.
COST = RunCost([ConfigurationCost(0.010), ConfigurationCost(0.020)], start_seconds=4.0)
DEFAULTS = Settings()


def test_a_run_costs_its_starts_passes_and_recorded_outputs() -> None:
    assert COST.seconds(Settings(trials=30, processes=5), 1000) == pytest.approx(5 * 4 + 30 * (10 + 20))
    recorded = RunCost([ConfigurationCost(0.010, trial_seconds=0.5, input_seconds=0.001, record_seconds=0.1)], 4.0)
    expected = 3 * (4 + 100 * 0.001) + 2 * 100 * 0.1 + 6 * (1.0 + 0.5)
    assert recorded.seconds(Settings(trials=6, processes=3), 100) == pytest.approx(expected)


def test_short_passes_are_repeated_and_cost_that() -> None:
    assert ConfigurationCost(0.001).trial(10) == pytest.approx(0.2)
    assert ConfigurationCost(0.001).trial(150) == pytest.approx(0.3)


def test_trials_on_fewer_images_than_the_run_has_cost_less() -> None:
    assert COST.seconds(Settings(resample=100), 1000) == pytest.approx(COST.seconds(Settings(), 100))


@pytest.mark.parametrize("seconds", [150, 300, 1000, 100_000])
def test_the_choice_fits_in_the_budget_and_uses_most_of_it(seconds: float) -> None:
    choice = choose(COST, seconds, DEFAULTS, (), 10_000)
    assert choice.seconds == pytest.approx(COST.seconds(choice.settings, choice.images))
    assert choice.seconds <= seconds
    assert choice.images == 10_000 or choice.seconds > 0.8 * seconds
    assert (choice.settings.limit or 10_000) == choice.images


def test_images_are_reduced_before_trials_and_these_before_processes() -> None:
    trials = {seconds: choose(COST, seconds, DEFAULTS, (), 10_000) for seconds in (20_000, 300, 90, 60, 40)}
    chosen = {seconds: (each.images, each.settings.trials, each.settings.processes) for seconds, each in trials.items()}
    assert chosen[20_000] == (10_000, 30, 5)
    assert 100 <= chosen[300][0] < 10_000
    assert chosen[300][1:] == (30, 5)
    assert chosen[90][0] >= 100
    assert 10 <= chosen[90][1] < 30
    assert chosen[60][0] >= 20
    assert chosen[60][1:] == (10, 5)
    assert chosen[40][1:] == (10, 5)


def test_a_budget_for_everything_sets_no_limit() -> None:
    choice = choose(COST, 1e6, DEFAULTS, (), 10_000)
    assert choice.settings == DEFAULTS
    assert precision(choice, DEFAULTS, 10_000, accuracy=True) == ""


def test_a_budget_below_the_minimum_is_refused_with_the_minimum() -> None:
    with pytest.raises(BadInput) as refused:
        choose(COST, 10, DEFAULTS, (), 10_000, used=3.0)
    found = re.search(r"--budget (\d+)s", refused.value.remedy)
    assert found
    enough = float(found[1])
    least = COST.seconds(Settings(trials=6, processes=3), 20)
    assert 3 + least < enough < 2 * least
    chosen = choose(COST, enough, DEFAULTS, (), 10_000, used=3.0).settings
    assert chosen.processes == 3


def test_several_runs_share_a_budget() -> None:
    one, three = (choose(COST, 600, DEFAULTS, (), 10_000, runs=runs) for runs in (1, 3))
    assert 3 * three.seconds <= 600
    assert three.images < one.images


@pytest.mark.parametrize(
    ("stated", "settings"),
    [
        ({"limit"}, Settings(limit=500)),
        ({"trials"}, Settings(trials=12)),
        ({"processes"}, Settings(processes=2)),
        ({"limit", "trials"}, Settings(limit=300, trials=8)),
    ],
)
def test_stated_options_are_kept(stated: set[str], settings: Settings) -> None:
    choice = choose(COST, 250, settings, stated, 10_000)
    assert [getattr(choice.settings, name) for name in stated] == [getattr(settings, name) for name in stated]
    assert choice.seconds <= 250


def test_if_all_is_stated_only_the_time_is_checked() -> None:
    settings = Settings(limit=100, trials=10, processes=2)
    every = {"limit", "trials", "processes"}
    assert choose(COST, 1000, settings, every, 10_000).settings == settings
    with pytest.raises(BadInput) as refused:
        choose(COST, 20, settings, every, 10_000)
    assert "--limit" in refused.value.remedy


def test_few_images_in_all_are_never_reduced_to_fewer_than_the_least() -> None:
    choice = choose(COST, 60, DEFAULTS, (), 12)
    assert choice.images == 12
    assert choice.settings.limit is None


@pytest.mark.parametrize("count", [101, 999, 1234, 10_000, 987_654])
def test_chosen_images_are_round_numbers(count: int) -> None:
    for seconds in (120, 500, 2500):
        images = choose(COST, seconds, DEFAULTS, (), count).images
        assert images == count or float(f"{images:.2g}") == images


def test_precision_is_worse_with_fewer_images_and_trials() -> None:
    fewer = choose(COST, 90, DEFAULTS, (), 10_000)
    text = precision(fewer, DEFAULTS, 10_000, accuracy=True)
    assert f"±{100 * 0.98 / fewer.images**0.5:.1f}" in text
    assert "times" in text or fewer.settings.trials == 30
    same = msgspec.structs.replace(DEFAULTS, processes=3)
    assert "times" in precision(fewer._replace(settings=same), DEFAULTS, 10_000, accuracy=False)


def test_without_configurations_nothing_is_limited() -> None:
    assert choose(RunCost([], 0.0), 1, DEFAULTS, (), 100).settings == DEFAULTS
