"""Steps and creep in series of numbers."""

import math

import numpy as np
import pytest
from scipy import stats

from edge_bench.bench.stats.chart_records import RULES, Mark
from edge_bench.bench.stats.control_chart import ControlChart

LEVEL = [0.0, 0.01, -0.01, 0.02, 0.0, -0.02, 0.01, -0.01]


def test_limits_are_those_of_a_prediction_by_student() -> None:
    """A value within them is judged by the mean and standard deviation of those before it."""
    (*_, judgement) = ControlChart([*LEVEL, 0.0]).judgements
    before = np.array(LEVEL)
    assert judgement.reference == pytest.approx(before.mean())
    assert judgement.error == pytest.approx(before.std(ddof=1) * math.sqrt(1 + 1 / 8))
    assert judgement.freedom == 7
    limit = float(before.mean()) + judgement.error * float(stats.t.ppf((1 + RULES.outliers) / 2, 7))
    for value, mark in ((limit - 1e-6, Mark.WITHIN), (limit + 1e-6, Mark.UNCONFIRMED)):
        assert ControlChart([*LEVEL, value]).marks[-1] is mark


def test_the_reference_waits_for_values_that_may_belong_to_a_step() -> None:
    waiting = ControlChart([*LEVEL, 0.06, 0.0, 0.0]).judgements
    assert [judgement.freedom for judgement in waiting[8:]] == [7, 7, 7]
    decided = ControlChart([*LEVEL, 0.06, 0.0, 0.0, 0.0]).judgements
    assert decided[-1].freedom > 7


def test_six_of_seven_values_beyond_the_inner_limits_are_a_step_of_the_first() -> None:
    chart = ControlChart([*LEVEL, *LEVEL, 0.04, 0.04, 0.0, 0.04, 0.04, 0.04, 0.04])
    assert [(step.first, step.confirmed, step.side) for step in chart.steps] == [(16, 22, 1)]
    assert chart.marks[16] is Mark.STEP
    assert chart.marks[18] is Mark.WITHIN
    assert chart.marks[22] is Mark.CONFIRMING
    assert not ControlChart([*LEVEL, *LEVEL, 0.04, 0.04, 0.0, 0.04, 0.0, 0.04, 0.04]).steps


def test_a_step_begins_at_its_first_value_even_if_that_is_no_outlier() -> None:
    chart = ControlChart([*LEVEL, *LEVEL, 0.05, 0.09, 0.09])
    assert [judgement.far for judgement in chart.judgements[16:]] == [False, True, True]
    assert [(step.first, step.confirmed) for step in chart.steps] == [(16, 18)]


def test_an_outlier_before_a_step_is_not_its_beginning() -> None:
    chart = ControlChart([*LEVEL, *LEVEL, 0.5, 0.0, 0.1, 0.1])
    assert [(step.first, step.confirmed) for step in chart.steps] == [(18, 19)]
    assert chart.marks[16] is Mark.OUTLIER


@pytest.mark.parametrize("direction", [1, -1])
def test_two_values_that_are_off_after_a_step_are_no_reference_for_another_step(direction: int) -> None:
    """A mean of two values is off by 0.7 standard deviations, and all next values are judged by it."""
    after = [0.17, 0.18, 0.21, 0.21, 0.2, 0.21, 0.21, 0.2, 0.2, 0.21]
    chart = ControlChart([*LEVEL, *LEVEL, *(direction * value for value in after)])
    assert [step.first for step in chart.steps] == [16]
    assert any(judgement.side == direction for judgement in chart.judgements[18:])
    lax = ControlChart([*LEVEL, *LEVEL, *(direction * value for value in after)], RULES._replace(settled=0))
    assert len(lax.steps) == 2, "without the test of means it is one"
    back = ControlChart([*LEVEL, *LEVEL, *(direction * value for value in after[:2]), *LEVEL])
    assert [(step.first, step.side) for step in back.steps] == [(16, direction), (18, -direction)]


def test_outliers_on_two_sides_are_no_step() -> None:
    chart = ControlChart([*LEVEL, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert not chart.steps
    assert [chart.marks[8], chart.marks[9]] == [Mark.OUTLIER, Mark.OUTLIER]
    assert chart.judgements[-1].reference == pytest.approx(0, abs=0.01)


def test_a_creep_ends_and_is_counted_once() -> None:
    wide = [3 * value for value in LEVEL]
    chart = ControlChart([*wide * 4, *(value + 0.04 for value in wide * 4), *wide * 8])
    assert not chart.steps
    (creep,) = chart.creeps
    assert creep.side == 1
    assert creep.found < 64
    assert creep.ended is not None
    assert creep.ended > 64


def test_without_values_there_is_no_reference() -> None:
    chart = ControlChart([])
    assert (chart.judgements, chart.marks, chart.steps, chart.creeps) == ([], [], [], [])
    assert ControlChart([1.0]).judgements[0].reference is None
