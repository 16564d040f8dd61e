"""Several models in one run, recurrent models, and Keras models whose output is wrapped in a dict or list."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from tests.command_line import CommandLine
from tests.made.images import class_folders
from tests.made.keras import brightness_keras
from tests.made.onnx import brightness_onnx
from tests.made.tflite_models import brightness_tflite, recurrent_model
from tests.measured import arrays, correct, run_files
from tests.models import INTERPRETERS

pytestmark = pytest.mark.usefixtures("measure_here")
LITERT = Selection(runtimes=["litert"])
needs_tensorflow = pytest.mark.skipif(
    not installed_version(RUNTIMES["tensorflow"]), reason="TensorFlow is not installed"
)


@pytest.mark.slow
def test_models_of_equal_names_and_different_sizes_get_the_same_images(tmp_path: Path) -> None:
    models = [
        brightness_tflite(tmp_path / "monday" / "model.tflite", range(5)),
        brightness_tflite(tmp_path / "tuesday" / "model.tflite", [0, 1, 3, 2, 4]),
        brightness_tflite(tmp_path / "large.tflite", range(5), (1, 16, 12, 3)),
        brightness_tflite(tmp_path / "grey.tflite", range(5), (1, 8, 8)),
    ]
    run = run_files(models, LITERT, data=class_folders(tmp_path / "images", range(5)), preprocess="unit")
    variants = [result.configuration.variant for result in run.results]
    assert len(set(variants)) == 4
    assert ["monday" in variants[0], "tuesday" in variants[1]] == [True, True]
    assert correct(run) == [(20, 20), (12, 20), (20, 20), (20, 20)]


@pytest.mark.slow
def test_each_model_has_its_own_preprocessing(tmp_path: Path) -> None:
    raw = brightness_onnx(tmp_path / "raw.onnx", range(5), scale=1)
    unit = brightness_tflite(tmp_path / "unit.tflite", range(5))
    selection = Selection(runtimes=["litert", "onnxruntime"])
    run = run_files([raw, unit], selection, data=class_folders(tmp_path / "images", range(5)))
    assert correct(run) == [(20, 20), (20, 20)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "RNN", "SVDF"])
def test_examples_of_a_recurrent_model_are_independent(kind: str, tmp_path: Path) -> None:
    """The labels are those of an interpreter that is new for every example; one that keeps its state gets others."""
    model = recurrent_model(tmp_path / "model.tflite", kind)
    inputs = np.random.default_rng(3).normal(size=(80, *input_shape(model))).astype(np.float32)
    labels = np.array([interpreted(model, example[np.newaxis])[0] for example in inputs])
    assert np.mean(interpreted(model, inputs) == labels) < 0.9
    run = run_files([model], Selection(runtimes=INTERPRETERS), **arrays(tmp_path, inputs, labels))
    assert set(correct(run)) == {(80, 80)}


def input_shape(model: Path) -> list[int]:
    """Return the shape of an example."""
    from ai_edge_litert.interpreter import Interpreter

    return [int(size) for size in Interpreter(str(model)).get_input_details()[0]["shape"][1:]]


def interpreted(model: Path, inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the labels of a bare interpreter that is not reset between the examples."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter, labels = Interpreter(str(model), num_threads=1), []
    interpreter.allocate_tensors()
    for example in inputs:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example[np.newaxis])
        interpreter.invoke()
        labels.append(int(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).argmax()))
    return np.array(labels)


@pytest.mark.slow
@needs_tensorflow
def test_the_only_output_of_a_keras_model_is_taken_out_of_its_wrapping(tmp_path: Path) -> None:
    brightness_keras("nested").save(tmp_path / "wrapped.keras")
    images = class_folders(tmp_path / "images", range(5))
    run = run_files([tmp_path / "wrapped.keras"], data=images, preprocess="unit", label_offset=0)
    assert correct(run) == [(20, 20)]


@pytest.mark.slow
@needs_tensorflow
@pytest.mark.usefixtures("convert_here")
def test_a_wrapped_single_score_is_exported_and_measured(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    import keras

    picture = keras.Input((8, 8, 3))
    layer = keras.layers.Dense(1, activation="sigmoid", name="bright")
    model = keras.Model(picture, {"bright": layer(keras.layers.Flatten()(picture))})
    layer.set_weights([np.full((192, 1), 40 / 192, np.float32), np.array([-16], np.float32)])
    model.save(tmp_path / "binary.keras")
    class_folders(tmp_path / "images", [1, 9], each=10, name="{} brightness")
    exported = edge_bench_here("export", "binary.keras", "--bundle", "b", "--data", "images", "--preprocess", "unit")
    assert exported.returncode == 0, exported.stderr
    assert [each.name for each in Bundle.open(tmp_path / "b").variants] == ["keras", "float32", "float16", "dynamic"]
    selection = ("--variant", "float32,dynamic", "--runtime", "litert")  # the Keras model's wrapping is tested above
    done = edge_bench_here("run", "b", *selection, "--trials", 1, "--processes", 1, "--format", "json")
    rows = json.loads(done.stdout)
    assert [(row["variant"], row["accuracy"]) for row in rows] == [("float32", 1.0), ("dynamic", 1.0)]
