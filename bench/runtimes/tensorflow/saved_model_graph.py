"""Signatures of a TensorFlow SavedModel."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.layout import Layout, Port
from edge_bench.bench.runtimes.tensorflow.saved_model import reset_of

__all__ = ["SavedModelGraph"]

#: The signature that is invoked if none is named.
_DEFAULT = "serving_default"


class SavedModelGraph(BatchedGraph):
    """A signature of a SavedModel. Inputs and outputs have the signature's names."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError if there is no such signature, or for unsupported tensors."""
        import tensorflow as tf

        self._constant = tf.constant
        self._saved_model = tf.saved_model.load(str(file.path))  # must live as long as its signature is used
        signatures = self._saved_model.signatures
        name = file.signature or _DEFAULT
        if name not in signatures:
            raise ValueError(f"no signature {name[:80]}; the SavedModel has {', '.join(signatures)[:400] or 'none'}")
        self._call = signatures[name]
        inputs, outputs = self._call.structured_input_signature[1], self._call.structured_outputs
        layout = Layout(
            [_port(*each) for each in inputs.items()],
            [_port(*each) for each in outputs.items()],
            file.batch_size,
            file.shapes,
        )
        super().__init__(layout, reset_of(self._call), stateful=file.stateful)
        self._input_names, self._output_names = list(inputs), list(outputs)
        self.signatures = {
            key: (list(each.structured_input_signature[1]), list(each.structured_outputs))
            for key, each in signatures.items()
        }

    def call(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Copy in, invoke once, and return copies of all outputs."""
        values = (self._constant(each) for each in inputs)
        outputs = self._call(**dict(zip(self._input_names, values, strict=True)))
        return [outputs[name].numpy() for name in self._output_names]


def _port(name: str, tensor: Any) -> Port:
    axes = None
    if tensor.shape.rank is not None:
        axes = [-1 if size is None else int(size) for size in tensor.shape.as_list()]
    return Port(name, tensor.dtype.name, axes)
