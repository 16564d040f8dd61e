"""`inspect`: counts against published ones, and who can load a model."""

import json
import re
from pathlib import Path

import pytest

from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.records.bundle import Bundle
from tests.command_line import CommandLine, assert_refused
from tests.models import tflite_of

#: Millions of multiply-accumulates and of parameters. Howard et al. 2017, table 4; Sandler et al. 2018, table 4;
#: He et al. 2016, table 1; torchvision's form of ResNet-50, which halves the image one convolution later.
PUBLISHED = {
    "MobileNet": (569, 4.24),
    "MobileNetV2": (300, 3.47),
    "ResNet50": (3800, 25.6),
    "ResNet50 of torchvision": (4100, 25.6),
}


@pytest.mark.slow
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


def test_a_person_sees_operators_ends_and_who_can_load_it(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench("inspect", digits_bundle.folder / "variants" / "int8.tflite")
    assert done.returncode == 0, done.stderr
    for words in ("3.12 M (3,123,840)", "128,266", "CONV_2D", "uint8 1×28×28×1", "known", "tried here", "it loads"):
        assert words in done.stdout.replace("uint8 ?×28", "uint8 1×28"), done.stdout


def test_json_holds_everything(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench("inspect", digits_bundle.folder / "variants" / "dynamic.tflite", "--format", "json")
    (record,) = json.loads(done.stdout)
    assert record["macs"] == 3_123_840
    assert {each["name"] for each in record["operators"]} >= {"CONV_2D", "FULLY_CONNECTED"}
    assert all(each["refusal"] == "" for each in record["tried"])
    assert {each["release"] for each in record["known"] if each["runtime"] == "tflite-runtime" and not each["lacks"]}


@pytest.mark.slow
def test_a_keras_model_is_inspected_as_what_it_becomes(edge_bench: CommandLine, digits_bundle: Bundle) -> None:
    done = edge_bench("inspect", digits_bundle.folder / "model.keras", "--format", "json")
    assert done.returncode == 0, done.stderr
    (record,) = json.loads(done.stdout)
    assert (record["macs"], record["parameters"], record["converted_to_float32"]) == (3_123_840, 128_266, True)


def test_what_is_no_model_is_refused(edge_bench: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    (tmp_path / "y.onnx").write_bytes(b"")
    assert_refused(edge_bench("inspect", "x.tflite"), "x.tflite", "not a whole")
    assert_refused(edge_bench("inspect", "y.onnx"), "y.onnx", "run")
    assert_refused(edge_bench("inspect", "z.tflite"), "z.tflite", "no such file")
