"""OpenVINO: results as in the file, or a refusal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.runtimes import RUNTIMES, graph_loader, installed_version, loader
from edge_bench.bench.runtimes.base import ModelFile
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphSession
from edge_bench.bench.worker.load_check import LoadOutcome, try_load
from tests.made.graph.graphs import (
    TYPES,
    found_positions_onnx,
    mixed_onnx,
    mixed_tflite,
    two_signatures_tflite,
)
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

pytestmark = pytest.mark.skipif(not installed_version(RUNTIMES["openvino"]), reason="OpenVINO is not installed")

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = np.array([[-(2**31), 2**31 - 1], [0, 1], [2, 3], [4, 5]])


def opened(path: Path, batch_size: int | None = None, **settings: Any) -> GraphSession:
    session = graph_loader(RUNTIMES["openvino"])(GraphFile(path, 1, batch_size, **settings))
    session.learn_outputs()
    return session


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_several_inputs_and_outputs_of_several_types(kind: str, batch_size: int, tmp_path: Path) -> None:
    make = mixed_tflite if kind == "tflite" else mixed_onnx
    session = opened(make(tmp_path / f"m.{kind}"), batch_size)
    assert [(spec.dtype, spec.shape) for spec in session.outputs] == [
        ("float32", [batch_size, 3]), ("bool", [batch_size, 3]), ("float32", [batch_size, 2])
    ]  # fmt: skip
    for count in {1, batch_size - 1 or 1, batch_size}:  # a smaller batch is padded, and the padding dropped
        sums, above, floats = session.invoke([VALUES[:count], IDS[:count]])
        np.testing.assert_array_equal(sums, 2 * VALUES[:count])
        np.testing.assert_array_equal(above, VALUES[:count] > 1)
        np.testing.assert_array_equal(floats, IDS[:count].astype(np.float32))


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_integers_that_openvino_would_change_are_refused(kind: str, tmp_path: Path) -> None:
    make = mixed_tflite if kind == "tflite" else mixed_onnx
    session = opened(make(tmp_path / f"m.{kind}"))
    for value in (2**31, -(2**31) - 1, 2**40):
        with pytest.raises(ValueError, match="int32"):
            session.invoke([VALUES[:1], np.full((1, 2), value)])


@pytest.mark.parametrize("dtype", sorted(TYPES))
def test_every_type_of_number(dtype: str, tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Reshape", ["x", graph.constant("flat", np.array([2]))], "y")
    kind = TYPES[dtype][1]
    path = graph.save_graph(tmp_path / "m.onnx", [("x", kind, [1, 2])], [("y", kind, [2])])
    if dtype == "float64":
        with pytest.raises(ValueError, match="float32"):
            opened(path)
        return
    session = opened(path)
    row = np.array([[0, 1]]).astype(dtype)
    (output,) = session.invoke([row])
    assert (session.inputs[0].dtype, output.dtype) == (dtype, np.dtype(dtype))
    np.testing.assert_array_equal(output, row[0])


def test_names_and_signatures_of_a_tflite_file(tmp_path: Path) -> None:
    named = opened(mixed_tflite(tmp_path / "named.tflite", signature="serve"))
    assert [spec.name for spec in (*named.inputs, *named.outputs)] == ["values", "ids", "sums", "above", "floats"]
    assert list(named.signatures) == ["serve"]
    for path, signature in (
        (two_signatures_tflite(tmp_path / "two.tflite"), "missing"),
        (two_signatures_tflite(tmp_path / "two.tflite"), "total"),
        (mixed_onnx(tmp_path / "m.onnx"), "serve"),
    ):
        with pytest.raises(ValueError, match=f"signature.* {signature}|{signature}.*signature"):
            opened(path, signature=signature)


def test_outputs_whose_size_depends_on_the_values(tmp_path: Path) -> None:
    session = opened(found_positions_onnx(tmp_path / "m.onnx"))
    assert (session.outputs[0].shape, list(session.keeps_batch_axis), session.fixed_batch) == ([-1, 2], [False], 1)
    for row in np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], np.bool_):
        (found,) = session.invoke([row[np.newaxis]])
        np.testing.assert_array_equal(found, np.argwhere(row[np.newaxis]))


@pytest.mark.slow
def test_the_sandbox_has_all_files_that_openvino_needs(tmp_path: Path) -> None:
    assert try_load("openvino", mixed_tflite(tmp_path / "m.tflite"), 60) == LoadOutcome()
    graph = TfliteBuilder()
    values = graph.tensor(1, 3)
    path = graph.save(tmp_path / "sum.tflite", [values], [graph.running_sum(values, 3)])
    assert "RNN" in try_load("openvino", path, 60).refusal


def test_state_that_openvino_cannot_reset_is_refused(tmp_path: Path) -> None:
    graph = TfliteBuilder()
    values = graph.tensor(1, 3)
    path = graph.save(tmp_path / "sum.tflite", [values], [graph.running_sum(values, 3)])
    for load in (lambda: loader(RUNTIMES["openvino"])(ModelFile(path, 1, None)), lambda: opened(path)):
        with pytest.raises(ValueError, match=r"state.*RNN"):
            load()
