"""A served model whose scores are not finite, or that has a single score."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.app.serving.server import Answer, Served
from tests.made.onnx import OnnxBuilder


def infer(server: Served, values: list[list[float]]) -> Answer:
    shape = [len(values), len(values[0])]
    request: dict[str, Any] = {
        "inputs": [{"name": "images", "datatype": "FP32", "shape": shape, "data": [*chain(*values)]}]
    }
    return server.infer(request)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a model whose scores are the square roots of its inputs, NaN for negative ones."""
    folder, graph = tmp_path_factory.mktemp("roots"), OnnxBuilder()
    graph.add("Sqrt", ["x"], "y")
    model = graph.save(folder / "roots.onnx", ["N", 3], ["N", 3])
    with Served(model, folder, "--name", "paper-cnn") as server:
        yield server


@pytest.mark.slow
def test_scores_that_are_not_finite_are_an_error_of_the_model(roots: Served) -> None:
    assert infer(roots, [[1, 9, 4]]).labels == [1]
    worker = roots.worker.pid
    refused = infer(roots, [[1, 9, 4], [1, -1, 4]])
    assert refused.status == 500
    assert "image 1" in refused.error
    assert b"NaN" not in refused.body
    assert infer(roots, [[-1, 1, 1], [1, -1, 4]]).status == 500
    text = roots.ask("GET", "/metrics").body.decode()
    assert "edge_bench_unclassified_images 3.0" in text
    assert infer(roots, [[16, 9, 4]]).labels == [0]
    assert roots.worker.pid == worker


def test_equal_scores_give_the_lower_class(roots: Served) -> None:
    assert infer(roots, [[1, 4, 4]]).labels == [1]


@pytest.mark.slow
def test_a_single_score_is_compared_with_the_threshold(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Sigmoid", ["x"], "y")
    model = graph.save(tmp_path / "binary.onnx", ["N", 1], ["N", 1])
    with Served(model, tmp_path, "--name", "paper-cnn", "--threshold", 0.9) as server:
        answer = infer(server, [[-1.0], [1.0], [5.0]])
        assert answer.labels == [0, 0, 1]
        metadata = json.loads(server.ask("GET", "/v2/models/paper-cnn").body)
        assert metadata["outputs"][1]["shape"] == [-1, 1]
