"""The profilers of real runtimes: what they execute is traced back to the operators that the model has."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.runtimes import runtime_named
from edge_bench.bench.runtimes.profiling import profiled_loader
from edge_bench.bench.runtimes.profiling.base import Executed, ProfiledFile, StatedTensor
from edge_bench.bench.runtimes.profiling.litert import library as compiled
from edge_bench.bench.runtimes.profiling.litert.native import Library
from tests.made.delegate import FULLY_CONNECTED, built_delegate
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

IMAGE = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)


def small_cnn(path: Path) -> Path:
    """Write a model of two convolutions, a pooling and a dense layer, for batches of two."""
    made, random = TfliteBuilder(), np.random.default_rng(1)
    last = taken = made.tensor(2, 8, 8, 3)
    for channels, size in ((3, 8), (4, 8)):
        weights = made.tensor(4, 3, 3, channels, data=random.random((4, 3, 3, channels), np.float32))
        options = schema.Conv2DOptionsT(strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1)
        output = made.tensor(2, size, size, 4)
        last = made.operator("CONV_2D", [last, weights, made.tensor(4, data=True)], [output], options)
    pooled = made.tensor(2, 4, 4, 4)
    options = schema.Pool2DOptionsT(strideH=2, strideW=2, filterHeight=2, filterWidth=2)
    last = made.operator("MAX_POOL_2D", [last], [pooled], options)
    last = made.dense(last, random.random((64, 5), np.float32), np.zeros(5), batch=2)
    return made.save(path, [taken], [last])


def profiled(runtime: str, file: ProfiledFile, inputs: npt.NDArray[np.float32], count: int = 6) -> list[Executed]:
    """Profile ``count`` invocations, of which the first one does not count."""
    session = profiled_loader(runtime_named(runtime))(file, [inputs])
    for _ in range(count):
        session.run([inputs])
    executed = session.finish(1)
    assert all(min(each.times_ns) >= 0 for each in executed)
    return executed


def nodes_of(executed: list[Executed]) -> list[int]:
    return [node for each in executed for node in each.nodes]


@pytest.mark.parametrize("delegate", ["", "none"])
def test_litert_times_every_operator_once(delegate: str, tmp_path: Path) -> None:
    path = small_cnn(tmp_path / "m.tflite")
    kinds = [node.name for node in read_tflite(path).nodes]
    executed = profiled("litert", ProfiledFile(path, 1, 2, delegate=delegate), IMAGE)
    assert nodes_of(executed) == list(range(len(kinds)))
    assert {len(each.times_ns) for each in executed} == {5}
    if delegate:
        assert [each.kind for each in executed] == kinds
    else:
        assert all(each.kernel.startswith("XNNPACK: ") for each in executed)


def test_an_operator_that_a_delegate_slows_down_is_the_slowest(tmp_path: Path) -> None:
    path, library = small_cnn(tmp_path / "m.tflite"), built_delegate(tmp_path)
    setting = f"{library.name},operator={FULLY_CONNECTED},delay_us=3000"
    file = ProfiledFile(path, 1, 2, delegate=setting, delegate_library=library)
    executed = profiled("litert", file, IMAGE)
    kinds = [node.name for node in read_tflite(path).nodes]
    assert sorted(nodes_of(executed)) == list(range(len(kinds)))
    slowest = max(executed, key=lambda each: min(each.times_ns))
    assert [kinds[node] for node in slowest.nodes] == ["FULLY_CONNECTED"]
    assert min(slowest.times_ns) >= 3_000_000
    assert slowest.kernel.startswith("delegate: ")


def onnx_cnn(path: Path) -> Path:
    made, random = OnnxBuilder(), np.random.default_rng(1)
    weights = made.constant("w", random.random((32, 3, 3, 3), np.float32))
    made.add("Conv", ["x", weights], "c", pads=[1, 1, 1, 1])
    made.add("Relu", ["c"], "r")
    made.add("GlobalAveragePool", ["r"], "g")
    made.add("Flatten", ["g"], "f")
    made.add("MatMul", ["f", made.constant("v", random.random((32, 5), np.float32))], "y")
    return made.save(path, ["N", 3, 8, 8], ["N", 5])


@pytest.mark.parametrize("runtime", ["onnxruntime", pytest.param("openvino", marks=pytest.mark.slow)])
def test_an_onnx_model_is_traced_back_to_its_nodes(runtime: str, tmp_path: Path) -> None:
    path = onnx_cnn(tmp_path / "m.onnx")
    pytest.importorskip(runtime)
    inputs = np.ascontiguousarray(IMAGE.transpose(0, 3, 1, 2))
    session = profiled_loader(runtime_named(runtime))(ProfiledFile(path, 1, 2), [inputs])
    for _ in range(6):
        session.run([inputs])
    executed = session.finish(1)
    convolution = next(each for each in executed if 0 in each.nodes)
    assert convolution.nodes == [0, 1]  # fused with its activation
    covered = nodes_of(executed)
    assert len(covered) == len(set(covered))
    assert set(covered) >= {0, 1, 2, 4}
    tensors = session.tensors()
    assert tensors["c"] == StatedTensor(tensors["c"].dtype, [2, 32, 8, 8])
    assert tensors["y"].shape == [2, 5]


def test_a_model_that_the_profiler_cannot_load_is_refused_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"LiteRtCreateEnvironment": lambda *_: 0, "LiteRtCreateModelFromFile": lambda *_: 5}
    library = Library()
    monkeypatch.setattr(library, "_library", SimpleNamespace(**answers))
    monkeypatch.setattr(compiled, "Library", lambda: library)
    with pytest.raises(EdgeBenchError, match=r"LiteRtCreateModelFromFile failed: unsupported \(status 5\)") as refused:
        profiled("litert", ProfiledFile(small_cnn(tmp_path / "m.tflite"), 1, 2), IMAGE)
    assert "edge-bench run" in refused.value.remedy
