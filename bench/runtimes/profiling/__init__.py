"""Profilers: one adapter per runtime that has a profiler of its own, and what to use instead for the others.

An adapter is a module in this package with a function ``import_profiler()``, which imports the library and returns a
`ProfiledLoader` (see ``base.py``). Libraries are imported only in worker processes.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from edge_bench.bench.io.temporary import utf8_path
from edge_bench.bench.runtimes import Runtime
from edge_bench.bench.runtimes.profiling.base import ProfiledFile, ProfiledLoader, ProfiledSession

__all__ = ["PROFILERS", "profiled_loader", "why_no_profiler"]

#: Modules of this package by the name of the runtime.
PROFILERS = {"litert": "litert.adapter", "onnxruntime": "onnx_runtime", "openvino": "openvino"}
#: The first release of LiteRT with a profiler that its C API returns.
_FIRST_LITERT = (2, 1, 6)
_INSTEAD = {
    "tflite-runtime": "use --runtime litert, which executes the same file",
    "tensorflow": "export the model with `edge-bench export`, and profile its .tflite files with --runtime litert",
    "ncnn": "profile the .onnx or .tflite file of the same model, with --runtime onnxruntime or litert",
}


def why_no_profiler(runtime: str, version: str) -> tuple[str, str] | None:
    """Return why a release of a runtime cannot be profiled, and the remedy; None if it can."""
    if runtime not in PROFILERS:
        return f"{runtime} has no profiler of its operators", _INSTEAD.get(runtime, "use --runtime litert")
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if runtime == "litert" and (found is None or tuple(map(int, found.groups())) < _FIRST_LITERT):
        first = ".".join(map(str, _FIRST_LITERT))
        return f"LiteRT {version or '(unknown version)'} has no profiler", f"pip install 'ai-edge-litert>={first}'"
    return None


def profiled_loader(runtime: Runtime) -> ProfiledLoader:
    """Import the runtime's library and return its loader of profiled models; raise ImportError if that fails."""
    module = importlib.import_module(f"{__name__}.{PROFILERS[runtime.name]}")
    load: ProfiledLoader = module.import_profiler()

    def load_by_utf8_name(file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> ProfiledSession:
        with utf8_path(file.path) as path:  # native libraries accept only UTF-8 names
            return load(file._replace(path=path), inputs)

    return load_by_utf8_name
