"""Session for a TensorFlow SavedModel."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, ModelFile, PassTimes, batch_size_for
from edge_bench.bench.runtimes.batches import in_batches
from edge_bench.bench.wording import counted

__all__ = ["SavedModelSession", "reset_of"]


class SavedModelSession:
    """The serving signature of a SavedModel."""

    warning = ""

    def __init__(self, file: ModelFile) -> None:
        import tensorflow as tf

        self._constant = tf.constant
        self._saved_model = tf.saved_model.load(str(file.path))  # must live as long as its signature is used
        signatures = self._saved_model.signatures
        if "serving_default" not in signatures:
            raise ValueError(f"no signature serving_default; the SavedModel has {', '.join(signatures) or 'none'}")
        self._call = signatures["serving_default"]
        input_tensors, output_tensors = self._call.structured_input_signature[1], self._call.structured_outputs
        if len(input_tensors) != 1 or len(output_tensors) != 1:
            raise ValueError(
                f"the model has {counted(len(input_tensors), 'input')} and "
                f"{counted(len(output_tensors), 'output')}, but a classifier has "
                "one of each"
            )
        ((self._input_name, input_tensor),) = input_tensors.items()
        ((self._output_name, output_tensor),) = output_tensors.items()
        input_axes, output_axes = _axes(input_tensor), _axes(output_tensor)
        self._has_batch_axis = len(input_axes) > 1  # an input of one axis is one example
        if not self._has_batch_axis:
            input_axes = [1, *input_axes]
        # the output has the batch size of a model with state, even if the input is open
        batch_sizes = [input_axes[0], *(output_axes[:1] if len(output_axes) > 1 else [])]
        self.fixed_batch = next((size for size in batch_sizes if size != -1), None)
        self.batch_size = batch_size_for(file, self.fixed_batch)
        if len(output_axes) == 1 and (not self._has_batch_axis or output_axes[0] not in (-1, self.batch_size)):
            output_axes = [1, *output_axes]  # the scores of one example, without a batch axis
        sizes, stated = input_axes[1:], file.input_shape
        if stated and len(stated) == len(sizes):
            sizes = [given if size == -1 else size for size, given in zip(sizes, stated, strict=True)]
        self.input = TensorSpec(dtype=input_tensor.dtype.name, shape=[self.batch_size, *sizes])
        self.output = TensorSpec(dtype=output_tensor.dtype.name, shape=[self.batch_size, *output_axes[1:]])
        self._reset = None if file.stateful else reset_of(self._call)

    def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the scores of one batch, not timed."""
        if self._reset is not None:
            self._reset()
        return self._scores(batch)

    def _scores(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        value = self._constant(batch if self._has_batch_axis else batch[0])
        scores: npt.NDArray[Any] = self._call(**{self._input_name: value})[self._output_name].numpy()
        return scores if scores.ndim >= len(self.output.shape) else scores[np.newaxis]

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass, batch by batch."""
        return in_batches(
            self._scores, inputs, outputs, clock, self.batch_size, pad=self.fixed_batch is not None, reset=self._reset
        )


def _axes(tensor: Any) -> list[int]:
    """Return the sizes of a tensor, -1 for an open axis; raise ValueError if even their number is unknown."""
    if tensor.shape.rank is None or tensor.shape.rank == 0:
        raise ValueError(f"{tensor.name} has shape {tensor.shape}; a classifier takes and returns tensors with axes")
    return [-1 if size is None else size for size in tensor.shape.as_list()]


def reset_of(function: Any) -> Callable[[], None] | None:
    """Return a function that sets variables to their present values, or None if the graph assigns none.

    It sets all variables that the graph uses, because the assigned ones are known only inside the functions it calls.
    """
    graph = function.graph.as_graph_def()
    operations = {node.op for node in graph.node}
    operations |= {node.op for each in graph.library.function for node in each.node_def}
    if not any(name.startswith(("Assign", "ResourceScatter", "ResourceApply")) for name in operations):
        return None
    saved = [
        (variable, variable.numpy()) for variable in {id(each): each for each in function.graph.variables}.values()
    ]

    def reset() -> None:
        for variable, value in saved:
            variable.assign(value)

    return reset
