"""Steps of series that are too short for the control chart, against scipy and on noise."""

import math

import numpy as np
import pytest
from scipy import stats

from edge_bench.bench.stats.comparisons.early_step import EARLY_RULES, early_return, early_step


def test_it_is_student_s_t_with_a_correction_for_the_number_of_tests() -> None:
    before, after = [0.0, 0.001, -0.001, 0.0005], [0.05, 0.051]
    step = early_step([*before, *after])
    assert step is not None
    expected = stats.ttest_ind(after, before)
    tests = len([first for first in range(3, 6) if first >= EARLY_RULES.before])
    assert step.first == 4
    assert step.p_value == pytest.approx(tests * expected.pvalue, rel=1e-6)
    assert step.ratio.interval is not None
    interval = expected.confidence_interval()
    assert [math.log(step.ratio.interval.low), math.log(step.ratio.interval.high)] == pytest.approx(
        [interval.low, interval.high]
    )


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.0, 1.0], [0.0] * 8, [0.0, 0.001, 0.0005, 0.019]])
def test_too_few_values_or_too_small_a_change_are_no_step(values: list[float]) -> None:
    assert early_step(values) is None


def test_a_step_down_and_one_without_any_variation() -> None:
    step = early_step([0.0, 0.0, 0.0, -0.1])
    assert step is not None
    assert (step.first, step.p_value) == (3, 0.0)
    assert step.ratio.value == pytest.approx(math.exp(-0.1))


@pytest.mark.slow
@pytest.mark.parametrize("deviation", [0.002, 0.02, 0.2])
def test_false_alarms_are_as_rare_as_stated_whatever_the_variation(deviation: float) -> None:
    generator, alarms, draws = np.random.default_rng(0), 0, 1_000
    for _ in range(draws):
        values = generator.normal(0, deviation, 6).tolist()
        alarms += early_step(values) is not None
    assert stats.binomtest(alarms, draws, EARLY_RULES.level, alternative="greater").pvalue > 0.001


def test_the_way_back_from_one_value_is_tested_with_the_variance_before_it() -> None:
    before, values = [0.0, 0.001, -0.001, 0.0005], [0.1, 0.0004, -0.0003]
    found = early_return(before, values)
    assert found is not None
    assert found.first == 1
    parts = [np.array(before), np.array(values[:1]), np.array(values[1:])]
    freedom = 7 - 3
    error = math.sqrt(sum(((part - part.mean()) ** 2).sum() for part in parts) / freedom * (1 + 1 / 2))
    expected = 2 * stats.t.sf(abs(parts[2].mean() - 0.1) / error, freedom)
    assert found.p_value == pytest.approx(2 * expected, rel=1e-6)  # two tests: after one and after two values
    assert found.ratio.value == pytest.approx(math.exp(parts[2].mean() - 0.1))


@pytest.mark.parametrize(
    ("before", "values"),
    [
        ([0.0, 0.001, 0.002], [0.1]),
        ([0.0, 0.001, 0.002], [0.1, 0.101, 0.099]),  # it lasts
        ([0.0, 0.0001, 0.0002], [0.1, 0.075, 0.0751]),  # less slow, but not back
        ([0.0, 0.001], [0.1, 0.0, 0.0]),  # too few values before
        ([0.0, 0.001, 0.002], [0.1, 0.1, 0.1, 0.0]),  # `early_step` tests this
    ],
)
def test_no_way_back(before: list[float], values: list[float]) -> None:
    assert early_return(before, values) is None


@pytest.mark.slow
def test_a_step_that_lasts_has_no_way_back() -> None:
    generator, wrong, found, lasting = np.random.default_rng(1), 0, 0, 0
    while lasting < 300:
        values = generator.normal(0, 0.01, 8)
        values[4:] += 0.12
        if early_step(values[:5].tolist()) is None:  # not found with one value
            continue
        lasting += 1
        wrong += any(early_return(values[:4].tolist(), values[4:end].tolist()) for end in range(6, 9))
        values[5:] -= 0.12
        found += any(early_return(values[:4].tolist(), values[4:end].tolist()) for end in range(6, 9))
    assert wrong <= 3
    assert found > 200
