"""Classifiers and graphs in ncnn."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, ModelFile, PassTimes, batch_size_for
from edge_bench.bench.runtimes.batches import in_batches
from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.layout import Layout, Port
from edge_bench.bench.runtimes.ncnn.model import NcnnModel
from edge_bench.bench.wording import counted

__all__ = ["NcnnClassifier", "NcnnGraph"]

Array = npt.NDArray[Any]


class NcnnClassifier:
    """A model with one input, whose size is in the file, and one output."""

    warning = ""
    fixed_batch: int | None = 1  # the only size

    def __init__(self, file: ModelFile) -> None:
        model = self._model = NcnnModel(file.path, file.threads)
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise ValueError(
                f"the model has {counted(len(model.inputs), 'input')} and "
                f"{counted(len(model.outputs), 'output')}, but a classifier has one of each"
            )
        shape = model.shapes[model.inputs[0]] or (list(file.input_shape) if file.input_shape else None)
        if shape is None:
            raise ValueError("the layer Input states no size; add it to its line, for example 0=28 1=28 2=1 (w, h, c)")
        self.batch_size = batch_size_for(file, self.fixed_batch)
        self.input = TensorSpec(dtype="float32", shape=[1, *shape])
        self.output = TensorSpec(dtype="float32", shape=[1, -1])

    def invoke(self, batch: Array) -> Array:
        """Return the scores of one example, not timed."""
        return self._model.invoke([batch])[0]

    def classify(self, inputs: Array, outputs: Array, clock: Clock) -> PassTimes:
        """Run one pass. Each invocation includes copying its input in and its output out."""
        return in_batches(self.invoke, inputs, outputs, clock, 1, pad=False)


class NcnnGraph(BatchedGraph):
    """A model with any inputs and outputs. Inputs whose size is not in the file need a stated shape."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError for a named signature, which ncnn's files do not have, or if a size is unknown."""
        if file.signature:
            raise ValueError(f"signature {file.signature[:80]}: ncnn's files have none; leave out --signature")
        model = self._ncnn = NcnnModel(file.path, file.threads)
        inputs = [Port(name, "float32", _axes(model.shapes[name], file.shapes.get(name))) for name in model.inputs]
        # nothing but an invocation tells the sizes of outputs
        outputs = [Port(name, "float32", None) for name in model.outputs]
        super().__init__(Layout(inputs, outputs, file.batch_size, file.shapes), None, stateful=file.stateful)

    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""
        return self._ncnn.invoke(inputs)


def _axes(in_file: list[int] | None, stated: tuple[int, ...] | None) -> list[int] | None:
    """Return the axes of an input with a first one for the only example; None if even their number is unknown."""
    if in_file is not None:
        return [1, *in_file]
    return None if stated is None else [1, *[-1] * (len(stated) - 1)]
