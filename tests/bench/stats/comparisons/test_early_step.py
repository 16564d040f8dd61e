"""Steps of series that are too short for the control chart, against scipy and on noise."""

import math

import numpy as np
import pytest
from scipy import stats

from edge_bench.bench.stats.comparisons.early_step import EARLY_RULES, early_step


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
