"""Ratios of times against scipy, and against disturbances that real machines have."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats as scipy_stats

from edge_bench.bench.stats import ratios
from edge_bench.bench.stats.intervals import Interval, Values
from edge_bench.bench.stats.ratios import Ratio, Verdict


def with_neighbours(generator: np.random.Generator, work: float, there: npt.NDArray[np.bool_]) -> list[Values]:
    """Five processes of six trials, 24 % longer while a neighbour works; one trial in five is the other way round."""
    plain = generator.lognormal(math.log(work), 0.006, (5, 6)) * generator.lognormal(0, 0.003, (5, 1))
    mostly = np.where(generator.random((5, 6)) < 0.2, ~there, there)
    return list(plain * np.where(mostly, 1.24, 1.0))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_load_by_neighbours_hides_no_difference(share: float) -> None:
    generator = np.random.default_rng(0)
    found: dict[str, list[Verdict]] = {"interleaved": [], "paired": []}
    alike = []
    for _ in range(200):
        there = np.repeat(generator.random((5, 2)) < share, 3, axis=1)  # for three rounds at a time
        first, second, again = (with_neighbours(generator, work, there) for work in (1.05, 1.0, 1.0))
        found["interleaved"].append(ratios.verdict(ratios.interleaved_ratio(first, second)))
        found["paired"].append(ratios.verdict(ratios.paired_ratio(first, second)))
        alike.append(ratios.interleaved_ratio(second, again))
    assert found["interleaved"].count(Verdict.SLOWER) >= 180
    assert found["paired"].count(Verdict.SLOWER) < 170
    assert {ratios.verdict(ratio) for ratio in alike} <= {Verdict.SAME, Verdict.UNDECIDED}
    outside = sum(ratio.interval is None or not ratio.interval.low <= 1 <= ratio.interval.high for ratio in alike)
    assert outside <= 22  # 5 % and what chance adds


def test_an_interleaved_ratio_is_hodges_and_lehmanns_with_a_jackknife_interval() -> None:
    generator = np.random.default_rng(3)
    first, second = ([generator.lognormal(centre, 0.05, 6) for _ in range(5)] for centre in (0.1, 0.0))

    def estimate(kept: list[int]) -> float:
        ones, others = (np.concatenate([side[number] for number in kept]) for side in (first, second))
        return math.log(np.median([one / other for one in ones for other in others]))

    everything = estimate([0, 1, 2, 3, 4])
    without = [estimate([number for number in range(5) if number != left]) for left in range(5)]
    error = math.sqrt(4 / 5 * np.sum((np.array(without) - np.mean(without)) ** 2))
    half = scipy_stats.t.ppf(0.975, 4) * error
    ratio = ratios.interleaved_ratio(first, second)
    assert ratio.value == pytest.approx(math.exp(everything), rel=1e-3)  # the median of an even number of ratios
    assert ratio.interval is not None
    assert math.log(ratio.interval.high / ratio.interval.low) == pytest.approx(2 * half, rel=0.01)


def test_a_generation_without_trials_is_left_out() -> None:
    empty = np.array([])
    ratio = ratios.interleaved_ratio([np.array([2.0, 2.0]), empty], [np.array([1.0, 1.0]), empty])
    assert ratio.value == pytest.approx(2.0)
    assert ratio.interval is None


def test_thousands_of_trials_need_no_more_memory_than_a_thousand() -> None:
    generator = np.random.default_rng(4)
    long = [generator.lognormal(math.log(1.05), 0.02, 30_000) for _ in range(2)]
    ratio = ratios.interleaved_ratio(long, [generator.lognormal(0, 0.02, 30_000) for _ in range(2)])
    assert ratio.value == pytest.approx(1.05, rel=1e-3)


@pytest.mark.slow
def test_a_longer_run_is_not_faster_because_it_is_longer() -> None:
    generator = np.random.default_rng(1)
    long, short = ([generator.lognormal(0, 0.02, size) for _ in range(40)] for size in (30, 6))
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


def test_common_drift_does_not_change_a_paired_ratio() -> None:
    drift = [np.linspace(1, 3, 6) * generation for generation in range(1, 6)]
    ratio = ratios.paired_ratio([values * 1.1 for values in drift], drift)
    assert ratio.interval is not None
    assert (ratio.interval.low, ratio.interval.high) == pytest.approx((1.1, 1.1))


def test_an_unpaired_ratio_has_nearly_welchs_interval() -> None:
    """With normal noise, the median of all ratios and its jackknife equal means and Welch's test."""
    generator = np.random.default_rng(1)
    widths, values = [], []
    for _ in range(50):
        first, second = (
            [generator.lognormal(centre + generator.normal(0, 0.02), 0.005, 6) for _ in range(5)]
            for centre in (math.log(1.2), 0.0)
        )
        means = [[np.log(values).mean() for values in side] for side in (first, second)]
        expected = scipy_stats.ttest_ind(*means, equal_var=False).confidence_interval()
        ratio = ratios.unpaired_ratio(first, second)
        assert ratio.interval is not None
        widths.append(math.log(ratio.interval.high / ratio.interval.low) / (expected.high - expected.low))
        values.append(math.log(ratio.value) - (expected.high + expected.low) / 2)
    assert float(np.median(widths)) == pytest.approx(1, abs=0.15)
    assert float(np.mean(values)) == pytest.approx(0, abs=0.003)


def test_one_process_on_each_machine_gives_a_ratio_but_no_interval() -> None:
    ratio = ratios.unpaired_ratio([np.array([3.0, 3.0])], [np.array([1.0])])
    assert ratio.value == pytest.approx(3.0)
    assert ratio.interval is None


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


def test_the_p_value_is_below_5_percent_exactly_if_the_interval_is_beyond_2_percent() -> None:
    for centre in np.linspace(-0.1, 0.1, 401):
        ratio = ratios.ratio_from(float(centre), 0.02, 7.3)
        assert ratio.interval is not None
        beyond = ratio.interval.low > 1.02 or ratio.interval.high < 0.98
        assert (ratios.p_value(ratio) < 0.05) is beyond


def test_many_ratios_read_together_are_rarely_called_different() -> None:
    """Nine equal configurations: without the correction, a tenth of the tables would have a wrong verdict."""
    generator = np.random.default_rng(5)
    wrong = {"alone": 0, "together": 0}
    for _ in range(1000):
        drawn = [
            ratios.ratio_from(0.0198 * generator.choice([-1, 1]) + generator.normal(0, 0.01), 0.01, math.inf)
            for _ in range(9)
        ]
        different = (Verdict.FASTER, Verdict.SLOWER)
        wrong["alone"] += any(ratios.verdict(ratio) in different for ratio in drawn)
        wrong["together"] += any(verdict in different for verdict in ratios.verdicts(drawn))
    assert wrong["alone"] > 100
    assert wrong["together"] <= 60


def test_a_ratio_that_is_missing_has_no_verdict_and_costs_nothing() -> None:
    clear = ratios.ratio_from(0.1, 0.035, math.inf)
    assert ratios.verdicts([clear, None, None]) == [Verdict.SLOWER, None, None]
    assert ratios.verdicts([ratios.ratio_from(0.3, 0.035, math.inf), clear]) == [Verdict.SLOWER] * 2  # step by step
    assert ratios.verdicts([clear, *[ratios.ratio_from(0.0, 0.1, math.inf)] * 3])[0] is Verdict.UNDECIDED
