"""OpenVINO: the counters of its CPU plugin, which are means in whole microseconds since the model was compiled.

So each process has one time per operator: the mean over its invocations, without the first ones, whose means are known.
Operators are traced back to the model's nodes by the names that OpenVINO keeps. It renames most of a .tflite file's.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.model_formats.operators.onnx_nodes import read_onnx_nodes
from edge_bench.bench.model_formats.operators.tflite_names import tensor_names
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.runtimes.openvino.model import OpenVinoModel
from edge_bench.bench.runtimes.profiling.base import (
    Executed,
    ProfiledFile,
    ProfiledLoader,
    StatedTensor,
    whole_inputs,
)

__all__ = ["import_profiler"]

#: Invocations before those that count, which include the preparation of kernels.
_FIRST = 2
#: Starts of the kernels of inputs, outputs, and operators that are fused or do nothing.
_WITHOUT_KERNEL = ("undef", "unknown")


class _CountedModel(OpenVinoModel):
    """A compiled model that counts the time of its operators."""

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"PERF_COUNT": True}

    def counters(self) -> dict[str, tuple[str, str, int]]:
        """Return type, kernel and mean time in microseconds of each operator that has a kernel, in order.

        Its status does not tell whether it runs: it says so only of operators whose mean is at least a microsecond.
        """
        found = self._request.get_profiling_info()
        return {
            each.node_name: (each.node_type, each.exec_type, round(each.real_time.total_seconds() * 1e6))
            for each in found
            if not each.exec_type.startswith(_WITHOUT_KERNEL)
        }

    def tensors(self) -> dict[str, StatedTensor]:
        """Return types and shapes of the tensors that have names, for the compiled inputs."""
        model = self._model.clone()
        model.reshape({at: self._openvino.PartialShape(shape) for at, shape in enumerate(self._compiled_for or [])})
        return {
            name: StatedTensor(np.dtype(output.element_type.to_dtype()).name, list(output.shape))
            for operator in model.get_ordered_ops()
            for output in operator.outputs()
            if not output.partial_shape.is_dynamic
            for name in output.names
        }

    def origins(self) -> dict[str, list[str]]:
        """Return the names of the model's tensors that each executed operator computes."""
        names = {each.friendly_name: [name for output in each.outputs() for name in output.names]
                 for each in self._model.get_ordered_ops()}  # fmt: skip
        found = {}
        for operator in self._request.get_compiled_model().get_runtime_model().get_ordered_ops():
            layers = operator.get_rt_info()["originalLayersNames"].astype(str).split(",")
            own = [operator.friendly_name, *layers]
            found[operator.friendly_name] = [tensor for name in own for tensor in names.get(name, [])]
        return found


class OpenVinoProfile:
    """A .tflite or .onnx model whose operators OpenVINO times."""

    profiler = "OpenVINO's performance counters"
    resolution_ns = 1000

    def __init__(self, file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> None:
        self._model = _CountedModel(file.path, file.threads, file.signature)
        self._axes = [len(port.axes or ()) for port in self._model.inputs]
        self._model.compile([each.shape for each in whole_inputs(inputs, self._axes)])
        self._outputs = _node_outputs(file.path)
        self._invocations = 0
        self._first: dict[str, int] = {}

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> int:
        """Invoke the model on one batch, counted; return its duration in nanoseconds."""
        whole = whole_inputs(inputs, self._axes)
        began = time.perf_counter_ns()
        self._model.invoke(whole)
        duration = time.perf_counter_ns() - began
        self._invocations += 1
        if self._invocations == _FIRST:
            self._first = {name: each[2] for name, each in self._model.counters().items()}
        return duration

    def finish(self, skip: int) -> list[Executed]:  # noqa: ARG002 - the counters are means over all invocations
        """Return what was executed, each with one time: the mean of all invocations but the first."""
        counted = self._invocations - _FIRST
        if counted < 1:
            raise ValueError("OpenVINO's counters need more invocations")
        origins, found = self._model.origins(), list[Executed]()
        for name, (kind, kernel, mean) in self._model.counters().items():
            if name not in origins:  # fused into another one
                continue
            total = (mean + 0.5 * (mean > 0)) * self._invocations - self._first.get(name, 0) * _FIRST
            nodes = sorted({self._outputs[each] for each in origins.get(name, []) if each in self._outputs})
            found.append(
                Executed(
                    kind=kind, name=name, kernel=f"OpenVINO: {kernel}", nodes=nodes,
                    times_ns=[max(0, round(1000 * total / counted))],
                )
            )  # fmt: skip
        return found

    def tensors(self) -> dict[str, StatedTensor]:
        """Return the named tensors as they are in an invocation."""
        return self._model.tensors()


def _node_outputs(path: Path) -> dict[str, int]:
    """Return the position of the node that computes each named tensor of a file."""
    if path.suffix == ".onnx":
        return {
            name: number for number, node in enumerate(read_onnx_nodes(path).nodes) for name in node.outputs if name
        }
    file, names = read_tflite(path), tensor_names(path)
    return {
        names[tensor]: number for number, node in enumerate(file.nodes[: file.main_nodes]) for tensor in node.outputs
    }


def import_profiler() -> ProfiledLoader:
    """Import the library and return a loader of profiled models."""
    return OpenVinoProfile
