"""Memory that a Keras configuration implies, by hand and compared with Keras."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.model_formats import keras_memory as module
from edge_bench.bench.model_formats.hdf5_config import find_configs
from edge_bench.bench.model_formats.keras_archive import check_keras, check_legacy_config
from edge_bench.bench.model_formats.keras_memory import keras_memory
from tests.made.keras_configs import keras_config


def memory_of(*layers: tuple[str, dict[str, Any]], shape: Any) -> tuple[int, int]:
    """Return the number of weights, and of the values of the largest output."""
    listed = [{"class_name": "InputLayer", "config": {"batch_shape": [None, *shape]}}]
    listed += [{"class_name": name, "config": config} for name, config in layers]
    found = keras_memory({"class_name": "Sequential", "config": {"layers": listed}})
    return found.weights // 4, found.activations // 4


LAST, FIRST = {"data_format": "channels_last"}, {"data_format": "channels_first"}


@pytest.mark.parametrize(
    ("name", "config", "shape", "expected"),
    [
        ("Dense", {"units": 5, "use_bias": True}, [7], (40, 7)),
        ("Dense", {"units": 5, "use_bias": False}, [3, 7], (35, 21)),
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3], "use_bias": True, "padding": "same"}, [8, 8, 3], (112, 256)),
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3], "groups": 2}, [8, 8, 6], (108, 384)),
        ("Conv2D", {"filters": 9, "kernel_size": [3, 3], "strides": [2, 2], **FIRST}, [2, 9, 9], (162, 162)),
        ("Conv2D", {"filters": 99, "kernel_size": [3, 3], "strides": [2, 2], **FIRST}, [2, 9, 9], (1782, 1584)),
        ("Conv1D", {"filters": 4, "kernel_size": [3], "dilation_rate": [2]}, [10, 2], (24, 24)),
        ("Conv3D", {"filters": 2, "kernel_size": [2, 2, 2]}, [3, 3, 3, 1], (16, 27)),
        ("Conv2DTranspose", {"filters": 4, "kernel_size": [2, 2], "strides": [2, 2]}, [4, 4, 3], (48, 256)),
        ("DepthwiseConv2D", {"kernel_size": [3, 3], "depth_multiplier": 2, "padding": "same"}, [4, 4, 3], (54, 96)),
        ("SeparableConv2D", {"filters": 9, "kernel_size": [3, 3], "padding": "same"}, [4, 4, 3], (54, 144)),
        ("MaxPooling2D", {"pool_size": [2, 2]}, [4, 4, 3], (0, 48)),
        ("GlobalAveragePooling2D", {}, [4, 4, 3], (0, 48)),
        ("Embedding", {"input_dim": 10, "output_dim": 4}, [5], (40, 20)),
        ("LSTM", {"units": 3, "use_bias": True}, [6, 2], (72, 12)),
        ("GRU", {"units": 30, "return_sequences": True}, [6, 2], (2880, 180)),
        ("RNN", {"cell": {"class_name": "LSTMCell", "config": {"units": 3}}}, [6, 2], (60, 12)),
        ("Bidirectional", {"layer": {"class_name": "LSTM", "config": {"units": 3}}}, [6, 2], (120, 12)),
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": {"units": 30}}}, [6, 2], (60, 180)),
        ("BatchNormalization", {"axis": -1, "scale": True, "center": True}, [4, 4, 3], (6, 48)),
        ("PReLU", {"shared_axes": [1, 2]}, [4, 4, 3], (3, 48)),
        ("UpSampling2D", {"size": [2, 3]}, [4, 4, 3], (0, 288)),
        ("ZeroPadding2D", {"padding": [[1, 1], [2, 2]]}, [4, 4, 3], (0, 144)),
        ("ZeroPadding1D", {"padding": [3, 3]}, [4, 3], (0, 30)),
        ("Resizing", {"height": 10, "width": 20}, [4, 4, 3], (0, 600)),
        ("RepeatVector", {"n": 9}, [4], (0, 36)),
        ("CategoryEncoding", {"num_tokens": 50}, [4], (0, 50)),
        ("Activation", {"activation": "relu"}, [4, 4], (0, 16)),
        ("SomethingNew", {"units": 12}, [4], (12, 4)),
    ],
)  # fmt: skip
def test_weights_and_values_of_a_layer_match_keras(
    name: str, config: dict[str, Any], shape: list[int], expected: tuple[int, int]
) -> None:
    assert memory_of((name, config), shape=shape) == expected


def test_shapes_come_from_the_layers_and_not_from_the_file() -> None:
    config = json.loads(keras_config())
    whole = keras_memory(config).weights
    assert whole == 4 * (3 * 9 * 4 + 2 * 4 + 4 * 4 * (4 + 4) + 10 * (4 + 1))
    config["config"]["layers"][6]["config"]["target_shape"] = [4, 81]
    assert keras_memory(config).weights == whole + 4 * 4 * 4 * 77  # the LSTM now takes 81 values


def test_a_layer_that_keras_builds_with_another_shape_counts_with_that() -> None:
    layer = {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": [None, 1000]}}
    assert keras_memory(layer).weights == 4 * 2000


def test_types_of_weights_count() -> None:
    policy = {"class_name": "DTypePolicy", "config": {"name": "float16"}}
    for dtype, expected in (("float32", 40), ("mixed_float16", 40), (policy, 20), ("int8_from_float32", 10)):
        layer = {"class_name": "Dense", "config": {"units": 10, "dtype": dtype}}
        assert keras_memory(layer).weights == expected


@pytest.mark.parametrize(
    "config",
    [
        None, [], "x", {}, {"class_name": 1}, {"class_name": "Dense"}, {"class_name": "Dense", "config": {"units": -1}},
        {"class_name": "Dense", "config": {"units": 1e300}}, {"class_name": "Conv2D", "config": {"kernel_size": ["a"]}},
        {"class_name": "Reshape", "config": {"target_shape": [None, {}]}},
        {"config": {"layers": [{"inbound_nodes": {"a": 1}}, 5, {"inbound_nodes": [[["x", -1, 0]]]}]}},
    ],
)  # fmt: skip
def test_damaged_configurations_need_nothing(config: Any) -> None:
    assert keras_memory(config).weights <= 40


def test_numbers_cannot_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    grow = [("UpSampling2D", {"size": [10**18, 10**18]})] * 2000
    assert memory_of(*grow, ("Flatten", {}), ("Dense", {"units": 10**18}), shape=[4, 4, 3])[0] > 10**18
    monkeypatch.setattr(module, "MAX_LAYERS", 1000)
    with pytest.raises(ValueError, match="1,000"):
        memory_of(*grow, shape=[4, 4, 3])


def test_configurations_are_found_in_a_file_without_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(b"")
    assert list(find_configs(path)) == []
    layer = b'{ "module": "keras.layers", "class_name" : "A", "config": {"x": {"class_name": "B"}}}'
    broken = b'{"class_name": "C", "config": '
    path.write_bytes(
        bytes(99) + layer + bytes(3) + broken + bytes(9) + broken + layer[:-1] + b"}" + b'{"class_name": "D"}'
    )
    names = [found["class_name"] for found in find_configs(path)]
    assert names[0] == "A"
    assert "D" in names


def test_a_configuration_is_found_wherever_it_is_in_a_large_file(tmp_path: Path) -> None:
    path, window = tmp_path / "x.h5", 16 << 20  # that is searched at once
    content = b'{"class_name": "A"}'
    for start in (window - 100, window - len(content), window - 5, window, 2 * window - 8, 3 * window):
        with path.open("wb") as file:
            file.seek(start)
            file.write(content + bytes(100))
        assert list(find_configs(path)) == [{"class_name": "A"}], start


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0", "DenseNet121"])
def test_weights_of_whole_models_are_those_that_keras_counts(tmp_path: Path, name: str) -> None:
    import h5py
    import keras

    model = getattr(keras.applications, name)(weights=None, classes=4, input_shape=(64, 64, 3))
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    trainable = 4 * sum(each.size for each in map(keras.ops.convert_to_numpy, model.trainable_weights))
    assert check_keras(tmp_path / "m.keras").memory.weights == pytest.approx(trainable, rel=0.001)
    with h5py.File(tmp_path / "m.h5") as file:
        known = check_legacy_config(file.attrs["model_config"])
    assert known.weights == pytest.approx(trainable, rel=0.001)
    assert sum(keras_memory(each).weights for each in find_configs(tmp_path / "m.h5")) == known.weights
