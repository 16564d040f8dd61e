"""Operators of real .tflite files in the classes of the prediction."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.prediction.model_operators import SUPPRESSION_CYCLES, read_operators
from tests.made.prediction.predictions import small_model
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import detection_model
from tests.models import model_file

#: Model of others → its precision, scheme and operators that are not modelled.
OTHERS = {
    "mobilenet_v1_0.25_224_1_metadata_1.tflite": ("float32", "", {}),
    "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite": ("int8", "per-tensor", {}),
    "mlperf-tiny/pretrainedResnet_quant.tflite": ("int8", "per-channel", {}),
    "keras_lstm_mnist_ptq.tflite": ("int8", "per-tensor", {"UNIDIRECTIONAL_SEQUENCE_LSTM": 1}),
}


def test_classes_work_and_bytes(tmp_path: Path) -> None:
    model = read_operators(small_model(tmp_path / "x.tflite"))
    kinds = ["first_convolution", "depthwise", "pointwise", "dense"]
    assert [each.kind for each in model.operators] == kinds
    assert [each.macs for each in model.operators] == [64 * 8 * 27, 64 * 8 * 9, 64 * 16 * 8, 10 * 1024]
    assert model.operators[2].weight_bytes == 4 * 16 * 8
    assert model.operators[2].activation_bytes == 4 * 64 * (8 + 16)
    assert (model.precision, model.scheme, model.unmodelled) == ("float32", "", {})


@pytest.mark.parametrize("kind", ["float32", "int8", "dynamic"])
def test_precision(kind: str, tmp_path: Path) -> None:
    model = read_operators(small_model(tmp_path / "x.tflite", kind=kind))
    assert model.precision == kind
    assert model.scheme == ("per-tensor" if kind == "int8" else "")


@pytest.mark.parametrize(
    ("open_shape", "size"),
    [((), ""), ((-1, 16, 16, 3), ""), ((-1, -1, -1, 3), "?×?×3"), ((1, 16, -1, 3), "16×?×3")],
)
def test_only_the_number_of_examples_may_be_open(open_shape: tuple[int, ...], size: str, tmp_path: Path) -> None:
    assert read_operators(small_model(tmp_path / "x.tflite", open_shape=open_shape)).open_size == size


def test_an_open_axis_between_operators_is_found(tmp_path: Path) -> None:
    made = TfliteBuilder()
    entry, middle = made.tensor(1, 4), made.tensor(1, 1, open_shape=(1, -1))
    made.operator("SOFTMAX", [entry], [middle])
    end = made.dense(middle, np.ones((1, 3), np.float32), np.zeros(3, np.float32))
    assert read_operators(made.save(tmp_path / "x.tflite", [entry], [end])).open_size == "?"


def test_operators_without_a_model_are_named_with_their_bytes(tmp_path: Path) -> None:
    model = read_operators(small_model(tmp_path / "x.tflite", custom=100))
    assert model.unmodelled == {"CUSTOM Odd": 1}
    assert model.unmodelled_bytes == 4 * (10 + 100)
    assert 0 < model.unmodelled_share < 0.1


def test_non_maximum_suppression_takes_cycles_of_one_core(tmp_path: Path) -> None:
    model = read_operators(detection_model(tmp_path / "x.tflite"))
    assert model.unmodelled == {}
    assert [each.cycles for each in model.operators] == [SUPPRESSION_CYCLES * (6 * 4 + 6 * 3)]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = small_model(tmp_path / "x.tflite")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput):
        read_operators(path)


@pytest.mark.parametrize("name", OTHERS)
def test_models_of_others_have_the_work_that_inspect_shows(name: str) -> None:
    path = model_file(name)
    model, (precision, scheme, unmodelled) = read_operators(path), OTHERS[name]
    assert (model.precision, model.scheme, model.unmodelled) == (precision, scheme, unmodelled)
    if "LSTM" not in str(unmodelled):
        assert model.macs == model_cost(read_tflite(path)).macs
