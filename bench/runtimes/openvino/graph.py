"""Any graph in OpenVINO."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.layout import Layout
from edge_bench.bench.runtimes.openvino.model import OpenVinoModel

__all__ = ["OpenVinoGraph"]

Array = npt.NDArray[Any]


class OpenVinoGraph(BatchedGraph):
    """A .tflite or .onnx model, compiled for full batches and the shapes of the first inputs."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError if there is no such signature, or for unsupported tensors, shapes or operators."""
        model = self._openvino = OpenVinoModel(file.path, file.threads, file.signature)
        # a shape without sizes is that of one number, or unknown before an invocation
        outputs = [port._replace(axes=port.axes or None) for port in model.outputs]
        layout = Layout(model.inputs, outputs, file.batch_size, file.shapes)
        super().__init__(layout, None, stateful=file.stateful)
        self.pads = self.batch_size > 1
        self.signatures = model.signatures
        model.compile([spec.shape for spec in self.inputs])
        if model.has_state:
            self._restore = model.reset_state

    def prepare(self, shapes: Sequence[Sequence[int]]) -> None:
        """Compile for inputs of these whole shapes."""
        self._openvino.compile(shapes)

    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""
        return self._openvino.invoke(inputs)
