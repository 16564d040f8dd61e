"""Ratios of times against scipy, and against disturbances that real machines have."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bench import ratios
from bench.ratios import Ratio, Verdict
from bench.stats import Interval, Values


def disturbed(generator: np.random.Generator, centre: float) -> list[Values]:
    """Five processes of six trials; something else on the machine adds to two trials in five."""
    plain = generator.lognormal(math.log(centre), 0.005, (5, 6))
    return list(plain * (1 + generator.exponential(0.15, (5, 6)) * (generator.random((5, 6)) < 0.4)))


def test_what_others_add_to_many_trials_hides_no_difference() -> None:
    generator = np.random.default_rng(0)
    pairs = [(disturbed(generator, 1.05), disturbed(generator, 1.0)) for _ in range(200)]
    found = {
        name: [ratios.verdict(of(first, second)) for first, second in pairs]
        for name, of in {"fastest": ratios.fastest_ratio, "unpaired": ratios.unpaired_ratio,
                         "median": ratios.paired_ratio}.items()
    }  # fmt: skip
    assert found["fastest"].count(Verdict.SLOWER) >= 180
    assert found["unpaired"].count(Verdict.SLOWER) >= 180
    assert found["median"].count(Verdict.SLOWER) < 140
    alike = [ratios.fastest_ratio(disturbed(generator, 1), disturbed(generator, 1)) for _ in range(200)]
    assert {ratios.verdict(ratio) for ratio in alike} <= {Verdict.SAME, Verdict.UNDECIDED}
    outside = sum(ratio.interval is None or not ratio.interval.low <= 1 <= ratio.interval.high for ratio in alike)
    assert outside <= 20  # 5 % and what chance adds


def test_the_fastest_third_is_two_of_six_and_at_least_one() -> None:
    values = np.exp([3.0, 1.0, 2.0, 9.0, 9.0, 9.0])
    assert ratios.fastest_third(values) == pytest.approx(1.5)
    assert ratios.fastest_third(values[:3]) == pytest.approx(1.0)
    assert ratios.fastest_third(values[:1]) == pytest.approx(3.0)


def test_a_longer_run_is_not_faster_for_being_longer() -> None:
    generator = np.random.default_rng(1)
    long, short = ([generator.lognormal(0, 0.02, size) for _ in range(400)] for size in (30, 6))
    assert abs(math.log(ratios.unpaired_ratio(long, short).value)) < 0.005  # their minima are 0.016 apart


def test_a_paired_ratio_is_the_geometric_mean_with_a_t_interval_over_processes() -> None:
    generator = np.random.default_rng(0)
    second = [generator.uniform(1, 2, 6) for _ in range(5)]
    factors = [1.08, 1.10, 1.12, 1.09, 1.11]
    ratio = ratios.paired_ratio([values * factor for values, factor in zip(second, factors, strict=True)], second)
    expected = scipy_stats.t.interval(0.95, 4, np.log(factors).mean(), scipy_stats.sem(np.log(factors)))
    assert ratio.value == pytest.approx(scipy_stats.gmean(factors))
    assert ratio.interval is not None
    assert (ratio.interval.low, ratio.interval.high) == pytest.approx(tuple(np.exp(expected)), rel=1e-6)


def test_drift_that_hits_both_alike_does_not_touch_a_paired_ratio() -> None:
    drift = [np.linspace(1, 3, 6) * generation for generation in range(1, 6)]
    ratio = ratios.paired_ratio([values * 1.1 for values in drift], drift)
    assert ratio.interval is not None
    assert (ratio.interval.low, ratio.interval.high) == pytest.approx((1.1, 1.1))


def test_an_unpaired_ratio_is_welchs_interval_of_undisturbed_times() -> None:
    generator = np.random.default_rng(1)
    first, second = ([generator.normal(centre, 0.05, 6) for _ in range(5)] for centre in (1.2, 1.0))
    fastest = [[np.sort(np.log(values))[:2].mean() for values in side] for side in (first, second)]
    expected = scipy_stats.ttest_ind(*fastest, equal_var=False).confidence_interval()
    ratio = ratios.unpaired_ratio(first, second)
    assert ratio.interval is not None
    assert (math.log(ratio.interval.low), math.log(ratio.interval.high)) == pytest.approx(
        (expected.low, expected.high), rel=1e-5
    )


def test_one_process_gives_a_ratio_but_no_interval_and_no_verdict() -> None:
    ratio = ratios.paired_ratio([np.array([2.0, 2.0])], [np.array([1.0, 1.0])])
    assert ratio.value == pytest.approx(2.0)
    assert ratio.interval is None
    assert ratios.verdict(ratio) is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.90, 0.97, Verdict.FASTER),
        (0.90, 0.985, Verdict.UNDECIDED),
        (0.985, 1.015, Verdict.SAME),
        (1.01, 1.03, Verdict.UNDECIDED),
        (1.03, 1.50, Verdict.SLOWER),
        (0.50, 2.00, Verdict.UNDECIDED),
    ],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(low: float, high: float, expected: Verdict) -> None:
    assert ratios.verdict(Ratio(math.sqrt(low * high), Interval(low, high))) is expected
