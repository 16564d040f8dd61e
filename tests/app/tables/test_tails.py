"""Percentiles, slow trials and processes that differ in the table of a Run."""

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Result, Settings
from edge_bench.bench.stats.intervals import Values
from tests.bench.messages import numbers_in
from tests.factories import machine, result, run


def made(seconds: Values, latencies: int = 3, process: int | None = None) -> Result:
    """Thirty trials that take ``seconds``, each with as many latencies of 1 to 2 ms."""
    base = result("dynamic", "litert", 1.0)
    generator = np.random.default_rng(0)
    trials = [
        msgspec.structs.replace(
            trial, elapsed_ns=int(1e9 * each), process=trial.process if process is None else process,
            round=trial.round if process is None else trial.sequence_number,
            latencies=pack(generator.integers(1_000_000, 2_000_000, latencies)),
        )
        for trial, each in zip(base.trials, seconds, strict=True)
    ]  # fmt: skip
    return msgspec.structs.replace(base, trials=trials)


def test_percentiles_have_intervals_in_json_and_a_note() -> None:
    table = run_table(run(made(np.ones(30), latencies=100)))
    (record,) = table.records
    for name in ("p50", "p90", "p99"):
        low, value, high = (record[f"latency_{name}{part}_ms"] for part in ("_low", "", "_high"))
        assert 1 <= low <= value <= high <= 2
    assert any("p99" in note and record["latency_p99_ms"] == pytest.approx(numbers_in(note)[-3], rel=0.01)
               for note in table.notes if len(numbers_in(note)) > 3)  # fmt: skip


def test_a_percentile_without_enough_latencies_is_missing_without_a_note() -> None:
    table = run_table(run(made(np.ones(30), latencies=10)))
    (record,) = table.records
    assert record["latency_p90_ms"] is not None
    assert (record["latency_p99_ms"], record["latency_p99_low_ms"]) == (None, None)
    assert not any(500 in numbers_in(note) for note in table.notes)


def test_one_process_has_estimates_without_intervals() -> None:
    table = run_table(run(made(np.ones(30), latencies=100, process=0)))
    (record,) = table.records
    assert record["latency_p99_ms"] is not None
    assert record["latency_p99_low_ms"] is None
    assert any("one process" in note for note in table.notes)


def test_slow_trials_are_counted_unless_emulated() -> None:
    seconds = np.ones(30)
    seconds[[3, 9, 17, 25]] = [1.12, 1.24, 1.2, 1.11]
    table = run_table(run(made(seconds)))
    (record,) = table.records
    assert record["slow_trials"] == 4
    assert record["slowest_trial_excess"] == pytest.approx(0.24)
    assert any({4, 30, 24} <= set(numbers_in(note)) for note in table.notes)
    emulated = run_table(run(made(seconds), on=machine(emulated=True, emulation_signs=["a sign"])))
    assert not any({4, 30, 24} <= set(numbers_in(note)) for note in emulated.notes)


def test_process_luck_recommends_more_processes() -> None:
    table = run_table(run(made(np.repeat([1.0, 1.06, 1.0, 1.06, 1.06], 6))))
    (record,) = table.records
    assert record["process_luck"]
    assert record["process_spread"] == pytest.approx(0.06)
    assert any("--processes 10" in note for note in table.notes)


def test_a_failed_configuration_has_no_figures() -> None:
    (record,) = run_table(run(msgspec.structs.replace(made(np.ones(30)), trials=[]))).records
    for name in ("latency_p50_ms", "latency_p99_high_ms", "latency_max_ms", "slow_trials", "process_luck"):
        assert record[name] is None


def test_the_spread_of_resampled_accuracy_is_labelled() -> None:
    resampled = msgspec.structs.replace(run(made(np.ones(30))), settings=Settings(resample=50))
    plain, labelled = (run_table(each).header for each in (run(made(np.ones(30))), resampled))
    assert not any("sd over trials" in name for name in plain)
    assert any("sd over trials" in name for name in labelled)
