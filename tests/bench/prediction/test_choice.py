"""What is refused, and with which remedy; device files that are not valid."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.catalogue import ALL_DEVICES, device_names, load_device
from edge_bench.bench.prediction.choice import choose_parameters, kernels_of, unmodelled_deviation
from edge_bench.bench.prediction.device_file import Device, ParameterSet, device_bytes, read_device, write_device
from edge_bench.bench.prediction.model_operators import ModelOperators, read_operators
from tests.made.prediction.predictions import device, parameters, small_model


def model(path: Path, **changes: object) -> ModelOperators:
    return msgspec.structs.replace(read_operators(small_model(path / "x.tflite")), **changes)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"precision": "dynamic"}, "pi4"),
        ({"precision": "mixed"}, "pi4"),
        ({"precision": "int8", "scheme": "per-channel"}, "zero2w"),  # no int8 latencies of an A53 with XNNPACK
        ({"precision": "int8", "scheme": "per-channel"}, "pi3b+"),
        ({"unmodelled": {"CUSTOM Odd": 1}, "unmodelled_bytes": 60e3}, "pi4"),
        ({"operators": []}, "pi4"),
    ],
)
def test_models_that_are_refused(changes: dict[str, object], name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        choose_parameters(load_device(name), model(tmp_path, **changes), 1)
    assert caught.value.exit_code == 2
    assert caught.value.remedy


def test_the_refusal_of_int8_names_the_core_and_calibrate(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Cortex-A53") as caught:
        choose_parameters(load_device("zero2w"), model(tmp_path, precision="int8", scheme="per-tensor"), 1)
    assert "edge-bench calibrate" in caught.value.remedy


def test_dynamic_variants_are_predicted_after_a_calibration_for_them(tmp_path: Path) -> None:
    calibrated = device(parameters(precision="dynamic", method="own calibration"))
    assert choose_parameters(calibrated, model(tmp_path, precision="dynamic"), 1).precision == "dynamic"


@pytest.mark.parametrize(("threads", "clock"), [(5, None), (3, None), (1, 0.6), (1, 4.0)])
def test_threads_and_clocks_without_parameters_are_refused(threads: int, clock: float | None, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        choose_parameters(device(), model(tmp_path), threads, clock_ghz=clock)


def test_the_nearest_clock_is_chosen(tmp_path: Path) -> None:
    clocks = [
        choose_parameters(load_device("pi4"), model(tmp_path), 1, clock_ghz=each).clock_ghz for each in (1.5, 1.9)
    ]
    assert clocks == [1.5, 1.8]


def test_runtimes_without_published_latencies_are_refused() -> None:
    assert kernels_of("litert") == kernels_of("tflite-runtime") == "xnnpack"
    with pytest.raises(BadInput):
        kernels_of("onnxruntime")


def test_operators_without_a_model_widen_the_interval(tmp_path: Path) -> None:
    few = model(tmp_path, unmodelled={"CUSTOM Odd": 1}, unmodelled_bytes=1e3)
    assert unmodelled_deviation(model(tmp_path)) == 0 < unmodelled_deviation(few)


@pytest.mark.parametrize("name", ["pi2", "zerow", "pi9", "no/such.toml"])
def test_boards_of_32_bits_and_unknown_ones_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        load_device(name)


def test_a_device_file_of_a_32_bit_system_is_refused(tmp_path: Path) -> None:
    write_device(tmp_path / "x.toml", device(os_bits=32))
    with pytest.raises(BadInput, match="32-bit"):
        load_device(tmp_path / "x.toml")


def test_all_device_files_are_valid_and_written_the_same_again() -> None:
    assert set(ALL_DEVICES) <= set(device_names())
    for name in device_names():
        found = load_device(name)
        assert found.name == name
        assert found.parameters
        assert all(each.sources for each in found.parameters)


def test_a_device_file_reads_back_as_it_was(tmp_path: Path) -> None:
    made = device(
        parameters(deviation=0.5),
        parameters(deviation=0.5, threads=4, p90_ratio=(1.0, 1.02, 1.1)),
        calibrated='x "é"\n\\ \x7f',
        l2_kb=512.0,
    )
    write_device(tmp_path / "x.toml", made)
    found = read_device(tmp_path / "x.toml")
    assert found == made
    assert device_bytes(found) == (tmp_path / "x.toml").read_bytes()


BAD = {
    "another format": lambda text: text.replace("edge-bench.device/1", "edge-bench.device/9"),
    "no TOML": lambda text: text.replace("=", "", 1),
    "a negative value": lambda text: text.replace("values = [", "values = [-", 1),
    "too few values": lambda text: text.replace("values = [2.0, ", "values = ["),
    "not symmetric": lambda text: text.replace("[0.0025, 0.0,", "[0.0025, 1.0,", 1),
    "a negative variance": lambda text: text.replace("[0.0025, 0.0,", "[-0.0025, 0.0,", 1),
    "not finite": lambda text: text.replace("[0.0025, 0.0,", "[nan, 0.0,", 1),
    "an infinite clock": lambda text: text.replace("clock_ghz = 1.5", "clock_ghz = inf", 1),
    "many dots": lambda text: "a" + ".a" * 500 + " = 1\n" + text,
}


@pytest.mark.parametrize("damage", BAD)
def test_bad_device_files_are_refused(damage: str, tmp_path: Path) -> None:
    text = device_bytes(device()).decode()
    changed = BAD[damage](text)
    assert changed != text
    (tmp_path / "x.toml").write_text(changed)
    with pytest.raises(BadInput) as caught:
        read_device(tmp_path / "x.toml")
    assert str(tmp_path / "x.toml") in caught.value.problem


def test_a_parameter_set_needs_all_parameters() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(parameters()) | {"values": [1.0]}, ParameterSet)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(device()) | {"cores": 0}, Device)
