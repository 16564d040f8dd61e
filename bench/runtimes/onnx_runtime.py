"""ONNX Runtime: the user's .onnx files, on the CPU."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, PassTimes, batch_size_for
from edge_bench.bench.runtimes.batches import in_batches
from edge_bench.bench.runtimes.graphs.base import GraphLoader
from edge_bench.bench.runtimes.graphs.onnx import OnnxGraph
from edge_bench.bench.wording import counted

__all__ = ["import_graph_loader", "import_loader"]

_TYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8", "int8": "int8"}


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # only errors, which are also raised as exceptions

    class OnnxSession:
        """An .onnx model. Threads are used within an operator. ONNX Runtime keeps no state between invocations."""

        warning = ""

        def __init__(self, file: ModelFile) -> None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = file.threads, 1
            self._session = onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
            if len(inputs) != 1 or len(outputs) != 1:
                raise ValueError(
                    f"the model has {counted(len(inputs), 'input')} and "
                    f"{counted(len(outputs), 'output')}, but a classifier has one of each"
                )
            input_axes, output_axes = _axes(inputs[0]), _axes(outputs[0])
            self._has_batch_axis = len(input_axes) > 1  # an input of one axis is one example
            if not self._has_batch_axis:
                input_axes = [1, *input_axes]
            self.fixed_batch = None if input_axes[0] == -1 else input_axes[0]
            self.batch_size = batch_size_for(file, self.fixed_batch)
            if len(output_axes) == 1 and (not self._has_batch_axis or output_axes[0] not in (-1, self.batch_size)):
                output_axes = [1, *output_axes]  # the scores of one example, without a batch axis
            self._output_axes = len(output_axes)
            self.input = _spec(inputs[0], self.batch_size, input_axes, file.input_shape)
            self.output = _spec(outputs[0], self.batch_size, output_axes, None)
            self._input_name, self._output_names = inputs[0].name, [outputs[0].name]

        def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
            """Return the scores of one batch, not timed."""
            value = batch if self._has_batch_axis else batch[0]
            scores: npt.NDArray[Any] = self._session.run(self._output_names, {self._input_name: value})[0]
            return scores if scores.ndim >= self._output_axes else scores[np.newaxis]

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass, batch by batch."""
            run, name, output_names = self._session.run, self._input_name, self._output_names
            usual = self._has_batch_axis and self._output_axes > 1
            return in_batches(
                (lambda batch: run(output_names, {name: batch})[0]) if usual else self.invoke,
                inputs, outputs, clock, self.batch_size, pad=self.fixed_batch is not None,
            )  # fmt: skip

    return OnnxSession


def import_graph_loader() -> GraphLoader:
    """Import the library and return a loader of sessions for any inputs and outputs."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # only errors, which are also raised as exceptions
    return OnnxGraph


def _axes(tensor: Any) -> list[int]:
    """Return the sizes of a tensor, -1 for an axis with a name or nothing as its size."""
    if not tensor.type.startswith("tensor(") or not tensor.shape:
        raise ValueError(f"{tensor.name} is a {tensor.type} of shape {list(tensor.shape)}; a classifier takes tensors")
    return [size if isinstance(size, int) and size >= 0 else -1 for size in tensor.shape]


def _spec(tensor: Any, batch_size: int, axes: list[int], stated: tuple[int, ...] | None) -> TensorSpec:
    """Return the spec of a tensor with a type such as ``tensor(float)``. Open axes have their stated size."""
    sizes = axes[1:]
    if stated is not None and len(stated) == len(sizes):
        sizes = [given if size == -1 else size for size, given in zip(sizes, stated, strict=True)]
    kind = tensor.type.removeprefix("tensor(").removesuffix(")")
    return TensorSpec(dtype=_TYPES.get(kind, kind), shape=[batch_size, *sizes])
