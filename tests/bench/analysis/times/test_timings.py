"""Which times of two configurations are compared."""

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.times.compared_times import compare_times
from edge_bench.bench.analysis.times.timings import Estimator, RunResult
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Result
from tests.factories import result, run

IMAGES = 100


def timed(seconds: float, *, disturbed: float = 0.0, batch_size: int = 1, variant: str = "dynamic") -> Result:
    """A result with a latency per invocation; the share ``disturbed`` of them took three times as long."""
    plain = result(variant, "litert", seconds)
    generator = np.random.default_rng(1)
    trials = []
    for trial in plain.trials:
        each = np.full(-(-IMAGES // batch_size), seconds * batch_size / IMAGES * 1e9)
        each[generator.random(len(each)) < disturbed] *= 3
        trials.append(
            msgspec.structs.replace(trial, elapsed_ns=int(each.sum() * 1.1), latencies=pack(each.astype(np.int64)))
        )
    configuration = msgspec.structs.replace(plain.configuration, batch_size=batch_size)
    return msgspec.structs.replace(plain, configuration=configuration, trials=trials)


def ratio(item: Result, base: Result) -> float:
    both = run(item, base)
    found = compare_times(RunResult(both, item), RunResult(both, base)).ratio
    assert found is not None
    return found.value


def test_disturbances_of_a_third_of_the_invocations_do_not_change_the_ratio() -> None:
    assert ratio(timed(1.05, disturbed=0.3), timed(1.0, variant="float32")) == pytest.approx(1.05)


def test_a_typical_pass_is_the_median_invocation_times_their_number() -> None:
    item = timed(1.0, batch_size=3)  # 34 invocations, the last of one image
    measured = RunResult(run(item), item)
    assert measured.typical_seconds()[0][0] == pytest.approx(1.0)


@pytest.mark.parametrize("other", [timed(1.0, batch_size=4), timed(1.0, batch_size=50), result("int8", "litert", 1.1)])
def test_other_batch_sizes_or_few_invocations_are_compared_by_whole_passes(other: Result) -> None:
    item = timed(1.0, disturbed=0.3)
    both = run(item, other)
    assert compare_times(RunResult(both, item), RunResult(both, other)).estimator is Estimator.WHOLE
    assert ratio(item, other) == pytest.approx(item.pass_seconds().mean() / other.pass_seconds().mean(), rel=0.02)


def test_equal_batch_sizes_with_enough_invocations_are_compared_by_typical_ones() -> None:
    item, other = timed(1.0), timed(1.0, variant="float32")
    both = run(item, other)
    assert compare_times(RunResult(both, item), RunResult(both, other)).estimator is Estimator.TYPICAL
