"""The calibration studies detect intervals that are too narrow, and more work as more work."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from studies.calibration import percentiles, processes, self_comparison, slack
from studies.calibration.components import components
from studies.calibration.coverage import accuracy_coverage, coverage
from studies.calibration.noise import SCENARIOS, Noise
from studies.cost import litert_benchmark, wall_time
from tests.factories import result, run


@pytest.mark.slow
def test_coverage_detects_intervals_that_assume_independent_trials() -> None:
    found = coverage(SCENARIOS["processes differ"], 300)
    assert found["median, trials taken as independent"] < 0.8
    for kind in ("median", "ratio, one run", "ratio of waits"):
        assert 0.90 < found[kind] < 0.99, kind


def test_neighbours_disturb_all_configurations_for_a_while() -> None:
    times = Noise(process=0, trial=0, neighbours=0.3).draw(np.random.default_rng(0), 100, 6, 2)
    there = times > 1.1
    assert set(np.unique(times)) == {1.0, 1.24}
    assert 0.25 < there.mean() < 0.35
    alike = (there[0] == there[1]).mean()
    assert 0.3**2 + 0.7**2 + 0.1 < alike < 0.95  # more often than by chance, but not always


@pytest.mark.slow
def test_ratios_are_covered_with_neighbours_on_the_machine() -> None:
    found = coverage(Noise(process=0.006, trial=0.01, neighbours=0.3), 300)
    for kind in ("median", "ratio, one run"):
        assert 0.90 < found[kind] < 0.99, kind


def test_accuracies_are_covered() -> None:
    wilson, paired = accuracy_coverage(1_000, 0.9, 0.01, 0.02, 400)
    assert 0.91 < wilson < 0.99
    assert 0.91 < paired < 0.99


def test_drift_is_common_to_all_configurations_and_noise_is_not() -> None:
    only_drift = Noise(process=0, trial=0, drift=0.05).draw(np.random.default_rng(0), 5, 6, 2)
    np.testing.assert_allclose(only_drift[0], only_drift[1])
    assert only_drift.std() > 0.01
    noisy = Noise(process=0.01, trial=0.01).draw(np.random.default_rng(0), 5, 6, 2)
    assert not np.allclose(noisy[0], noisy[1])


@pytest.mark.slow
def test_b_does_5_percent_more_work_than_a(digits_bundle: Bundle) -> None:
    planned = self_comparison.candidates(digits_bundle, 210)
    run = run_benchmark(
        bundle_workload(digits_bundle, 210), planned, Settings(trials=1, processes=1, limit=210), Silent()
    )
    assert [result.trials[0].latencies.length for result in run.results] == [200, 200, 210, 210]


def test_repeats_add_up_to_a_table_and_to_longer_runs() -> None:
    generator = np.random.default_rng(0)

    def repeat(*, loaded: bool, more: float) -> self_comparison.Repeat:
        work = np.array([1, 1, more, more]).reshape(4, 1, 1)
        seconds = (generator.lognormal(0, 0.02, (4, 5, 6)) * work).tolist()
        return self_comparison.Repeat(loaded=loaded, processes=5, wall_seconds=1, seconds=seconds, typical=seconds)

    repeats = [
        *(repeat(loaded=False, more=1.10) for _ in range(6)),
        *(repeat(loaded=True, more=1.0) for _ in range(4)),
    ]
    # quiet, then loaded; single runs, then runs of twice the trials; with itself, then with more work
    counts = [[int(cell) for cell in cells[3:8]] for cells in _cells(self_comparison.summary(repeats))]
    quiet_itself, quiet_more_work, _, long_quiet_more_work, *loaded = counts
    assert quiet_itself[:3] == [12, 0, 0]  # comparisons, faster, slower
    assert quiet_more_work == [12, 0, 12, 0, 0]
    assert long_quiet_more_work == [6, 0, 6, 0, 0]
    assert len(loaded) == 4
    assert loaded[3][:3] == [4, 0, 0]
    estimators = _cells(self_comparison.estimator_table(repeats))
    wrong_and_found = [(cells[2], cells[4]) for cells in estimators]
    each = len(self_comparison.ESTIMATORS)
    assert wrong_and_found == [("0%", "100%")] * each + [("0%", "0%")] * each
    covered = _cells(self_comparison.coverage_table(repeats))
    assert [cells[2] for cells in covered] == ["12", "24", "8", "16"]
    assert all(int(cells[3].split("%")[0]) >= 75 for cells in covered)


def test_components_are_those_of_the_simulated_times() -> None:
    generator = np.random.default_rng(0)
    noise = Noise(process=0.006, trial=0.023, drift=0.011, neighbours=0.2)
    work = np.array([1, 1, 1.05, 1.05]).reshape(4, 1, 1)
    repeats = []
    for _ in range(200):
        seconds = noise.draw(generator, 5, 6, 4)
        typical = np.where(seconds > 1.12, 1.24, 1.0)
        repeats.append(self_comparison.Repeat(
            loaded=False, processes=5, wall_seconds=1, seconds=(seconds * work).tolist(),
            typical=(typical * work).tolist(),
        ))  # fmt: skip
    found = components(repeats)
    assert found.disturbed == pytest.approx(0.2, abs=0.02)
    assert found.slowdown == pytest.approx(0.24, abs=0.01)
    assert found.trial == pytest.approx(0.023, abs=0.003)
    assert found.drift == pytest.approx(0.011, abs=0.003)
    assert found.process == pytest.approx(0.006, abs=0.003)


def _cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


@pytest.mark.slow
def test_litert_benchmark_and_a_run_measure_the_same_model(digits_bundle: Bundle) -> None:
    model = digits_bundle.folder / "variants" / "float32.tflite"
    run = litert_benchmark.run_edge_bench(model, 1)
    assert len(run.results[0].trials) == 6
    assert litert_benchmark.run_litert_benchmark(model, 1, 50) >= 0


def test_the_budget_is_computed_from_the_timed_trials(digits_bundle: Bundle) -> None:
    selection = Selection(variants=["dynamic"], runtimes=["litert"])
    run = run_benchmark(
        bundle_workload(digits_bundle), plan(digits_bundle, selection), Settings(trials=2, processes=1), Silent()
    )
    found = wall_time.durations(run)
    assert found["budget"] == pytest.approx(1.25 * found["timed trials"] + 3)
    assert found["wall"] > found["timed trials"] + found["warm-ups"]


def slack_population(noise: Noise) -> list[list[slack.Generation]]:
    generator = np.random.default_rng(3)
    grouped: list[list[slack.Generation]] = []
    for _ in range(24):
        times = noise.draw(generator, 5, 6, 4) * np.array([1, 1, 1.05, 1.05]).reshape(4, 1, 1)
        grouped.append([[slack.Trials(each, each) for each in times[:, process]] for process in range(5)])
    return grouped


@pytest.mark.slow
def test_slacks_of_typical_times_are_covered_in_spite_of_outliers() -> None:
    rows = _cells(slack.coverage_table(slack_population(Noise(process=0.006, trial=0.02)), 600, 0.01))
    assert len(rows) == 24
    given = {(name, compared, runs): float(share[:-1]) for name, compared, runs, _, share, *_ in rows}
    right = {(name, compared, runs): float(share.split("%")[0]) for name, compared, runs, _, _, share, _ in rows}
    for key, share in right.items():
        if key[0] == "typical times" and key[2] in ("one run", "separate runs"):
            assert 91 < share < 98.5, key
            assert given[key] == 100
    assert all(given[key] < 70 for key in given if key[0] == "means")


def test_the_population_of_slacks_has_the_generations_with_all_four_configurations() -> None:
    whole = run(*(result(name, "litert", 1.0) for name in ("A", "B", "C", "D")))
    short = msgspec.structs.replace(whole.results[3], trials=whole.results[3].trials[:12])
    grouped = slack.population([whole, msgspec.structs.replace(whole, results=[*whole.results[:3], short])])
    assert [len(generations) for generations in grouped] == [5, 2]
    assert {len(trials.whole) for generations in grouped for each in generations for trials in each} == {6}
    np.testing.assert_allclose(grouped[0][0][0].whole, whole.results[0].pass_seconds()[:6])


@pytest.mark.slow
def test_percentile_coverage_detects_tails_of_single_processes() -> None:
    generator = np.random.default_rng(0)
    population = [np.exp(generator.normal(0, 0.05, 600)) for _ in range(40)]
    for kind in percentiles.OUTLIERS:
        for share, width, *_ in percentiles.coverage(population, kind, 5, 60).values():
            assert share > 0.85
            assert width > 0


def test_coverage_by_level_increases_and_begins_with_that_of_equal_levels() -> None:
    generator = np.random.default_rng(0)
    population = [np.exp(generator.normal(0, 0.05, 600)) for _ in range(40)]
    held = percentiles.coverage_by_level(population, "as measured", 5, 40)
    same = percentiles.coverage(population, "as measured", 5, 40)
    assert list(held) == list(percentiles.WANTED)
    for percentile, shares in held.items():
        assert shares.shape == (len(percentiles.LEVELS),)
        assert np.all(np.diff(shares) >= 0)
        assert shares[-1] <= 1 + 1e-9
        number = percentiles.LEVELS.index(0.99 if percentile in (90.0, 95.0) else 0.975)
        assert shares[number] == pytest.approx(same[percentile].held)  # the default levels


@pytest.mark.slow
def test_simulated_percentiles_have_the_stated_skewness_and_are_covered() -> None:
    found = percentiles.coverage(percentiles.simulated(1.0), "as measured", 5, 40)
    assert found[90.0].skewness == pytest.approx(1.0, abs=0.2)
    assert found[90.0].held > 0.8
    assert found[90.0].too_low <= 1 - found[90.0].held


def test_process_studies_find_two_speeds_only_in_data_with_two_speeds() -> None:
    quiet = Noise(process=0, trial=0.005)
    assert processes.found_with_luck(quiet, 0.06, 20) == 1.0
    assert processes.found_without_luck(quiet, 20) == (0.0, 0.0)
    assert processes.lost_best_rows(quiet, 0.0, 4, 5) == (0.0, 1.0)
