"""The study of nights finds few false alarms and most changes, and sees rules that are too lax."""

import pytest

from edge_bench.bench.stats.chart_records import RULES
from studies.calibration.nights import creeps_found, false_alarms, steps_again, steps_found


def test_a_step_and_a_creep_are_found_and_noise_is_not() -> None:
    alarms = false_alarms(0.01, 10)
    assert alarms.steps + alarms.creeps == 0
    assert steps_found(0.02, 60) > 0.95
    assert creeps_found(0.01, 30, 0) > 0.9


@pytest.mark.slow
def test_there_is_less_than_one_false_alarm_per_year_and_more_with_lax_rules() -> None:
    alarms = false_alarms(0.02, 150)
    assert alarms.steps + alarms.creeps < 0.4
    assert alarms.more_than_one < 0.1
    lax = false_alarms(0.02, 50, RULES._replace(outliers=0.95, creep=0.1))
    assert lax.steps + lax.creeps > 1
    assert creeps_found(0.02, 150, 0) > 0.9
    assert steps_found(0.03, 150) > 0.93


def test_one_step_is_found_once_at_its_start_and_twice_with_lax_rules() -> None:
    found = steps_again(0.02, 100, -0.2)
    assert found.extra <= 0.02
    assert found.misplaced <= 0.02
    assert steps_again(0.02, 100, -0.2, RULES._replace(settled=0, limits=0.5)).extra > 0.1
