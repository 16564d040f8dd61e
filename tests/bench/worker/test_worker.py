"""Steps of a worker, with a session and a clock that the test controls."""

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.runtimes.base import Clock, PassTimes
from edge_bench.bench.worker.warmup import measured_pass_ns, warm_up, warm_up_passes
from tests.command_line import REPOSITORY

UNIT = Preprocessing(scale=1 / 255, offset=0.0)
IMAGES = np.arange(256, dtype=np.uint8).reshape(4, 8, 8, 1)


class FakeClock:
    """Time passes only when a session works."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class FakeSession:
    """Takes exactly ``cost`` ns per invocation."""

    input = TensorSpec(dtype="float32", shape=[1, 8, 8, 1])
    output = TensorSpec(dtype="float32", shape=[1, 10])
    fixed_batch: int | None = None
    warning = ""

    def __init__(self, clock: FakeClock, cost: int, batch_size: int, reset_cost: int = 0) -> None:
        self.clock, self.cost, self.batch_size, self.seen = clock, cost, batch_size, list[int]()
        self.reset_cost = reset_cost  # ns per invocation

    def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.zeros((len(batch), 10), np.float32)

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        invocations = -(-len(inputs) // self.batch_size)
        began = self.clock.now + self.reset_cost + (self.reset_cost + self.cost) * np.arange(invocations)
        self.clock.now += (self.reset_cost + self.cost) * invocations
        self.seen.append(len(inputs))
        return PassTimes(began, began + self.cost, self.reset_cost * invocations)


def spec(dtype: str, scale: float = 0.0, zero_point: int = 0) -> TensorSpec:
    return TensorSpec(dtype=dtype, shape=[1, 8, 8, 1], scale=scale, zero_point=zero_point)


def test_floats_are_scaled_pixels() -> None:
    inputs = model_inputs(IMAGES, UNIT, spec("float32"))
    assert inputs.dtype == np.float32
    np.testing.assert_allclose(inputs.ravel(), np.arange(256) / 255, rtol=1e-6)


def test_uint8_inputs_with_the_scale_of_the_pixels_are_the_pixels() -> None:
    np.testing.assert_array_equal(model_inputs(IMAGES, UNIT, spec("uint8", 1 / 255)), IMAGES)


def test_int8_is_rounded_shifted_and_clipped() -> None:
    inputs = model_inputs(IMAGES, UNIT, spec("int8", 1 / 255, -128))
    np.testing.assert_array_equal(inputs.ravel(), np.arange(256) - 128)
    coarse = model_inputs(IMAGES, Preprocessing(scale=1.0, offset=0.0), spec("int8", 1.0, 0))
    assert coarse.max() == 127


@pytest.mark.parametrize(
    ("unfit", "named"),
    [(spec("int32"), "int32"), (TensorSpec(dtype="float32", shape=[1, 9, 9, 1]), "9, 9, 1")],
)
def test_a_model_that_does_not_fit_the_images_is_refused(unfit: TensorSpec, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        model_inputs(IMAGES, UNIT, unfit)


def test_warm_up_lasts_half_a_second_and_predicts_a_pass() -> None:
    clock = FakeClock()
    session = FakeSession(clock, cost=40_000_000, batch_size=1)
    duration, invocations, pass_ns = warm_up(session, IMAGES[:1], np.zeros((1, 10)), 4, clock, 500_000_000)
    assert invocations == 13  # the first count of 40 ms that reaches 500 ms
    assert duration == 520_000_000
    assert pass_ns == 4 * 40_000_000


def test_warm_up_of_a_slow_model_still_includes_the_smaller_last_batch() -> None:
    clock = FakeClock()
    session = FakeSession(clock, cost=10**12, batch_size=3)
    _, invocations, _ = warm_up(session, IMAGES, np.zeros((4, 10)), 4, clock)
    assert session.seen == [4]  # a batch of three and the rest of one
    assert invocations == 2


def test_a_slow_first_call_does_not_change_the_expected_pass() -> None:
    clock = FakeClock()
    durations = iter([400_000_000, *[10_000_000] * 50])

    def run_pass() -> PassTimes:
        clock.now += next(durations)
        return PassTimes(np.zeros(1, np.int64), np.zeros(1, np.int64))

    _, invocations, pass_ns = warm_up_passes(run_pass, 1, 4, clock, 500_000_000)
    assert invocations == 11
    assert pass_ns == 40_000_000


def test_a_pass_that_is_expected_to_be_short_is_measured() -> None:
    trials = iter([400_000_000, 90_000_000])  # the first one compiles
    assert measured_pass_ns(500_000_000, lambda: next(trials)) == 90_000_000
    assert measured_pass_ns(2 * 10**9, lambda: next(trials)) == 2 * 10**9


def test_resets_of_a_models_state_are_no_part_of_the_expected_pass() -> None:
    clock = FakeClock()
    session = FakeSession(clock, cost=40_000_000, batch_size=1, reset_cost=10_000_000)
    duration, invocations, pass_ns = warm_up(session, IMAGES[:1], np.zeros((1, 10)), 4, clock, 500_000_000)
    assert (duration, invocations, pass_ns) == (500_000_000, 10, 160_000_000)


def test_peak_memory_grows_with_allocations() -> None:
    # in its own process: in this one, earlier tests may have used more memory
    code = (
        "import numpy as np\n"
        "from edge_bench.bench.worker.limits import peak_memory\n"
        "before = peak_memory()\n"
        "block = np.ones(64 << 20, dtype=np.uint8)\n"
        "print(peak_memory() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert (48 << 20) < int(done.stdout) < (96 << 20)
