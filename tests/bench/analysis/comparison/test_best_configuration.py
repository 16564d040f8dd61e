"""The best configuration of a sweep, and trials that draw their own images."""

import json

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.best_configuration import best_of_sweeps
from edge_bench.bench.dataset.sampling import draw_for_trial
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure.options.scenario import Scenario, batch_sizes_for
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Result, Settings
from edge_bench.bench.stats.intervals import Values
from tests.bench.messages import numbers_in
from tests.command_line import CommandLine, Refuses
from tests.factories import machine, measure, result, run


def batch(size: int, seconds: float, noise: float = 0.001) -> Result:
    made = result("dynamic", "litert", seconds, noise=noise)
    return msgspec.structs.replace(made, configuration=msgspec.structs.replace(made.configuration, batch_size=size))


def best_sizes(*results: Result, emulated: bool = False) -> list[int]:
    on = machine(emulated=emulated, emulation_signs=["a sign"] if emulated else [])
    return sorted(configuration.batch_size for configuration in best_of_sweeps(run(*results, on=on)))


def test_the_best_of_a_sweep_are_the_fastest_and_those_not_significantly_slower() -> None:
    assert best_sizes(batch(1, 2.0), batch(8, 1.0), batch(32, 1.5)) == [8]
    assert best_sizes(batch(1, 2.0), batch(8, 1.0), batch(32, 1.005)) == [8, 32]


@pytest.mark.slow
def test_thirty_equal_rows_with_two_speeds_of_processes_keep_their_mark() -> None:
    generator = np.random.default_rng(1)
    lost = 0
    for _ in range(20):
        slow = generator.random((30, 5, 1)) < 0.5
        times = np.exp(generator.normal(0, 0.005, (30, 5, 6))) * np.where(slow, 1.06, 1)
        rows = [with_times(batch(number + 1, 1.0), each.ravel()) for number, each in enumerate(times)]
        lost += len(best_sizes(*rows)) < 30
    assert lost <= 1


def with_times(made: Result, seconds: Values) -> Result:
    trials = [
        msgspec.structs.replace(trial, elapsed_ns=int(1e9 * each))
        for trial, each in zip(made.trials, seconds, strict=True)
    ]
    return msgspec.structs.replace(made, trials=trials)


def test_a_single_configuration_and_emulated_times_have_no_best() -> None:
    assert best_sizes(batch(1, 2.0)) == []
    assert best_sizes(batch(1, 2.0), batch(8, 1.0), emulated=True) == []


def test_the_table_marks_the_best() -> None:
    table = run_table(run(batch(1, 2.0), batch(8, 1.0)))
    assert [record["best"] for record in table.records] == [False, True]
    assert [any("*" in cell for cell in cells) for cells in table.rows] == [False, True]


def test_scenarios_choose_batch_sizes() -> None:
    assert batch_sizes_for(Scenario.OFFLINE, None) == (1, 8, 32, 100)
    assert batch_sizes_for(Scenario.OFFLINE, [4]) == [4]
    assert batch_sizes_for(Scenario.SINGLE_STREAM, None) == (1,)
    assert batch_sizes_for(None, None) is None
    with pytest.raises(BadInput):
        batch_sizes_for(Scenario.SINGLE_STREAM, [8])


def test_every_round_draws_other_images() -> None:
    first = draw_for_trial(100, 30, seed=1, process=0, round_number=0)
    assert len(np.unique(first)) == 30
    np.testing.assert_array_equal(first, draw_for_trial(100, 30, 1, 0, 0))
    assert not np.array_equal(first, draw_for_trial(100, 30, 1, 0, 1))
    assert not np.array_equal(first, draw_for_trial(100, 30, 1, 1, 0))
    assert len(draw_for_trial(10, 30, 1, 0, 0)) == 10


@pytest.mark.slow
def test_with_resample_each_trial_classifies_its_own_images(digits_bundle: Bundle) -> None:
    made = measure(
        digits_bundle,
        Selection(variants=["float32", "dynamic"], runtimes=["litert"]),
        Settings(trials=2, processes=2, limit=120, resample=30),
    )
    assert made.images_per_pass == 30
    assert any(30 in numbers_in(note) for note in run_table(made).notes)
    places = [
        [unpack(trial.image_positions).tolist() for trial in each.trials if trial.image_positions]
        for each in made.results
    ]
    assert places[0] == places[1]  # so that configurations stay paired
    assert len({tuple(drawn) for drawn in places[0]}) == 2
    truth = unpack(made.images.labels).astype(int)
    for each in made.results:
        labels = each.labels()
        seen = sorted({place for drawn in places[0] for place in drawn})
        assert np.flatnonzero(labels >= 0).tolist() == seen
        assert made.correct(each) == (int((labels[seen] == truth[seen]).sum()), len(seen))
        for trial, drawn in zip(each.trials, places[0], strict=True):
            assert trial.correct == int((labels[drawn] == truth[drawn]).sum())
            assert trial.latencies.length == 30


@pytest.mark.slow
@pytest.mark.usefixtures("measure_here")
def test_run_reports_the_best_batch_size_and_the_spread_of_accuracy(
    edge_bench_here: CommandLine, digits_bundle: Bundle
) -> None:
    done = edge_bench_here(
        "run", digits_bundle.folder, "--variant", "float32", "--runtime", "litert", "--trials", 3, "--processes", 3,
        "--limit", 100, "--scenario", "offline", "--batch-size", "1,32", "--resample", 40, "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["batch_size"], row["images"]) for row in rows] == [(1, 40), (32, 40)]
    assert max(rows, key=lambda row: row["images_a_second"])["best"]
    assert all(row["accuracy_sd"] > 0 for row in rows)
    assert sum(rows[0]["latency_histogram"]["counts"]) == 120


def test_single_stream_with_batches_is_refused(refuses: Refuses, digits_bundle: Bundle) -> None:
    error = refuses("run", digits_bundle.folder, "--scenario", "single-stream", "--batch-size", 8)
    assert "single-stream" in error.problem
    assert "--batch-size" in f"{error.problem} {error.remedy}"
