"""ncnn: known results of .param and .bin files, or a refusal."""

import time
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.models.model_identity import model_files
from edge_bench.bench.runtimes import RUNTIMES, graph_loader, loader
from edge_bench.bench.runtimes.base import ModelFile, with_known_output
from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.ncnn.param import input_shapes
from tests.made.brightness import bright_inputs, brightness_weights
from tests.made.ncnn_models import brightness_ncnn
from tests.models import NEEDS_NCNN


@NEEDS_NCNN
def test_a_classifier_of_known_scores(tmp_path: Path) -> None:
    path = brightness_ncnn(tmp_path / "m.param")
    session = with_known_output(loader(RUNTIMES["ncnn"])(ModelFile(path, 1, None)))
    assert (session.input.shape, session.output.shape, session.fixed_batch) == ([1, 3, 2, 2], [1, 5], 1)
    inputs, scores = bright_inputs(range(5), 3, 2, 2), np.zeros((5, 5), np.float32)
    times = session.classify(inputs, scores, time.perf_counter_ns)
    assert len(times.began) == 5
    assert scores.argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    weights, biases = (np.asarray(each, np.float32) for each in brightness_weights(range(5), 12))
    rows = weights if weights.shape == (12, 5) else weights.T
    np.testing.assert_allclose(scores, inputs.reshape(5, 12) @ rows + biases, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match="batches of 1"):
        loader(RUNTIMES["ncnn"])(ModelFile(path, 1, 4))


@NEEDS_NCNN
def test_a_graph_takes_its_shape_from_the_file_or_the_user(tmp_path: Path) -> None:
    load = graph_loader(RUNTIMES["ncnn"])
    stated = load(GraphFile(brightness_ncnn(tmp_path / "a.param"), 1, None))
    with pytest.raises(ValueError, match="--shape in0"):
        load(GraphFile(brightness_ncnn(tmp_path / "b.param", ""), 1, None))
    given = load(GraphFile(tmp_path / "b.param", 1, None, shapes={"in0": (1, 3, 2, 2)}))
    for session in (stated, given):
        session.learn_outputs()
        assert [(spec.name, spec.shape) for spec in session.outputs] == [("out0", [1, 5])]
        (scores,) = session.invoke([bright_inputs([3], 3, 2, 2)])
        assert scores.argmax() == 3
    with pytest.raises(ValueError, match="batch of 2"):
        load(GraphFile(tmp_path / "a.param", 1, 2))


@NEEDS_NCNN
def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = brightness_ncnn(tmp_path / "m.param")
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:-30])
    unknown = tmp_path / "n.param"
    unknown.write_text("7767517\n2 2\nInput in0 0 1 in0 0=4\nNoSuchLayer x 1 1 in0 out0\n")
    unknown.with_suffix(".bin").write_bytes(b"")
    for file in (path, unknown):
        with pytest.raises(ValueError, match="ncnn cannot load"):
            loader(RUNTIMES["ncnn"])(ModelFile(file, 1, None))


def test_the_files_of_a_model(tmp_path: Path) -> None:
    path = brightness_ncnn(tmp_path / "m.param", "0=7 1=5")
    assert list(model_files(path)) == ["m.bin", "m.param"]
    assert input_shapes(path) == {"in0": [5, 7]}
    path.with_suffix(".bin").unlink()
    with pytest.raises(BadInput):
        model_files(path)
    path.write_text("another file")
    with pytest.raises(ValueError, match=r"\.param"):
        input_shapes(path)
