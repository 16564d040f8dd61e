"""Bare interpreters load every kind of model. Their error messages are reported."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.worker.load_check import OPEN_SIZES, LoadOutcome, try_load
from edge_bench.bench.worker.process import WorkerFailed, describe_model
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import detection_model, lstm_model

INSTALLED = [each.name for each in RUNTIMES.values() if each.has_interpreter and installed_version(each)]
LOADED = LoadOutcome()
pytestmark = pytest.mark.parametrize("runtime", INSTALLED)


def copying(path: Path, kind: str, *shape: int) -> Path:
    """Write a model that reshapes its input to its own shape."""
    made = TfliteBuilder()
    taken, given = made.tensor(*shape, kind=kind), made.tensor(*shape, kind=kind)
    sizes = made.tensor(len(shape), data=np.array(shape, np.int32), kind="INT32")
    made.operator("RESHAPE", [taken, sizes], [given], schema.ReshapeOptionsT())
    return made.save(path, [taken], [given])


@pytest.mark.slow
def test_models_of_any_inputs_and_outputs_are_loaded(runtime: str, tmp_path: Path) -> None:
    files = [
        detection_model(tmp_path / "detection.tflite"),
        lstm_model(tmp_path / "lstm.tflite"),
        copying(tmp_path / "one-axis.tflite", "FLOAT32", 8),
        copying(tmp_path / "scalar.tflite", "FLOAT32"),
        copying(tmp_path / "tokens.tflite", "INT32", 1, 8),
        copying(tmp_path / "text.tflite", "STRING", 2),
    ]
    made = TfliteBuilder()
    given = made.tensor(2)
    made.operator("ABS", [made.tensor(2, data=True)], [given])
    files.append(made.save(tmp_path / "no-input.tflite", [], [given]))
    assert {file.name: try_load(runtime, file, 60) for file in files} == {file.name: LOADED for file in files}


@pytest.mark.slow
@pytest.mark.parametrize("custom", ["made_up", "FlexErf", "", None, "Flex\x1b[31m\nx"])
def test_unresolved_custom_operators_are_refused_by_name(runtime: str, custom: str | None, tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4), made.tensor(1, 4)
    made.operator("CUSTOM", [taken], [given], custom=custom)
    file = made.save(tmp_path / "x.tflite", [taken], [given])
    with pytest.raises(WorkerFailed) as caught:
        describe_model(runtime, file, 60)  # as run loads it
    for message in (try_load(runtime, file, 60).refusal, caught.value.failure.message):
        assert (custom or "custom").split("\x1b")[0] in message
        assert "IndexError" not in message


@pytest.mark.slow
def test_a_model_that_needs_larger_sizes_than_are_stored_is_loaded(runtime: str, tmp_path: Path) -> None:
    """A convolution of 3×3 without padding does not fit an image of 1×1."""
    made = TfliteBuilder()
    taken = made.tensor(1, 1, 1, 3, open_shape=(-1, -1, -1, 3))
    given = made.tensor(1, 1, 1, 6, open_shape=(-1, -1, -1, 6))
    options = schema.Conv2DOptionsT(padding=schema.Padding.VALID, strideH=1, strideW=1)
    weights, bias = made.tensor(6, 3, 3, 3, data=True), made.tensor(6, data=True)
    made.operator("CONV_2D", [taken, weights, bias], [given], options)
    outcome = try_load(runtime, made.save(tmp_path / "x.tflite", [taken], [given]), 60)
    assert outcome == LoadOutcome(sizes=[OPEN_SIZES[0]])


@pytest.mark.slow
def test_a_model_that_loads_but_cannot_be_invoked_is_loaded(runtime: str, tmp_path: Path) -> None:
    """A row of an empty table cannot be gathered, which is noticed in the invocation."""
    made = TfliteBuilder()
    taken, given = made.tensor(1, kind="INT32"), made.tensor(1, 4)
    made.operator("GATHER", [made.tensor(0, 4, data=np.zeros(0, np.float32)), taken], [given], schema.GatherOptionsT())
    outcome = try_load(runtime, made.save(tmp_path / "x.tflite", [taken], [given]), 60)
    assert outcome.refusal == ""
    assert outcome.invocation


@pytest.mark.slow
def test_a_crash_is_a_refusal_with_its_signal(runtime: str, tmp_path: Path) -> None:
    """The kernel of Mfcc reads options that are not there."""
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4), made.tensor(1, 4)
    made.operator("CUSTOM", [taken], [given], custom="Mfcc")
    assert "SIG" in try_load(runtime, made.save(tmp_path / "x.tflite", [taken], [given]), 60).refusal
