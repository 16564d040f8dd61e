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
    "keras_lstm_mnist_ptq.tflite": ("int8", "per-channel", {"UNIDIRECTIONAL_SEQUENCE_LSTM": 1}),
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


@pytest.mark.parametrize(("stored", "size"), [((1, 40), ""), ((1, 8), "?×8")])
def test_a_reshape_to_rows_that_are_no_examples_is_an_open_size(
    stored: tuple[int, ...], size: str, tmp_path: Path
) -> None:
    """Keras's TimeDistributed makes one row of each step, and stores the size 1 for their open number."""
    made = TfliteBuilder()
    entry = made.tensor(1, 5, 8, open_shape=(-1, 5, 8))
    rows = made.tensor(*stored, open_shape=(-1, stored[1]))
    made.operator("RESHAPE", [entry, made.tensor(2, data=np.array([-1, stored[1]], np.int32), kind="INT32")], [rows])
    weights = made.tensor(3, stored[1], data=True)
    end = made.operator("FULLY_CONNECTED", [rows, weights], [made.tensor(1, 3, open_shape=(-1, 3))])
    assert read_operators(made.save(tmp_path / "x.tflite", [entry], [end])).open_size == size


def convolution(path: Path, channels: int, of_weights: int) -> Path:
    """Write a model of one 3×3 convolution."""
    made = TfliteBuilder()
    entry = made.tensor(1, 8, 8, channels)
    weights = made.tensor(16, 3, 3, of_weights, data=True)
    end = made.operator("CONV_2D", [entry, weights], [made.tensor(1, 8, 8, 16)])
    return made.save(path, [entry], [end])


def test_convolutions_in_groups_are_not_modelled_but_count(tmp_path: Path) -> None:
    whole = read_operators(convolution(tmp_path / "1.tflite", 8, 8))
    groups = read_operators(convolution(tmp_path / "2.tflite", 8, 4))
    assert (whole.unmodelled, whole.unmodelled_share) == ({}, 0)
    assert (groups.unmodelled, groups.unmodelled_macs) == ({"CONV_2D": 1}, whole.macs / 2)
    assert groups.unmodelled_share == 1


def test_a_damaged_convolution_without_channels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_operators(convolution_of_nothing(tmp_path / "x.tflite"))


def convolution_of_nothing(path: Path) -> Path:
    made = TfliteBuilder()
    entry = made.tensor(1, 8, 8, 0, kind="INT8")
    weights = made.tensor(16, 3, 3, 0, data=np.zeros(1, np.int8), kind="INT8")
    return made.save(path, [entry], [made.operator("CONV_2D", [entry, weights], [made.tensor(1, 8, 8, 16)])])


def test_work_without_a_model_counts_by_its_multiplications_if_they_are_more_than_its_bytes(tmp_path: Path) -> None:
    made = TfliteBuilder()
    entry = made.tensor(1, 64, 64, 8)
    first = made.operator("CONV_2D", [entry, made.tensor(8, 1, 1, 8, data=True)], [made.tensor(1, 64, 64, 8)])
    groups = made.operator("CONV_2D", [first, made.tensor(8, 3, 3, 4, data=True)], [made.tensor(1, 64, 64, 8)])
    model = read_operators(made.save(tmp_path / "x.tflite", [entry], [groups]))
    assert model.unmodelled_share == pytest.approx(36 / 44)
    assert model.unmodelled_bytes / model.total_bytes < 0.6


def test_dense_layers_with_one_scale_do_not_make_a_model_per_tensor(tmp_path: Path) -> None:
    made = TfliteBuilder()
    entry = made.tensor(1, 64, kind="INT8", scale=0.1)
    weights = made.tensor(64, 64, data=np.ones((64, 64), np.int8), kind="INT8", scale=0.1)
    end = made.operator("FULLY_CONNECTED", [entry, weights], [made.tensor(1, 64, kind="INT8", scale=0.1)])
    assert read_operators(made.save(tmp_path / "x.tflite", [entry], [end])).scheme == "per-channel"


def test_sparse_weights_are_expanded_only_once(tmp_path: Path) -> None:
    made = TfliteBuilder()
    entry, sparse = made.tensor(1, 64), made.tensor(32, 64, data=True)
    weights = made.operator("DENSIFY", [sparse], [made.tensor(32, 64)])
    end = made.operator("FULLY_CONNECTED", [entry, weights], [made.tensor(1, 32)])
    model = read_operators(made.save(tmp_path / "x.tflite", [entry], [end]))
    assert (model.unmodelled, [each.kind for each in model.operators]) == ({}, ["dense"])
    assert model.operators[0].activation_bytes == 4 * (64 + 32)


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
