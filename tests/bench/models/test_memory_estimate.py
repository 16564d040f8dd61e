"""Models are refused if the sizes in their files do not fit in memory, and only then."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.models import memory_estimate
from edge_bench.bench.models.memory_estimate import MemoryNeed, check_memory, memory_need, why_too_large
from edge_bench.bench.models.model_files import ModelFiles
from tests.made.large_models import LAYER_BYTES, large_onnx, large_tflite
from tests.made.onnx import OnnxBuilder, brightness_onnx
from tests.made.tflite import TfliteBuilder

MB = 10**6


@pytest.fixture
def two_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: 2000 * MB)


@pytest.mark.usefixtures("two_gigabytes")
def test_estimates_below_the_limit_are_accepted_and_others_refused(tmp_path: Path) -> None:
    check_memory(tmp_path, MemoryNeed(300 * MB, 50 * MB), None)
    check_memory(tmp_path, MemoryNeed(300 * MB, 50 * MB), 350 * MB)
    for need, limit in ((MemoryNeed(2001 * MB, 0), None), (MemoryNeed(300 * MB, 51 * MB), 350 * MB)):
        with pytest.raises(BadInput) as caught:
            check_memory(tmp_path, need, limit)
        assert str(tmp_path) in caught.value.problem
        assert caught.value.remedy
    assert why_too_large(2000 * MB, 3000 * MB) is None
    assert why_too_large(2001 * MB, 3000 * MB) is not None


@pytest.mark.usefixtures("two_gigabytes")
def test_a_batch_counts_unless_it_is_part_of_the_file(tmp_path: Path) -> None:
    for batch in ("n", 64):
        made = OnnxBuilder()
        made.add("ReduceMean", ["x"], "m", axes=[2], keepdims=0)
        made.add("Identity", ["m"], "y")
        path = made.save(tmp_path / f"{batch}.onnx", [batch, 10, 1000 * 1000], [batch, 10])
        examples = 64 if batch == 64 else 1
        assert memory_need(path) == MemoryNeed(0, 4 * 10 * MB * examples)
    # sizes as a file of 64 examples has them would take 2.56 GB
    with pytest.raises(BadInput):
        ModelFiles.open([tmp_path / "64.onnx"], 60)
    models = ModelFiles.open([tmp_path / "n.onnx"], 60)
    kinds = [
        item.failure and item.failure.kind
        for item in plan(models, Selection(runtimes=["onnxruntime"], batch_sizes=[1, 32, 64]))
    ]
    assert kinds == [None, None, "out of memory"]
    limited = plan(models, Selection(runtimes=["onnxruntime"], batch_sizes=[1, 32]), memory_limit=100 * MB)
    assert [item.failure and item.failure.kind for item in limited] == [None, "out of memory"]
    fixed = msgspec.structs.replace(models.variants[0], fixed_batch=64)
    (only,) = plan(ModelFiles([fixed], models.paths, 0), Selection(runtimes=["onnxruntime"]))
    assert only.failure is None


def test_a_tflite_file_needs_its_largest_computed_tensor(tmp_path: Path) -> None:
    made = TfliteBuilder()
    image = made.tensor(1, 100)
    path = made.save(tmp_path / "x.tflite", [image], [made.reshape(made.reshape(image, 1, 10, 10), 1, 100)])
    assert memory_need(path) == MemoryNeed(0, 400, mapped=3 * 4 + 2 * 4)


def test_weights_of_a_tflite_file_need_memory_but_count_in_no_limit(tmp_path: Path) -> None:
    layers = 3
    path = large_tflite(tmp_path / "x.tflite", layers)
    need = memory_need(path)
    assert layers * LAYER_BYTES <= need.mapped <= path.stat().st_size
    assert why_too_large(need.total(), 1 * MB, need.mapped) is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_estimate, "available_memory", lambda: layers * LAYER_BYTES)
        with pytest.raises(BadInput):
            ModelFiles.open([path], 60)


@pytest.mark.parametrize("location", ["", "weights.bin"])
def test_weights_of_an_onnx_file_count_wherever_they_are(tmp_path: Path, location: str) -> None:
    path = large_onnx(tmp_path / "x.onnx", 3, location=location)
    assert memory_need(path).weights == 3 * LAYER_BYTES
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([path], 60, memory_limit=2 * LAYER_BYTES)
    assert "--memory-limit" in caught.value.problem


def test_an_onnx_file_of_a_bundle_has_no_weights_elsewhere(tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "x.onnx", range(4), location="weights.bin")
    models = ModelFiles.open([path], 60)
    assert plan(models, Selection(runtimes=["onnxruntime"]))[0].failure is None
    listed = msgspec.structs.replace(models.variants[0], bytes=path.stat().st_size)  # as a manifest lists files
    (only,) = plan(ModelFiles([listed], models.paths, 0), Selection(runtimes=["onnxruntime"]))
    assert only.failure is not None
    assert (only.failure.kind, "weights.bin" in only.failure.message) == ("bad file", True)
