"""Peaks of this machine: their models, the caches, and a real measurement."""

from pathlib import Path

import pytest

from edge_bench.bench.measure.peaks.compute import PRECISIONS
from edge_bench.bench.measure.peaks.load import Load
from edge_bench.bench.measure.peaks.onnx_probe import write_onnx_probe
from edge_bench.bench.measure.peaks.peaks import PeakMeter
from edge_bench.bench.measure.peaks.probes import PROBES
from edge_bench.bench.measure.peaks.tflite_probe import write_tflite_probe
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.system.caches import last_cache_bytes, second_cache_share
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.system.sensors import Sensors
from tests.factories import machine
from tests.made.profiles import FLOAT32


@pytest.mark.parametrize("quantized", [False, True], ids=["float32", "int8"])
def test_the_models_have_as_many_multiply_accumulates_as_is_assumed(tmp_path: Path, quantized: bool) -> None:
    onnx = pytest.importorskip("onnx")
    for probe in PROBES:
        path = tmp_path / "probe.tflite"
        values = write_tflite_probe(probe, path, quantized)
        file = read_tflite(path)
        assert model_cost(file).macs == probe.macs
        assert (file.inputs[0].dtype, list(file.inputs[0].shape)) == (values.dtype.name, list(values.shape))
        values = write_onnx_probe(probe, tmp_path / "probe.onnx", quantized)
        model = onnx.load(str(tmp_path / "probe.onnx"))
        onnx.checker.check_model(model, full_check=True)
        weights = [each for each in model.graph.initializer if len(each.dims) > 1]
        positions = values.size // probe.channels
        assert (
            sum(positions * each.dims[0] * onnx.numpy_helper.to_array(each)[0].size for each in weights) == probe.macs
        )


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["litert", "onnxruntime"])
def test_every_rate_is_measured_once_for_each_runtime_and_number_of_threads(runtime: str) -> None:
    pytest.importorskip({"litert": "ai_edge_litert", "onnxruntime": "onnxruntime"}[runtime])
    meter = PeakMeter(describe_machine(), 60)
    peaks = meter.peaks(runtime, 1)
    assert peaks is not None
    assert peaks.threads == 1
    assert set(peaks.macs_per_second) == set(PRECISIONS)
    # between a microcontroller and a large server
    assert all(1e6 < rate < 1e14 for rate in peaks.macs_per_second.values())
    for moved in (peaks.bytes_per_second, peaks.cached_bytes_per_second):
        assert moved is not None
        assert 1e7 < moved < 1e13
    assert meter.peaks(runtime, 1) is peaks


def test_emulated_machines_have_no_peaks_and_runtimes_without_models_say_so() -> None:
    assert PeakMeter(machine(emulated=True), 60).with_peaks(FLOAT32).peaks is None


def test_caches_are_read_from_the_system(tmp_path: Path) -> None:
    assert last_cache_bytes(tmp_path) is None
    assert second_cache_share(tmp_path) is None
    stated = [
        ("1", "Data", "32K", "0"), ("1", "Instruction", "32K", "0"), ("2", "Unified", "1024K", "0-3"),
        ("3", "Unified", "2M", "0-3"), ("x", "Unified", "many", ""),
    ]  # fmt: skip
    for number, values in enumerate(stated):
        folder = tmp_path / f"sys/devices/system/cpu/cpu0/cache/index{number}"
        folder.mkdir(parents=True)
        for name, value in zip(("level", "type", "size", "shared_cpu_list"), values, strict=True):
            (folder / name).write_text(f"{value}\n")
    assert last_cache_bytes(tmp_path) == 2 << 20
    assert second_cache_share(tmp_path) == 256 << 10


def test_other_programs_and_throttling_disturb_peaks(tmp_path: Path) -> None:
    def use(ticks: int, temperature: str) -> None:
        (tmp_path / "proc").mkdir(exist_ok=True)
        (tmp_path / "proc/stat").write_text(f"cpu {ticks} 0 0 0 0 0 0 0 0\n")
        firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
        firmware.mkdir(parents=True, exist_ok=True)
        (firmware / "get_throttled").write_text(temperature)

    use(0, "0x0")
    load = Load(Sensors(tmp_path), cores=2)
    with load.watch() as watched:
        use(1000, "0x4")
        watched.own_ns = 9_900_000_000
    assert (len(load.throttled), len(load.reasons)) == (1, 2)  # 0.1 s of other programs in less than that
    quiet = Load(Sensors(tmp_path), cores=2)
    with quiet.watch() as watched:
        use(2000, "0x0")
        watched.own_ns = 10_000_000_000
    assert quiet.other_ns == 0
