"""Large models: the memory of the command does not grow with them, and what does not fit is refused before loading."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_bench.bench.system.memory import available_memory
from tests.command_line import Refuses, clean_environment
from tests.made.large_models import LAYER_BYTES, large_onnx, large_tflite
from tests.made.onnx import brightness_onnx
from tests.made.tflite_models import brightness_tflite

#: Runs the command on one model after another and prints the highest memory of this process after each, in bytes.
SCRIPT = """
import contextlib, io, sys
from edge_bench.app.cli.entry import run_command
from edge_bench.bench.worker.limits import peak_memory
for model in sys.argv[1:]:
    runtime = "litert" if model.endswith(".tflite") else "onnxruntime"
    options = ["--runtime", runtime, "--trials", "2", "--processes", "1", "--limit", "2", "--format", "json"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert run_command(["run", model, *options]) == 0
    print(peak_memory(), printed.getvalue().replace(chr(10), " "))
"""
#: Growth of the command's memory that is allowed, in bytes, whatever the size of the model.
MOST_GROWTH = 12 << 20

Writer = Callable[[Path, int], Path]


def tflite(folder: Path, layers: int) -> Path:
    return large_tflite(folder / "large.tflite", layers)


def onnx_in_one(folder: Path, layers: int) -> Path:
    return large_onnx(folder / "large.onnx", layers)


def onnx_and_data(folder: Path, layers: int) -> Path:
    return large_onnx(folder / "large.onnx", layers, location="large.data")


def assert_constant_memory(large: Path) -> None:
    """Assert that a model is measured, and that this takes as much memory in the parent as for a tiny one."""
    folder = large.parent
    small = brightness_tflite if large.suffix == ".tflite" else brightness_onnx
    tiny = small(folder / f"tiny{large.suffix}", range(4))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tiny, large], cwd=folder, env=clean_environment(folder), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (before, _), (after, printed) = (line.split(" ", 1) for line in done.stdout.splitlines())
    (measured,) = json.loads(printed)
    assert measured["trials"] == 2
    assert int(after) - int(before) < MOST_GROWTH


@pytest.mark.slow
@pytest.mark.parametrize("write", [tflite, pytest.param(onnx_in_one, marks=pytest.mark.nightly), onnx_and_data])
def test_the_command_takes_no_more_memory_for_a_model_of_67_mb(tmp_path: Path, write: Writer) -> None:
    assert LAYER_BYTES > 4 * MOST_GROWTH
    assert_constant_memory(write(tmp_path, 1))


@pytest.mark.nightly
@pytest.mark.parametrize(("write", "layers"), [(tflite, 5), (onnx_in_one, 5), (tflite, 33), (onnx_and_data, 32)])
def test_the_command_takes_no_more_memory_for_a_model_of_gigabytes(tmp_path: Path, write: Writer, layers: int) -> None:
    if available_memory() < 3 * layers * LAYER_BYTES:
        pytest.skip(f"needs {3 * layers * LAYER_BYTES / 1e9:.1f} GB of memory")
    assert_constant_memory(write(tmp_path, layers))


def test_a_model_above_the_memory_limit_is_refused_before_it_is_loaded(refuses: Refuses, tmp_path: Path) -> None:
    for write in (onnx_in_one, onnx_and_data):
        error = refuses("run", write(tmp_path, 32 if write is onnx_and_data else 4), "--memory-limit", "200M")
        assert "--memory-limit" in error.problem


def test_weights_in_the_wrong_place_are_refused(refuses: Refuses, tmp_path: Path) -> None:
    path = brightness_onnx(tmp_path / "m.onnx", range(4), location="weights.bin")
    weights = tmp_path / "weights.bin"
    os.truncate(weights, weights.stat().st_size - 1)
    assert "weights.bin" in refuses("run", path).problem
    weights.unlink()
    assert "weights.bin" in refuses("run", path).problem


@pytest.mark.slow
def test_a_model_without_enough_memory_to_load_it_names_the_option(refuses: Refuses, tmp_path: Path) -> None:
    """ONNX Runtime needs weights in the .onnx file itself twice while it loads them, which the estimate leaves out."""
    error = refuses("run", onnx_in_one(tmp_path, 4), "--memory-limit", "350M")
    assert "--memory-limit" in error.remedy
