"""A classifier in OpenVINO."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, ModelFile, PassTimes, batch_size_for
from edge_bench.bench.runtimes.batches import in_batches
from edge_bench.bench.runtimes.graphs.layout import Port
from edge_bench.bench.runtimes.openvino.model import OpenVinoModel
from edge_bench.bench.wording import counted

__all__ = ["OpenVinoClassifier"]

Array = npt.NDArray[Any]


class OpenVinoClassifier:
    """A .tflite or .onnx model, compiled for ``batch_size`` images. The last batch is padded."""

    warning = ""

    def __init__(self, file: ModelFile) -> None:
        model = self._model = OpenVinoModel(file.path, file.threads)
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ValueError(
                f"the model has {counted(len(model.inputs), 'input')} and "
                f"{counted(len(model.outputs), 'output')}, but a classifier has one of each"
            )
        axes = model.inputs[0].axes
        if not axes:
            raise ValueError(f"input {model.inputs[0].name[:80]} has no axes, but a classifier takes tensors")
        self._has_batch_axis = len(axes) > 1  # an input of one axis is one example
        self.fixed_batch = 1 if not self._has_batch_axis else None if axes[0] == -1 else axes[0]
        self.batch_size = batch_size_for(file, self.fixed_batch)
        image = axes[1:] if self._has_batch_axis else axes
        if file.input_shape is not None and len(file.input_shape) == len(image):
            image = [given if size == -1 else size for size, given in zip(image, file.input_shape, strict=True)]
        model.compile([[self.batch_size, *image] if self._has_batch_axis else image])
        self.input = _spec(model.inputs[0], [self.batch_size, *image])
        self.output = _spec(model.outputs[0], self._output_axes(model.output_shapes[0]))
        self._reset = model.reset_state if model.has_state and not file.stateful else None

    def _output_axes(self, axes: list[int]) -> list[int]:
        if len(axes) == 1 and (not self._has_batch_axis or axes[0] not in (-1, self.batch_size)):
            axes = [1, *axes]  # the scores of one example, without a batch axis
        if not axes:
            raise ValueError("its output has no axes, but a classifier has one list of scores per example")
        return [self.batch_size, *axes[1:]]

    def invoke(self, batch: Array) -> Array:
        """Return the scores of one batch, not timed."""
        if self._reset is not None:
            self._reset()
        return self._scores(batch, copy=True)

    def _scores(self, batch: Array, *, copy: bool = False) -> Array:
        (scores,) = self._model.invoke([batch if self._has_batch_axis else batch[0]], copy=copy)
        return scores if scores.ndim >= len(self.output.shape) else scores[np.newaxis]

    def classify(self, inputs: Array, outputs: Array, clock: Clock) -> PassTimes:
        """Run one pass, batch by batch. Each invocation includes copying its input in and its output out."""
        return in_batches(self._scores, inputs, outputs, clock, self.batch_size, pad=True, reset=self._reset)


def _spec(port: Port, shape: list[int]) -> TensorSpec:
    return TensorSpec(dtype=port.dtype, shape=shape, scale=port.scale, zero_point=port.zero_point)
