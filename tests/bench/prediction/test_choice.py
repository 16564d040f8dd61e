"""What is refused, and with which remedy; device files that are not valid."""

import math
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.device_calibration.device import device_name
from edge_bench.bench.device_calibration.device_files import device_path, free_name
from edge_bench.bench.errors import BadInput
from edge_bench.bench.prediction.answer import Subject, predict_model, subjects
from edge_bench.bench.prediction.catalogue import ALL_DEVICES, device_names, load_device
from edge_bench.bench.prediction.choice import choose_parameters, clock_deviation, kernels_of, unmodelled_deviation
from edge_bench.bench.prediction.device_file import (
    UNKNOWN_CLOCK,
    Device,
    ParameterSet,
    device_bytes,
    read_device,
    write_device,
)
from edge_bench.bench.prediction.model_operators import ModelOperators, read_operators
from edge_bench.bench.prediction.work import OperatorWork
from tests.made.prediction.predictions import device, mobile_operators, parameters, small_model
from tests.made.tflite import TfliteBuilder


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
        ({"operators": [OperatorWork("element_by_element", 0.0, 0.0, 64.0)]}, "pi4"),
        ({"open_size": "?×?×3"}, "pi4"),
        ({"unmodelled": {"WHILE": 1}}, "pi4"),
        ({"unmodelled": {"BATCH_MATMUL": 1}, "unmodelled_macs": 1e9}, "pi4"),
    ],
)
def test_models_that_are_refused(changes: dict[str, object], name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        choose_parameters(load_device(name), model(tmp_path, **changes), 1)
    assert caught.value.exit_code == 2
    assert caught.value.remedy


def test_the_refusal_of_int8_names_the_core_and_calibrate(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Cortex-A53") as caught:
        choose_parameters(load_device("zero2w"), model(tmp_path, precision="int8", scheme="per-channel"), 1)
    assert "edge-bench calibrate" in caught.value.remedy


def test_a_calibration_is_no_remedy_for_what_it_does_not_measure(tmp_path: Path) -> None:
    own = device(parameters(precision="int8", scheme="per-channel", method="own calibration"))
    for changes, runtime in (({"precision": "int8", "scheme": "per-tensor"}, "xnnpack"), ({}, "ruy")):
        with pytest.raises(BadInput) as caught:
            choose_parameters(own, model(tmp_path, **changes), 1, runtime)
        assert "edge-bench calibrate" not in caught.value.remedy


def test_an_unknown_clock_is_not_shown_and_cannot_be_changed(tmp_path: Path) -> None:
    subject = subjects(small_model(tmp_path / "x.tflite"))[0]
    unknown = device(parameters(method="own calibration"), clock_evidence=UNKNOWN_CLOCK)
    found = predict_model(subject, unknown)
    assert (found.clock_ghz, found.fitted_clock_ghz) == (0, 0)
    with pytest.raises(BadInput, match="not known"):
        predict_model(subject, unknown, clock_ghz=1.5)


@pytest.mark.parametrize(("open_shape", "refused"), [((), True), ((-1, 16, 16, 3), False)])
def test_a_fixed_batch_of_several_images_is_refused(open_shape: tuple[int, ...], refused: bool, tmp_path: Path) -> None:
    made = TfliteBuilder()
    entry = made.tensor(8, 16, 16, 3, open_shape=open_shape)
    end = made.operator("CONV_2D", [entry, made.tensor(8, 3, 3, 3, data=True)], [made.tensor(8, 16, 16, 8)])
    subject = subjects(made.save(tmp_path / "x.tflite", [entry], [end]))[0]
    if refused:
        with pytest.raises(BadInput, match="batches of 8"):
            predict_model(subject, device())
    else:
        assert predict_model(subject, device()).prediction


@pytest.mark.parametrize(
    ("values", "limit"),
    [([1e-3] * 5 + [1e6, 1e6, 1e-3], "compute"), ([1e6] * 5 + [1e-3, 1e-3, 1e-3], "memory"),
     ([1e6] * 5 + [1e6, 1e6, 1e6], "overhead")],
)  # fmt: skip
def test_the_limit_is_what_takes_most_of_the_time(values: list[float], limit: str, tmp_path: Path) -> None:
    subject = subjects(small_model(tmp_path / "x.tflite"))[0]
    assert predict_model(subject, device(parameters(values))).limited_by == limit


def test_variants_that_are_no_tflite_models_are_refused_by_name(bundle_copy: Path) -> None:
    with pytest.raises(BadInput, match="keras"):
        subjects(bundle_copy, ["float32", "keras"])


def test_a_personal_device_is_found_in_any_case_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_DEVICES", str(tmp_path))
    write_device(tmp_path / "Desk.toml", device())
    assert load_device("Desk").name == load_device("desk").name == "made"


@pytest.mark.parametrize("name", ["pi2", "zerow", "pi4"])
def test_a_calibration_cannot_have_the_name_of_a_board(name: str) -> None:
    with pytest.raises(BadInput):
        device_path(name, None)
    assert free_name(name) == f"my-{name}"
    assert device_name(f"{name}.toml") == name


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


@pytest.mark.parametrize("runtime", ["tflite-runtime", "onnxruntime"])
def test_runtimes_without_published_latencies_are_refused(runtime: str) -> None:
    assert (kernels_of("litert"), kernels_of("ruy")) == ("xnnpack", "ruy")
    with pytest.raises(BadInput, match=runtime):
        kernels_of(runtime)


@pytest.mark.parametrize(("clock", "valid"), [(None, True), (1.5, True), (1.502, True), (1.45, False), (3.0, False)])
def test_a_calibration_is_valid_for_its_clock_only(clock: float | None, valid: bool, tmp_path: Path) -> None:
    calibrated = device(parameters(method="own calibration"))
    if valid:
        assert choose_parameters(calibrated, model(tmp_path), 1, clock_ghz=clock).method == "own calibration"
        return
    with pytest.raises(BadInput, match=r"1\.5 GHz"):
        choose_parameters(calibrated, model(tmp_path), 1, clock_ghz=clock)


def test_another_clock_is_not_published_and_covers_the_ends_of_what_is_possible() -> None:
    """From no change with the clock to a time that is as short as the clock is high."""
    for clock in (1.2, 1.4, 1.7, 2.0):
        ratio = clock / 1.5
        for changed in (0.0, 0.5, 1.0):  # how much of the change of the clock is predicted
            deviation = clock_deviation(10.0, 10.0 / ratio**changed, ratio)
            distance = max(changed, 1 - changed) * abs(math.log(ratio))
            assert distance / 1.8 < deviation <= distance
    assert clock_deviation(10.0, 10.0, 1.0) == 0


def test_latencies_at_one_clock_of_a_pi_4_cover_those_at_the_other(tmp_path: Path) -> None:
    """The published board has both; each is predicted from the other alone."""
    operators = model(tmp_path, operators=mobile_operators(224, 1.0))
    subject, board = Subject("x", operators, 1 << 20), load_device("pi4")
    for clock, other in ((1.5, 1.8), (1.8, 1.5)):
        alone = msgspec.structs.replace(board, parameters=[e for e in board.parameters if e.clock_ghz == other])
        known = predict_model(subject, board, clock_ghz=clock)
        made, there = predict_model(subject, alone, clock_ghz=clock), predict_model(subject, alone, clock_ghz=other)
        assert (known.method, there.method, made.method) == ("published", "published", "sibling")
        assert (made.clock_ghz, made.fitted_clock_ghz) == (clock, other)
        assert known.prediction
        assert made.prediction
        assert there.prediction
        low, high = made.prediction.interval_90
        assert low < known.prediction.milliseconds < high
        assert high / low > 1.02 * there.prediction.interval_90[1] / there.prediction.interval_90[0]


def test_a_model_that_fits_into_no_version_of_a_device_is_refused(tmp_path: Path) -> None:
    small = subjects(small_model(tmp_path / "x.tflite"))[0]
    sizes = msgspec.structs.replace(small, memory_bytes=618 << 20)
    with pytest.raises(BadInput, match=r"618 MiB.*512 MiB"):
        predict_model(sizes, load_device("zero2w"))
    assert predict_model(sizes, load_device("pi4")).prediction


def test_parameters_that_say_nothing_about_a_model_are_refused(tmp_path: Path) -> None:
    subject = subjects(small_model(tmp_path / "x.tflite"))[0]
    vague = device(parameters(method="own calibration", residual=10.0, degrees_of_freedom=1.0))
    with pytest.raises(BadInput, match="too uncertain"):
        predict_model(subject, vague)


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
    "an unknown key": lambda text: text.replace("reliable =", "reliabel =", 1),
    "a key of no use": lambda text: text.replace("reliable =", "extra = 1\nreliable =", 1),
    "an unknown key of a parameter set": lambda text: text.replace("residual =", "extra = 1\nresidual =", 1),
    "nothing on its reliability": lambda text: text.replace("reliable = true\n", "", 1),
    "a residual that overflows": lambda text: text.replace("residual = 0.02", "residual = 1e9", 1),
    "a value of nothing": lambda text: text.replace("values = [2.0, ", "values = [1e-300, "),
    "p90 below the median": lambda text: text.replace("rows = 12", "rows = 12\np90_ratio = [1.0, 0.5, 1.13]", 1),
    "exchanged sizes": lambda text: text.replace("[1e+06, 1e+09]", "[1e+09, 1e+06]", 1),
    "sizes of no model": lambda text: text.replace("[1e+06, 1e+09]", "[0.0, 0.0]", 1),
    "no rows": lambda text: text.replace("rows = 12", "rows = 0", 1),
    "exchanged shares": lambda text: text.replace("rows = 12", "rows = 12\nrange_shares = {dense = [0.5, 0.1]}", 1),
    "shares of no class": lambda text: text.replace("rows = 12", "rows = 12\nrange_shares = {odd = [0.1, 0.5]}", 1),
    "a covariance of nothing": lambda text: text.replace("[0.0025, 0.0, ", "[0.0025, 0.9, ", 1).replace(
        "[0.0, 0.0025, ", "[0.9, 0.0025, ", 1
    ),
    "the same parameters twice": lambda text: text + text[text.index("[[parameters]]") :],
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
