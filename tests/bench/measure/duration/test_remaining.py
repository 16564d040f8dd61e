"""The remaining time of a run, from its warm-up and its trials."""

import pytest

from edge_bench.bench.measure.duration.remaining import Remaining


def test_the_estimate_before_the_first_trial_is_of_all_starts_and_trials() -> None:
    remaining = Remaining({0: 30, 1: 30}, generations=5)
    remaining.prepared(0, pass_seconds=1.0, passes=1)
    remaining.prepared(1, pass_seconds=0.05, passes=3)
    remaining.started(10.0)
    assert (remaining.configurations, remaining.trials) == (2, 30)
    assert remaining.seconds() == pytest.approx(4 * 10 + 30 * (1.0 + 0.15), rel=0.05)
    assert not remaining.every_configuration_has_a_trial


def test_trials_replace_the_estimate_of_the_warm_up() -> None:
    remaining = Remaining({0: 10, 1: 10}, generations=1)
    for number in (0, 1):
        remaining.prepared(number, 1.0, 1)
    remaining.started(1.0)
    remaining.trial(0, 2.0)
    assert not remaining.every_configuration_has_a_trial
    remaining.trial(1, 4.0)
    assert remaining.every_configuration_has_a_trial
    assert remaining.seconds() == pytest.approx(9 * 2 + 9 * 4)


def test_recorded_outputs_count_as_often_as_they_follow() -> None:
    remaining = Remaining({0: 1}, generations=2)
    remaining.prepared(0, 0.1, 1)
    remaining.recorded(0, 60.0, left=1)
    remaining.started(1.0)
    before = remaining.seconds()
    remaining.recorded(0, 60.0, left=0)
    assert before - remaining.seconds() == pytest.approx(60)


def test_a_failed_configuration_needs_no_more_time() -> None:
    remaining = Remaining({0: 10, 1: 10}, generations=1)
    for number in (0, 1):
        remaining.prepared(number, 1.0, 1)
    remaining.started(0.0)
    remaining.trial(1, 1.0)
    remaining.failed(0)
    remaining.trial(0, None)
    assert remaining.seconds() == pytest.approx(9)
    assert remaining.every_configuration_has_a_trial


def test_a_configuration_that_cannot_be_prepared_is_not_counted() -> None:
    remaining = Remaining({0: 10, 1: 10}, generations=1)
    remaining.prepared(0, 1.0, 1)
    remaining.failed(1)
    remaining.started(0.0)
    remaining.trial(0, 1.0)
    assert remaining.configurations == 1
    assert remaining.every_configuration_has_a_trial
