"""`inspect`: counts against published ones, and which runtimes can load a model."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.app.cli import console
from edge_bench.app.conversion.inspect import inspect_model
from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.models.tensor_text import open_axes
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.runtimes import RUNTIMES, installed_version
from tests.command_line import CommandLine, Refuses
from tests.made.onnx import brightness_onnx
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_metadata import LabelFile, metadata_buffer, with_files
from tests.made.tflite_models import detection_model
from tests.models import INTERPRETERS, MLPERF, tflite_of

#: Millions of multiply-accumulates and of parameters. Howard et al. 2017, table 4; Sandler et al. 2018, table 4;
#: He et al. 2016, table 1; torchvision's form of ResNet-50, which halves the image one convolution later.
PUBLISHED = {
    "MobileNet": (569, 4.24),
    "MobileNetV2": (300, 3.47),
    "ResNet50": (3800, 25.6),
    "ResNet50 of torchvision": (4100, 25.6),
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_the_published_ones_within_two_percent(name: str, tmp_path: Path) -> None:
    import keras

    model = getattr(keras.applications, name.split(maxsplit=1)[0])(weights=None)
    if "torchvision" in name:
        config = model.get_config()
        for layer in config["layers"]:
            if re.fullmatch(r"conv[345]_block1_[12]_conv", layer["name"]):
                layer["config"]["strides"] = [1, 1] if layer["name"].endswith("1_conv") else [2, 2]
        model = keras.Model.from_config(config)
    cost = model_cost(read_tflite(tflite_of(model, tmp_path / "model.tflite")))
    macs, parameters = PUBLISHED[name]
    print(f"{name}: {cost.macs / 1e6:.1f} M multiply-accumulates, {cost.parameters / 1e6:.3f} M parameters")
    assert cost.macs / 1e6 == pytest.approx(macs, rel=0.02)
    assert cost.parameters / 1e6 == pytest.approx(parameters, rel=0.02)


@pytest.mark.slow
def test_counts_of_a_converted_model_match_manual_counts(tmp_path: Path) -> None:
    """The first layers of MobileNet: a convolution, a depthwise and a pointwise one, and a classifier."""
    import keras
    from keras import layers

    def normalized(layer: layers.Layer) -> list[layers.Layer]:
        return [layer, layers.BatchNormalization(), layers.ReLU(6.0)]

    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            *normalized(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)),
            *normalized(layers.DepthwiseConv2D(3, padding="same", use_bias=False)),
            *normalized(layers.Conv2D(16, 1, use_bias=False)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10),
        ]
    )
    generator = np.random.default_rng(0)
    for weight in model.weights:  # the converter leaves out biases of zero
        weight.assign(generator.uniform(0.5, 1, weight.shape))
    cost = model_cost(read_tflite(tflite_of(model, tmp_path / "model.tflite")))
    positions = 8 * 8
    assert cost.macs == positions * (8 * 3 * 3 * 3 + 8 * 3 * 3 + 16 * 8) + 10 * 16
    # batch normalization becomes one bias per channel
    assert cost.parameters == (8 * 3 * 3 * 3 + 8) + (8 * 3 * 3 + 8) + (16 * 8 + 16) + (10 * 16 + 10)


@pytest.mark.slow
def test_inspect_prints_counts_operators_inputs_and_runtimes(
    edge_bench_here: CommandLine, digits_bundle: Bundle
) -> None:
    model = digits_bundle.folder / "variants" / "int8.tflite"
    done, data = edge_bench_here("inspect", model), edge_bench_here("inspect", model, "--format", "json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(data.stdout)
    shown = done.stdout.replace("uint8 ?×28", "uint8 1×28")
    for value in ("int8.tflite", "3,123,840", "128,266", "CONV_2D", "uint8 1×28×28×1"):
        assert value in shown
    releases = [(each["runtime"], each["version"]) for each in record["tried"]]
    releases += [(each["runtime"], each["release"]) for each in record["known"]]
    assert len(releases) > 2
    for runtime, version in releases:
        assert re.search(rf"{runtime} +{re.escape(version)}\b", shown)


@pytest.mark.slow
def test_json_has_counts_operators_and_runtimes(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench("inspect", digits_bundle.folder / "variants" / "dynamic.tflite", "--format", "json")
    (record,) = json.loads(done.stdout)
    assert record["macs"] == 3_123_840
    assert {each["name"] for each in record["operators"]} >= {"CONV_2D", "FULLY_CONNECTED"}
    assert all(each["refusal"] == "" for each in record["tried"])
    assert {each["release"] for each in record["known"] if each["runtime"] == "tflite-runtime" and not each["lacks"]}


@pytest.mark.slow
@pytest.mark.usefixtures("convert_here")
def test_a_keras_model_is_inspected_after_its_conversion(edge_bench_here: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench_here("inspect", digits_bundle.folder / "model.keras", "--format", "json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert (record["macs"], record["parameters"], record["converted_to_float32"]) == (3_123_840, 128_266, True)


def record_of(edge_bench_here: CommandLine, path: Path) -> dict[str, Any]:
    """Return the JSON of ``inspect``, whose tables are also rendered for a terminal."""
    print_tables = console.print_tables

    def print_and_render(tables: Sequence[Table], form: Format) -> None:
        print_tables(tables, form)
        assert all(render(table, Format.TABLE, 80) for table in tables)

    with mock.patch.object(console, "print_tables", print_and_render):
        done = edge_bench_here("inspect", path, "--format", "json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert isinstance(record, dict)
    return record


@pytest.mark.slow
def test_a_detector_is_measured_as_one(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    record = record_of(edge_bench_here, detection_model(tmp_path / "detection.tflite"))
    # OpenVINO has no such operator
    assert {each["runtime"] for each in record["tried"] if each["refusal"]} <= {"openvino"}
    assert all(each["invocation"] == "" for each in record["tried"])
    measured = record["measured_by_run"]
    assert measured["runtimes"] == INTERPRETERS
    assert (measured["task"], measured["option"]) == ("detect", "")
    tried = {(each["runtime"], each["version"]) for each in record["tried"]}
    for each in record["known"]:
        assert each["lacks"] == []
        assert (each["runtime"], each["release"]) not in tried or each["unknown"] == []
    assert record["macs_not_counted"] == ["CUSTOM TFLite_Detection_PostProcess"]
    assert record["macs_at_least"] is True


@pytest.mark.slow
def test_a_model_of_tokens_needs_a_range(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    made = TfliteBuilder()
    tokens, vectors, scores = made.tensor(1, 8, kind="INT32"), made.tensor(1, 8), made.tensor(1, 3)
    made.operator("CAST", [tokens], [vectors])
    made.operator("FULLY_CONNECTED", [vectors, made.tensor(3, 8, data=True), made.tensor(3, data=True)], [scores],
                  schema.FullyConnectedOptionsT())  # fmt: skip
    record = record_of(edge_bench_here, made.save(tmp_path / "tokens.tflite", [tokens], [scores]))
    assert all(each["refusal"] == each["invocation"] == "" for each in record["tried"])
    assert (record["measured_by_run"]["task"], record["measured_by_run"]["option"]) == (
        "tensor",
        "--range t0=LOW..HIGH",
    )
    assert (record["macs"], record["macs_at_least"]) == (24, False)


@pytest.mark.slow
@pytest.mark.nightly
def test_a_keras_model_of_any_inputs_and_outputs_is_inspected(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    """An LSTM in a loop, which needs TensorFlow operators, with a second input and output."""
    import keras
    from keras import layers

    series, more = keras.Input((12, 4)), keras.Input((5,))
    state = layers.LSTM(16)(series)
    outputs = [layers.Dense(3)(layers.Concatenate()([state, more])), layers.Dense(2)(state)]
    keras.Model([series, more], outputs).save(tmp_path / "two.keras")
    record = record_of(edge_bench_here, tmp_path / "two.keras")
    assert (len(record["inputs"]), len(record["outputs"])) == (2, 2)
    assert [each["refusal"] for each in record["tried"] if each["runtime"] == "tensorflow"] == [""]
    assert record["measured_by_run"]["runtimes"] == ["tensorflow"]
    assert record["macs_at_least"]
    assert record["parameters_at_least"]
    assert any("Flex" in each["refusal"] for each in record["tried"])


@pytest.mark.slow
def test_unresolved_custom_operators_are_named(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4), made.tensor(1, 4)
    made.operator("CUSTOM", [taken], [given], custom="made_up")
    record = record_of(edge_bench_here, made.save(tmp_path / "x.tflite", [taken], [given]))
    assert all("made_up" in each["refusal"] for each in record["tried"])
    assert all((each["lacks"], each["unknown"]) == ([], ["CUSTOM made_up"]) for each in record["known"])


@pytest.mark.slow
def test_signatures_open_axes_and_metadata_are_listed(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 1, 1, 3, open_shape=(-1, -1, -1, 3))
    given = made.tensor(1, 1, 1, 3, open_shape=(-1, -1, -1, 3))
    made.operator("ADD", [taken, taken], [given], schema.AddOptionsT())
    made.signature("double", {"image": taken}, {"twice": given})
    made.metadata("TFLITE_METADATA", metadata_buffer([([127.5], [128.0])], [[LabelFile("l.txt")]], color_space=1))
    path = tmp_path / "open.tflite"
    path.write_bytes(with_files(made.content([taken], [given]), {"l.txt": b"a\nb\n"}))
    record = record_of(edge_bench_here, path)
    (signature,) = record["signatures"]
    assert (signature["key"], signature["inputs"][0]["name"], signature["outputs"][0]["name"]) == (
        "double",
        "image",
        "twice",
    )
    assert record["inputs"][0]["shape"] == [-1, -1, -1, 3]
    assert record["inputs"][0]["open_axes"] == ["batch", "height", "width"]
    assert record["metadata"] == {
        "normalization": {"mean": [127.5], "std": [128.0]},
        "color_space": "rgb",
        "label_file": "l.txt",
        "labels": 2,
    }


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((1, 8, 8, 3), []),
        ((-1, 8, 8, 3), ["batch"]),
        ((-1, -1, -1, 3), ["batch", "height", "width"]),
        ((-1, 3, -1, -1), ["batch", "height", "width"]),
        ((1, 64, -1, -1), ["height", "width"]),
        ((1, -1, -1, 64), ["height", "width"]),
        ((-1, 3, 224, 224), ["batch"]),
        ((-1, -1, -1, -1), ["batch", "axis 1", "axis 2", "axis 3"]),
        ((-1, -1, 40), ["batch", "axis 1"]),
        ((-1,), ["axis 0"]),
        ((), []),
    ],
)
def test_open_axes_are_named_if_the_layout_is_known(shape: tuple[int, ...], names: list[str]) -> None:
    assert open_axes(shape) == names


@pytest.mark.nightly
@pytest.mark.skipif(not MLPERF, reason="needs EDGE_BENCH_DATA beside a models folder")
def test_runtimes_load_the_models_that_inspect_reports_as_loadable() -> None:
    """A bare interpreter loads each third-party model if and only if inspect says so."""
    assert MLPERF is not None
    runtimes = [each for each in RUNTIMES.values() if each.has_interpreter and installed_version(each)]
    for path in sorted(MLPERF.parent.rglob("*.tflite")):
        found = {each.runtime: each.refusal == "" for each in inspect_model(path, 120, Silent()).tried}
        for runtime in runtimes:
            bare = f"import {runtime.library}.interpreter as i, sys; i.Interpreter(sys.argv[1]).allocate_tensors()"
            done = subprocess.run([sys.executable, "-c", bare, path], capture_output=True, check=False)
            assert found[runtime.name] == (done.returncode == 0), (path.name, runtime.name)


def test_a_file_that_is_no_model_is_refused(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    (tmp_path / "y.onnx").write_bytes(b"")
    for name in ("x.tflite", "y.onnx", "z.tflite"):
        assert name in refuses("inspect", name).problem


@pytest.mark.slow
def test_an_onnx_file_is_described_by_a_worker(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    record = record_of(edge_bench_here, brightness_onnx(tmp_path / "c.onnx", [0, 1, 2]))
    assert record["measured_by_run"]["task"] == "classify"
    assert (len(record["inputs"]), record["outputs"][0]["shape"][-1]) == (1, 3)
