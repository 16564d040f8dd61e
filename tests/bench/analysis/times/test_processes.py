"""Processes that differ, and slow trials, are found and told apart."""

import numpy as np
import pytest

from edge_bench.bench.analysis.times.processes import process_luck, ratio_despite_luck, slow_trials
from edge_bench.bench.stats.comparisons.process_ratio import process_ratio
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import interleaved_ratio


def rows(*speeds: float, trials: int = 6, noise: float = 0.002) -> list[Values]:
    generator = np.random.default_rng(0)
    return [speed * np.exp(generator.normal(0, noise, trials)) for speed in speeds]


def test_processes_that_each_keep_their_speed_are_luck() -> None:
    luck = process_luck(rows(1.0, 1.06, 1.06, 1.0, 1.06))
    assert luck is not None
    assert luck.of_processes
    assert luck.spread == pytest.approx(0.06, abs=0.01)


def test_processes_alike_have_no_luck() -> None:
    assert process_luck(rows(1.0, 1.01, 1.02, 1.0, 1.02)) is None
    assert process_luck(rows(1.0)) is None
    assert process_luck([]) is None


def test_bursts_within_processes_are_not_luck() -> None:
    times = rows(1.0, 1.0, 1.0, 1.0, 1.0)
    times[1][2:] *= 1.24
    times[3][:2] *= 1.24
    luck = process_luck(times)
    assert luck is not None
    assert not luck.of_processes
    assert luck.spread > 0.2


def test_an_outlier_far_from_all_processes_does_not_hide_luck() -> None:
    times = rows(1.0, 1.06, 1.06, 1.0, 1.06)
    times[0][3] *= 2
    times[1][4] *= 2
    times[2][1] *= 2
    luck = process_luck(times)
    assert luck is not None
    assert luck.of_processes


@pytest.mark.parametrize(("trials", "shown"), [(1, False), (3, False), (4, True)])
def test_too_few_trials_do_not_show_luck(trials: int, shown: bool) -> None:
    luck = process_luck(rows(1.0, 1.06, 1.0, trials=trials))
    assert luck is not None
    assert luck.of_processes == shown


def test_the_ratio_is_that_of_processes_if_either_side_has_luck() -> None:
    alike, lucky = rows(1.0, 1.0, 1.0, 1.0, 1.0), rows(1.0, 1.06, 1.06, 1.06, 1.06)
    assert ratio_despite_luck(alike, alike) == interleaved_ratio(alike, alike)
    assert ratio_despite_luck(lucky, alike) == process_ratio(lucky, alike)
    assert ratio_despite_luck(alike, lucky) == process_ratio(alike, lucky)


def test_slow_trials_are_counted() -> None:
    seconds = np.array([1.0] * 24 + [1.09, 1.11, 1.2, 1.24, 0.5, 1.0])
    slow = slow_trials(seconds)
    assert (slow.count, slow.trials) == (3, 30)
    assert slow.slowest == pytest.approx(0.24)
    none = slow_trials(np.ones(3))
    assert (none.count, none.trials, none.slowest) == (0, 3, None)
