"""The content of .tflite files, and the cost of their models."""

import contextlib
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import parse_tflite, read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.records.bundle import Bundle
from tests.models import MLPERF, mlperf

#: 26·26·32·9 + 11·11·64·9·32 + 3·3·128·9·64 + 128·256 + 256·10, the paper's CNN on 28×28×1.
PAPER_MACS = 194_688 + 2_230_272 + 663_552 + 32_768 + 2_560


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8"])
def test_every_variant_of_the_papers_cnn_has_its_parameters_and_operations(digits_bundle: Bundle, variant: str) -> None:
    cost = model_cost(read_tflite(digits_bundle.folder / "variants" / f"{variant}.tflite"))
    assert cost.parameters == 128_266
    assert cost.macs == PAPER_MACS
    assert sum(each.macs for each in cost.operators if each.name == "CONV_2D") == PAPER_MACS - 35_328


@pytest.mark.skipif(not MLPERF, reason="needs EDGE_BENCH_DATA beside a models folder")
def test_the_cost_of_mlperf_tinys_resnet_is_the_published_one() -> None:
    float32, quantized = (
        model_cost(read_tflite(mlperf(name))) for name in ("pretrainedResnet", "pretrainedResnet_quant")
    )
    assert float32.macs == quantized.macs
    # MLPerf Tiny v0.5 (Banbury et al. 2021): 12.5 M multiply-accumulates, 78 k parameters
    assert float32.macs == pytest.approx(12.5e6, rel=0.02)
    assert float32.parameters == pytest.approx(78e3, rel=0.02)
    assert quantized.constant_bytes < float32.constant_bytes / 3


def test_a_file_describes_its_input_output_and_minimum_runtime(digits_bundle: Bundle) -> None:
    file = read_tflite(digits_bundle.folder / "variants" / "int8.tflite")
    assert (file.only_input.dtype, file.only_input.shape) == ("uint8", [1, 28, 28, 1])
    assert file.only_input.scale == pytest.approx(1 / 255, rel=1e-3)
    assert file.only_output.shape == [1, 10]
    assert file.minimum_runtime[0].isdigit()


def test_damaged_files_are_refused_and_never_crash(digits_bundle: Bundle, tmp_path: Path) -> None:
    content = bytearray((digits_bundle.folder / "variants" / "dynamic.tflite").read_bytes())
    generator = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for place in generator.integers(0, len(content), 20):
            damaged[place] = generator.integers(0, 256)
        with contextlib.suppress(ValueError):  # the only error that is allowed
            model_cost(parse_tflite(bytes(damaged)))
    for cut in (0, 3, 7, 100, len(content) // 2):
        (tmp_path / "cut.tflite").write_bytes(content[:cut])
        with pytest.raises(BadInput) as caught:
            read_tflite(tmp_path / "cut.tflite")
        assert "cut.tflite" in caught.value.problem
