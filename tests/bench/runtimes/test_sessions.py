"""Sessions of all runtimes with models whose input, output or state is unusual."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.runtimes import RUNTIMES, Session, loader
from edge_bench.bench.runtimes.base import ModelFile, with_known_output
from edge_bench.bench.runtimes.scores import class_count
from tests.made.brightness import bright_inputs, brightness_weights, level
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder
from tests.models import OPENVINO

#: tflite-runtime and LiteRT cannot be loaded into one process; test_unusual_models.py has tflite-runtime in workers.
LITE = ["litert"]
TFLITE, ONNX = [*LITE, OPENVINO], ["onnxruntime", OPENVINO]
#: Inputs of a model that adds them to its state, [examples, values].
EXAMPLES = np.random.default_rng(0).random((20, 3), np.float32)


def opened(runtime: str, path: Path, batch_size: int | None = None, **settings: Any) -> Session:
    return with_known_output(loader(RUNTIMES[runtime])(ModelFile(path, 1, batch_size, **settings)))


def scores_of(session: Session, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    scores = np.zeros((len(inputs), *(max(1, size) for size in session.output.shape[1:])), session.output.dtype)
    times = session.classify(inputs, scores, time.perf_counter_ns)
    assert len(times.began) == -(-len(inputs) // session.batch_size)
    assert np.all(times.ended > times.began)
    assert np.all(times.began[1:] >= times.ended[:-1])
    return scores.reshape(len(inputs), -1)


def running_sum(path: Path, classes: int = 3) -> Path:
    graph = TfliteBuilder()
    values = graph.tensor(1, classes)
    return graph.save(path, [values], [graph.running_sum(values, classes)])


def brightness(graph: TfliteBuilder, value: int, batch: int = 1, classes: int = 5, values: int = 12) -> int:
    return graph.dense(value, *brightness_weights(range(classes), values), batch=batch)


@pytest.mark.parametrize("runtime", LITE)
def test_variable_tensors_are_reset_before_every_example(runtime: str, tmp_path: Path) -> None:
    session = opened(runtime, running_sum(tmp_path / "sum.tflite"))
    np.testing.assert_allclose(scores_of(session, EXAMPLES), EXAMPLES, rtol=1e-6)
    np.testing.assert_allclose(session.invoke(EXAMPLES[:1]), EXAMPLES[:1], rtol=1e-6)
    assert not session.warning


@pytest.mark.parametrize("runtime", LITE)
def test_a_streaming_model_keeps_its_state(runtime: str, tmp_path: Path) -> None:
    session = opened(runtime, running_sum(tmp_path / "sum.tflite"), stateful=True)
    np.testing.assert_allclose(scores_of(session, EXAMPLES), np.cumsum(EXAMPLES, axis=0), rtol=1e-5)


@pytest.mark.parametrize("runtime", LITE)
def test_resets_are_between_invocations_and_reported(runtime: str, tmp_path: Path) -> None:
    session, scores = opened(runtime, running_sum(tmp_path / "sum.tflite")), np.zeros_like(EXAMPLES)
    start = time.perf_counter_ns()
    times = session.classify(EXAMPLES, scores, time.perf_counter_ns)
    assert 0 < times.reset_ns <= time.perf_counter_ns() - start - int((times.ended - times.began).sum())
    graph = TfliteBuilder()
    value = graph.tensor(1, 2, 2, 3)
    stateless = opened(runtime, graph.save(tmp_path / "a.tflite", [value], [brightness(graph, value)]))
    assert (
        stateless.classify(
            bright_inputs(range(5), 2, 2, 3), np.zeros((5, 5), np.float32), time.perf_counter_ns
        ).reset_ns
        == 0
    )


@pytest.mark.parametrize("runtime", TFLITE)
def test_an_input_of_one_axis_is_one_example(runtime: str, tmp_path: Path) -> None:
    graph = TfliteBuilder()
    value = graph.tensor(12)
    session = opened(runtime, graph.save(tmp_path / "wave.tflite", [value], [brightness(graph, value)]))
    assert (session.input.shape, session.output.shape, session.fixed_batch) == ([1, 12], [1, 5], 1)
    assert scores_of(session, bright_inputs(range(5), 12)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("runtime", TFLITE)
@pytest.mark.parametrize("shape", [[5], [1, 5, 1, 1], [1, 1, 5], [1, 1, 1, 5]])
def test_tflite_scores_of_any_shape(runtime: str, shape: list[int], tmp_path: Path) -> None:
    graph = TfliteBuilder()
    value = graph.tensor(1, 2, 2, 3)
    path = graph.save(tmp_path / "a.tflite", [value], [graph.reshape(brightness(graph, value), *shape)])
    assert scores_of(opened(runtime, path), bright_inputs(range(5), 2, 2, 3)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("runtime", TFLITE)
def test_a_fixed_batch_is_the_default_and_the_last_one_is_padded(runtime: str, tmp_path: Path) -> None:
    graph = TfliteBuilder()
    value = graph.tensor(4, 2, 2, 3)
    path = graph.save(tmp_path / "four.tflite", [value], [brightness(graph, value, batch=4)])
    session = opened(runtime, path)
    assert (session.batch_size, session.fixed_batch) == (4, 4)
    assert scores_of(session, bright_inputs(range(5), 2, 2, 3)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="batches of 4, not 1"):
        opened(runtime, path, 1)


@pytest.mark.parametrize("runtime", TFLITE)
def test_open_axes_of_a_tflite_file_stay_open_until_they_are_stated(runtime: str, tmp_path: Path) -> None:
    graph = TfliteBuilder()
    value = graph.tensor(1, 1, 1, 3, open_shape=[-1, -1, -1, 3])
    axes = graph.tensor(2, data=np.array([1, 2], np.int32), kind="INT32")
    pooled = graph.operator("MEAN", [value, axes], [graph.tensor(1, 3, open_shape=[-1, 3])], schema.ReducerOptionsT())
    path = graph.save(tmp_path / "open.tflite", [value], [pooled])
    described = opened(runtime, path)
    assert (described.input.shape, described.fixed_batch) == ([1, -1, -1, 3], None)
    session = opened(runtime, path, 2, input_shape=(4, 6, 3))
    assert (session.input.shape, session.output.shape) == ([2, 4, 6, 3], [2, 3])
    np.testing.assert_allclose(
        scores_of(session, bright_inputs(range(3), 4, 6, 3))[:, 0], [level(k) / 255 for k in range(3)], 1e-5
    )


@pytest.mark.parametrize("runtime", ONNX)
@pytest.mark.parametrize("shape", [["N", 5, 1, 1], ["N", 1, 5], [1, 5], ["N", "classes"], ["N", 5, "h", "w"]])
def test_onnx_scores_of_any_shape(runtime: str, shape: list[Any], tmp_path: Path) -> None:
    graph = OnnxBuilder()
    scores = graph.add_brightness(range(5), 12, "scores")
    sizes = [-1, *(size if isinstance(size, int) else {"classes": 5}.get(size, 1) for size in shape[1:])]
    graph.add("Reshape", [scores, graph.constant("shape", np.array(sizes))], "y")
    session = opened(runtime, graph.save(tmp_path / "a.onnx", ["N", 3, 2, 2], shape))
    assert session.fixed_batch is None
    assert scores_of(session, bright_inputs(range(5), 3, 2, 2)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("runtime", ONNX)
def test_onnx_without_a_batch_axis(runtime: str, tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Reshape", ["x", graph.constant("row", np.array([1, 12]))], "row_x")
    weights, biases = brightness_weights(range(5), 12)
    graph.add("MatMul", ["row_x", graph.constant("w", weights)], "product")
    graph.add("Add", ["product", graph.constant("b", biases)], "sum")
    graph.add("Reshape", ["sum", graph.constant("flat", np.array([5]))], "y")
    session = opened(runtime, graph.save(tmp_path / "wave.onnx", [12], [5]))
    assert (session.input.shape, session.output.shape, session.fixed_batch) == ([1, 12], [1, 5], 1)
    assert scores_of(session, bright_inputs(range(5), 12)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("runtime", ONNX)
def test_open_axes_and_a_fixed_batch_of_onnx(runtime: str, tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("GlobalAveragePool", ["x"], "y")
    path = graph.save(tmp_path / "open.onnx", ["batch", 3, "height", "width"], ["batch", 3, "h", "w"])
    described = opened(runtime, path)
    assert (described.input.shape, described.fixed_batch) == ([1, 3, -1, -1], None)
    assert class_count(described.output) == 3
    session = opened(runtime, path, 2, input_shape=(3, 4, 6))
    assert (session.input.shape, session.output.shape) == ([2, 3, 4, 6], [2, 3, 1, 1])
    four = OnnxBuilder()
    four.add_brightness(range(5), 12)
    fixed = opened(runtime, four.save(tmp_path / "four.onnx", [4, 3, 2, 2], [4, 5]))
    assert (fixed.batch_size, fixed.fixed_batch) == (4, 4)
    assert scores_of(fixed, bright_inputs(range(5), 3, 2, 2)).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("runtime", ONNX)
def test_a_model_that_returns_one_row_for_a_whole_batch_is_refused(runtime: str, tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add_brightness(range(5), 12, "scores")
    graph.add("ReduceMean", ["scores"], "y", axes=[0], keepdims=1)
    session = opened(runtime, graph.save(tmp_path / "mean.onnx", ["N", 3, 2, 2], ["N", 5]), 4)
    with pytest.raises(ValueError, match="1 examples for a batch of 4"):
        session.classify(bright_inputs(range(4), 3, 2, 2), np.zeros((4, 5), np.float32), time.perf_counter_ns)
