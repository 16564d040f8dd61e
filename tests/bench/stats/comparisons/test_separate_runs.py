"""Ratios between separate runs: intervals that include the variation from run to run."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from edge_bench.bench.stats.comparisons.separate_runs import (
    ASSUMED_VARIATION,
    Side,
    VariationSource,
    level_of,
    separate_ratio,
    undecided_below,
)
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Verdict, verdict

RunTimes = list[Values]


def a_run(generator: np.random.Generator, variation: float, work: float = 1.0) -> RunTimes:
    """Five processes of six trials, with a speed of the run's own."""
    level = math.log(work) + generator.normal(0, variation)
    return list(np.exp(level + generator.normal(0, 0.003, (5, 1)) + generator.normal(0, 0.01, (5, 6))))


def test_several_runs_give_welchs_interval_over_their_medians() -> None:
    generator = np.random.default_rng(0)
    first = [a_run(generator, 0.02, 1.1) for _ in range(5)]
    second = [a_run(generator, 0.01) for _ in range(4)]
    levels = [[math.log(np.median(np.concatenate(run))) for run in side] for side in (first, second)]
    expected = scipy_stats.ttest_ind(*levels, equal_var=False).confidence_interval()
    found = separate_ratio(Side(first), Side(second), same_machine=True)
    assert found.source is VariationSource.REPEATED
    assert found.ratio.value == pytest.approx(math.exp(np.mean(levels[0]) - np.mean(levels[1])))
    assert found.ratio.interval is not None
    assert math.log(found.ratio.interval.low) == pytest.approx(expected.low, rel=1e-6)
    assert math.log(found.ratio.interval.high) == pytest.approx(expected.high, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("variation", [0.0025, 0.01, 0.02, 0.03])
@pytest.mark.parametrize("runs", [1, 5])
def test_a_configuration_is_rarely_called_different_from_itself(variation: float, runs: int) -> None:
    generator = np.random.default_rng(1)
    sides = [[Side([a_run(generator, variation) for _ in range(runs)]) for _ in range(2)] for _ in range(200)]
    ratios = [separate_ratio(first, second, same_machine=True).ratio for first, second in sides]
    assert sum(verdict(ratio) in (Verdict.FASTER, Verdict.SLOWER) for ratio in ratios) <= 10
    outside = sum(not (ratio.interval and ratio.interval.low <= 1 <= ratio.interval.high) for ratio in ratios)
    assert outside <= 22  # 5 % and what chance adds


def test_ten_percent_are_found_with_five_runs_each_and_not_with_one() -> None:
    generator = np.random.default_rng(2)

    def found(runs: int) -> int:
        sides = ([Side([a_run(generator, 0.02, work) for _ in range(runs)]) for work in (1.1, 1.0)] for _ in range(100))
        return sum(verdict(separate_ratio(*side, same_machine=True).ratio) is Verdict.SLOWER for side in sides)

    assert found(5) >= 95
    assert found(1) < 60


def test_one_run_takes_its_variation_from_earlier_runs_or_the_other_side_of_the_same_machine() -> None:
    generator = np.random.default_rng(3)
    one, other = Side([a_run(generator, 0.01)]), Side([a_run(generator, 0.01)])
    several = Side([a_run(generator, 0.01) for _ in range(6)])
    earlier = Side(other.runs, [level_of(a_run(generator, 0.01)) for _ in range(20)])
    assert separate_ratio(one, other, same_machine=True).source is VariationSource.ASSUMED
    assert separate_ratio(one, earlier, same_machine=True).source is VariationSource.EARLIER
    assert separate_ratio(one, several, same_machine=True).source is VariationSource.REPEATED
    assert separate_ratio(one, several, same_machine=False).source is VariationSource.ASSUMED
    found = separate_ratio(one, earlier, same_machine=True)
    spread = np.std(earlier.earlier, ddof=1)
    assert found.variation == pytest.approx(spread)
    assert found.ratio.standard_error == pytest.approx(spread * math.sqrt(2))
    assert found.ratio.freedom == 19


def test_two_runs_far_apart_are_not_believed_to_vary_less_than_they_do() -> None:
    generator = np.random.default_rng(4)
    apart = Side([a_run(generator, 0, 1.0), a_run(generator, 0, 1.3)])
    found = separate_ratio(apart, Side([a_run(generator, 0)]), same_machine=True)
    assert found.source is VariationSource.ASSUMED
    assert found.variation > 3 * ASSUMED_VARIATION


def test_a_single_process_has_no_interval_if_the_variation_is_assumed() -> None:
    one = Side([[np.array([1.0, 1.01])]])
    assert separate_ratio(one, one, same_machine=True).ratio.interval is None


def test_verdicts_begin_at_the_stated_bound() -> None:
    level = math.log1p(undecided_below(1, 1))
    still = [np.full(6, value) for value in (1.0, 1.0)]
    for share, expected in ((0.99, Verdict.UNDECIDED), (1.01, Verdict.SLOWER)):
        moved = [values * math.exp(share * level) for values in still]
        assert verdict(separate_ratio(Side([moved]), Side([still]), same_machine=True).ratio) is expected


def test_a_run_of_few_trials_does_not_take_the_variation_of_longer_ones() -> None:
    """An interrupted run of one trial: the medians of thirty vary much less."""
    generator = np.random.default_rng(5)
    several = Side([a_run(generator, 0.002) for _ in range(6)])
    short = Side([[np.array([1.0])]])
    found = separate_ratio(short, several, same_machine=True)
    assert found.source is VariationSource.ASSUMED
    assert found.ratio.interval is None
