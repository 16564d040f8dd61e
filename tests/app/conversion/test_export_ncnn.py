"""`export --to ncnn`: the converted model computes the same as Keras, or the export is refused."""

import json
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from edge_bench.app.conversion.ncnn.check import compare_scores
from edge_bench.app.conversion.ncnn.program import pnnx_program, require_libraries
from edge_bench.app.conversion.ncnn.variant import NcnnConversion
from edge_bench.bench.errors import BadInput, EdgeBenchError, MissingDependency
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.ncnn_files import weights_of
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.runtimes.ncnn.param import input_shapes, with_input_shape
from tests.command_line import CommandLine, Refuses

SCORES = np.array([[0.9, 0.1, 0.0], [0.4, 0.40001, 0.2]], np.float32)


def test_files_that_cannot_be_converted_are_refused_with_their_reason(refuses: Refuses, tmp_path: Path) -> None:
    for name in ("model.tflite", "model.onnx"):
        (tmp_path / name).write_bytes(b"x")
        refused = refuses("export", name, "--to", "ncnn", "--bundle", "b")
        assert isinstance(refused, BadInput)
        assert name in refused.problem
        assert "Keras" in refused.remedy
    unknown = refuses("export", "model.keras", "--to", "onnx", "--bundle", "b")
    assert "--to onnx" in unknown.problem
    assert not (tmp_path / "b" / "manifest.json").exists()


def test_a_missing_library_is_named_with_its_extra() -> None:
    with mock.patch("importlib.util.find_spec", return_value=None), pytest.raises(MissingDependency) as refused:
        require_libraries()
    assert "onnx" in refused.value.problem
    assert "edge-bench[host,ncnn-export]" in refused.value.remedy
    assert NcnnConversion.prepared([], Silent(), 60) is None


@pytest.mark.slow
def test_a_download_without_a_network_names_the_alternative(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("edge_bench.app.conversion.ncnn.program._installed", lambda: None)
    with pytest.raises(MissingDependency) as refused:
        pnnx_program(Silent())
    assert "pnnx" in refused.value.problem
    assert "--no-deps" in refused.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (SCORES, (0.0, 2)),
        (SCORES + np.float32(1e-5), (1e-5, 2)),
        (SCORES[:, ::-1], None),
        (SCORES * np.float32(1.01), None),
        (np.where(SCORES == 0, np.float32("nan"), SCORES), None),
        (SCORES[:, :2], None),
        (np.array([[0.9, 0.1, 0], [0.40001, 0.4, 0.2]], np.float32), (1e-5, 1)),  # a near tie may change
    ],
)
def test_scores_that_differ_are_refused(own: Any, expected: tuple[float, int] | None) -> None:
    if expected is None:
        with pytest.raises(EdgeBenchError):
            compare_scores(own, SCORES)
    else:
        assert compare_scores(own, SCORES) == pytest.approx(expected, rel=0.01, abs=1e-9)


@pytest.mark.parametrize("shape", [[7], [5, 7], [3, 5, 7]])
def test_the_size_of_the_input_is_written_into_the_file(shape: list[int], tmp_path: Path) -> None:
    path = tmp_path / "m.param"
    text = "7767517\n2 2\nInput   in0   0 1 in0\nReLU relu 1 1 in0 out0 0=0.5\n"
    path.write_text(with_input_shape(text, shape))
    assert input_shapes(path) == {"in0": shape}
    assert path.read_text().endswith("\nReLU relu 1 1 in0 out0 0=0.5\n")
    with pytest.raises(ValueError, match="2 inputs"):
        with_input_shape(text + "Input in1 0 1 in1\n", shape)
    with pytest.raises(ValueError, match="4 axes"):
        with_input_shape(text, [1, 2, 3, 4])


@pytest.fixture
def tools_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cache with pnnx, for all tests. Skip without the tools of the conversion, or a network to download pnnx."""
    cache = str(request.config.cache.mkdir("edge-bench-tools"))
    monkeypatch.setenv("EDGE_BENCH_CACHE", cache)
    try:
        require_libraries()
        pnnx_program(Silent())
    except MissingDependency as missing:
        pytest.skip(missing.problem)
    return cache


def padded_keras(path: Path) -> None:
    """Save a classifier with the layers that conversions get wrong: padded channels, a stride, softmax."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    image = keras.Input((9, 11, 3), name="image")
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, 2, padding="same")(image))
    x = keras.ops.pad(layers.ReLU()(x), [[0, 0], [0, 0], [0, 0], [1, 3]])
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    keras.Model(image, layers.Dense(5, activation="softmax")(x), name="padded").save(path)


@pytest.mark.slow
def test_a_keras_model_in_ncnn_predicts_the_same_labels(
    edge_bench: CommandLine, tools_cache: str, tmp_path: Path
) -> None:
    padded_keras(tmp_path / "padded.keras")
    random = np.random.default_rng(1)
    pixels = (random.random((40, 9, 11, 3)) * random.integers(0, 256, (40, 9, 1, 3))).astype(np.uint8)
    np.savez(tmp_path / "data.npz", images=pixels, labels=np.arange(40) % 5)
    done = edge_bench(
        "export", "padded.keras", "--to", "ncnn", "--bundle", "b", "--data", "data.npz", "--preprocess", "unit",
        "--channel-order", "rgb",
        EDGE_BENCH_CACHE=tools_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    bundle = Bundle.open(tmp_path / "b")
    entry = bundle.variant("ncnn")
    assert (entry.input.shape, entry.output.shape, entry.fixed_batch) == ([1, 3, 9, 11], [1, 5], 1)
    path = bundle.checked(entry)
    assert entry.bytes == path.stat().st_size + weights_of(path).stat().st_size
    assert {"pnnx", "ncnn", "tf2onnx"} <= bundle.manifest.versions.keys()
    run = edge_bench(
        "run", "b", "--variant", "float32,ncnn", "--runtime", "litert,ncnn", "--trials", 1, "--processes", 1,
        "--format", "json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    first, second = json.loads(run.stdout)
    assert {first["variant"], second["variant"]} == {"float32", "ncnn"}
    assert first["accuracy"] == second["accuracy"]
    (written,) = (tmp_path / "results").glob("run-*.json")
    labels = [unpack(each.predictions).tolist() for each in read_run(written).results if each.predictions]
    assert labels[0] == labels[1]
    assert len(set(labels[0])) > 2
