"""Processes that load a model once are limited in memory, for any model."""

from pathlib import Path

import numpy as np
import pytest

from edge_bench.app.conversion.convertible import open_convertible
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.models.memory_estimate import memory_need
from edge_bench.bench.worker.load_check import try_load
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerProcess
from tests.made.keras import brightness_keras
from tests.made.tflite import TfliteBuilder

MB = 1 << 20


def growing(folder: Path, size: int) -> Path:
    """Return a model that fills a value of ``size`` bytes, which its file says is small."""
    made = TfliteBuilder()
    image = made.tensor(1, 4)
    length = made.tensor(1, data=np.array([size // 4], np.int32), kind="INT32")
    value = made.tensor(data=np.zeros((), np.float32))
    large = made.operator("FILL", [length, value], [made.tensor(4)])
    return made.save(folder / f"{size}.tflite", [image], [large])


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_a_load_attempt_has_a_limit_of_memory(tmp_path: Path, runtime: str) -> None:
    small, large = growing(tmp_path, 1 * MB), growing(tmp_path, 1500 * MB)
    assert memory_need(large).total() < MB  # the estimate does not know it
    fits = try_load(runtime, small, 60, 1024 * MB)
    assert (fits.refusal, fits.invocation) == ("", "")
    outcome = try_load(runtime, large, 60, 1024 * MB)
    assert outcome.refusal or outcome.invocation


@pytest.mark.slow
def test_a_converter_has_a_limit_of_memory(tmp_path: Path) -> None:
    model = tmp_path / "x.keras"
    brightness_keras().save(model)
    with pytest.raises(EdgeBenchError) as caught, open_convertible(str(model), "none", 60, memory_limit=64 * MB):
        pass
    assert "--memory-limit" in caught.value.remedy
    with open_convertible(str(model), "none", 60, memory_limit=4096 * MB) as source:  # the least default
        assert source.convert("float32")


def test_linux_ends_a_worker_before_other_processes(tmp_path: Path) -> None:
    with WorkerProcess("litert", files=[tmp_path]) as worker:
        worker.wait_for(Ready, 60)
        assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text().strip() == "1000"
