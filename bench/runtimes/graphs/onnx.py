"""ONNX Runtime, for any graph on the CPU."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.layout import Layout, Port, unique_names

__all__ = ["OnnxGraph"]

_TYPES = {"float": "float32", "double": "float64"}


class OnnxGraph(BatchedGraph):
    """An .onnx model. Threads are used within an operator. ONNX Runtime keeps no state between invocations."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError for a named signature, which .onnx files do not have, or for unsupported tensors."""
        import onnxruntime

        if file.signature:
            raise ValueError(f"signature {file.signature[:80]}: .onnx files have no named signatures; omit --signature")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = file.threads, 1
        session = onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
        inputs, outputs = session.get_inputs(), session.get_outputs()
        # an axis with the name of the inputs' first axis is the same axis
        examples = {each.shape[0] for each in inputs if each.shape and isinstance(each.shape[0], str)}
        ports = [
            [_port(tensor, name, examples) for tensor, name in zip(side, _unique(side, kind), strict=True)]
            for side, kind in ((inputs, "input"), (outputs, "output"))
        ]
        # a shape without sizes is that of one number, or unknown
        ports[1] = [port._replace(axes=port.axes or None) for port in ports[1]]
        super().__init__(Layout(ports[0], ports[1], file.batch_size, file.shapes), None, stateful=file.stateful)
        self._run = session.run
        self._input_names, self._output_names = [each.name for each in inputs], [each.name for each in outputs]

    def call(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Copy in, invoke once, and return copies of all outputs."""
        outputs: list[npt.NDArray[Any]] = self._run(
            self._output_names, dict(zip(self._input_names, inputs, strict=True))
        )
        return outputs


def _unique(tensors: Sequence[Any], kind: str) -> list[str]:
    return unique_names([tensor.name for tensor in tensors], kind)


def _port(tensor: Any, name: str, examples: set[str]) -> Port:
    """Return a tensor of a type such as ``tensor(float)``. An axis with a name or nothing as its size is open."""
    kind = tensor.type
    if kind.startswith("tensor("):
        kind = kind.removeprefix("tensor(").removesuffix(")")
    axes = [size if isinstance(size, int) and size >= 0 else -1 for size in tensor.shape or []]
    return Port(name, _TYPES.get(kind, kind), axes, has_examples=bool(axes) and tensor.shape[0] in examples)
