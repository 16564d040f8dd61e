"""The proofs prove something: they see an interval that is too narrow, and more work as more work."""

from pathlib import Path

import numpy as np
import pytest

from bench.benchmark import run_benchmark
from bench.bundle import Bundle
from bench.plan import Selection, plan
from bench.progress import Silent
from bench.results import Settings
from bench.stats import Interval, Ratio, Verdict
from calibration import litert_benchmark, self_comparison, wall_time
from calibration.coverage import accuracy_coverage, coverage
from calibration.noise import SCENARIOS, Noise


def test_coverage_sees_intervals_that_take_trials_as_independent() -> None:
    found = coverage(SCENARIOS["processes differ"], 300)
    assert found["median, trials taken as independent"] < 0.8
    for kind in ("median", "ratio, one run", "ratio, two machines"):
        assert 0.90 < found[kind] < 0.99, kind


def test_accuracies_are_covered() -> None:
    wilson, paired = accuracy_coverage(1_000, 0.9, 0.01, 0.02, 400)
    assert 0.91 < wilson < 0.99
    assert 0.91 < paired < 0.99


def test_drift_hits_all_configurations_alike_and_noise_does_not() -> None:
    only_drift = Noise(process=0, trial=0, drift=0.05).draw(np.random.default_rng(0), 5, 6, 2)
    np.testing.assert_allclose(only_drift[0], only_drift[1])
    assert only_drift.std() > 0.01
    noisy = Noise(process=0.01, trial=0.01).draw(np.random.default_rng(0), 5, 6, 2)
    assert not np.allclose(noisy[0], noisy[1])


def test_b_does_5_percent_more_work_than_a(digits_bundle: Bundle) -> None:
    planned = self_comparison.candidates(digits_bundle, 210)
    run = run_benchmark(digits_bundle, planned, Settings(trials=2, processes=1, limit=210), Silent())
    assert [result.trials[0].latencies.length for result in run.results] == [200, 200, 210]


def test_repeats_add_up_to_a_table() -> None:
    def repeat(*, loaded: bool, more: float) -> self_comparison.Repeat:
        same, other = Ratio(1.0, Interval(0.97, 1.03)), Ratio(more, Interval(more - 0.01, more + 0.01))
        return self_comparison.Repeat(loaded=loaded, same=same, more=other, wall_seconds=1, seconds=[])

    text = self_comparison.summary([repeat(loaded=False, more=1.05), repeat(loaded=True, more=1.0)])
    quiet, loaded = ([line for line in text.splitlines() if word in line] for word in ("quiet", "one core busy"))
    assert "100%" in quiet[1]
    assert "0%" in loaded[1]
    assert Verdict.FASTER in text


@pytest.mark.slow
def test_litert_benchmark_and_a_run_can_stand_side_by_side(digits_bundle: Bundle, tmp_path: Path) -> None:
    model = digits_bundle.folder / "variants" / "float32.tflite"
    bundle = litert_benchmark.bundle_around(model, tmp_path / "around")
    run = litert_benchmark.ours(bundle, 1)
    assert len(run.results[0].trials) == 6
    assert litert_benchmark.theirs(model, 1, 50) >= 0


def test_the_budget_counts_what_was_timed(digits_bundle: Bundle) -> None:
    selection = Selection(variants=["dynamic"], runtimes=["litert"])
    run = run_benchmark(digits_bundle, plan(digits_bundle, selection), Settings(trials=2, processes=1), Silent())
    found = wall_time.shares(run)
    assert found["budget"] == pytest.approx(1.25 * found["timed trials"] + 3)
    assert found["wall"] > found["timed trials"] + found["warm-ups"]
