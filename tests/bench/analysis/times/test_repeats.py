"""Variation of a configuration's time between repeated Runs."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.times.repeats import run_to_run
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Failure, Result, Run
from tests.factories import result, run


def with_latencies(whole: Result, milliseconds: float) -> Result:
    """Every invocation takes as long; trials last twice as long as their invocations."""
    latencies = pack(np.full(100, milliseconds * 1e6).astype(np.int64))
    trials = [
        msgspec.structs.replace(trial, latencies=latencies, elapsed_ns=int(200 * milliseconds * 1e6))
        for trial in whole.trials
    ]
    return msgspec.structs.replace(whole, trials=trials)


def group(*results: Result) -> list[Run]:
    return [
        msgspec.structs.replace(run(each), repeat_group="g", repeat=number) for number, each in enumerate(results, 1)
    ]


def test_levels_are_of_typical_invocations_and_vary_as_their_logarithms_do() -> None:
    times = [2.0, 2.1, 2.2, 1.9]
    (variation,) = run_to_run(group(*(with_latencies(result("dynamic", "litert", 1.0), ms) for ms in times)))
    assert variation.typical
    assert variation.levels == pytest.approx([ms / 1e3 for ms in times])
    assert variation.n == 4
    assert variation.median == pytest.approx(2.05e-3)
    assert variation.standard_deviation == pytest.approx(np.std(np.log(times), ddof=1))
    assert variation.range == pytest.approx(2.2 / 1.9 - 1)


def test_levels_are_of_whole_passes_if_one_run_has_too_few_invocations() -> None:
    few = result("dynamic", "litert", 3.0)  # three invocations per trial
    (variation,) = run_to_run(group(with_latencies(few, 2.0), few))
    assert not variation.typical
    assert variation.levels == pytest.approx([4e-3, 30e-3], rel=0.01)


def test_a_run_in_which_the_configuration_failed_gives_no_level() -> None:
    good = result("dynamic", "litert", 1.0)
    failed = msgspec.structs.replace(good, trials=good.trials[:3], failure=Failure(kind="crashed", message=""))
    (variation,) = run_to_run(group(good, failed))
    assert (variation.n, variation.standard_deviation, variation.range) == (1, None, None)
    (nothing,) = run_to_run(group(failed))
    assert (nothing.n, nothing.median, nothing.typical) == (0, None, False)


def test_predictions_that_differ_between_runs_are_counted_once_per_image() -> None:
    right = result("dynamic", "litert", 1.0)
    labels = right.labels()
    labels[[3, 5]] += 1
    other = msgspec.structs.replace(right, predictions=pack(labels))
    labels[[5, 7]] += 1
    third = msgspec.structs.replace(right, predictions=pack(labels))
    assert [each.differing_predictions for each in run_to_run(group(right, right))] == [0]
    assert [each.differing_predictions for each in run_to_run(group(right, other, third))] == [3]
    unseen = msgspec.structs.replace(third, unseen_positions=pack(np.array([3, 5])))
    assert [each.differing_predictions for each in run_to_run(group(right, unseen))] == [1]
