"""Names of a Keras model's inputs and outputs, the same in every file format that it is converted to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["KerasSignature", "keras_signature"]


@dataclass(frozen=True)
class KerasSignature:
    """Inputs and outputs of a Keras model by name, in the order in which Keras flattens them.

    An input has the name of its ``keras.Input``. An output has its key if the model returns a dict, otherwise the name
    of its layer. Open axes are -1, the batch axis included.
    """

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    _model: Any
    structure: Any  # of the model's inputs

    def call(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Return the outputs for tensors of all inputs, in their order, in inference mode."""
        import keras

        returned = self._model(keras.tree.pack_sequence_as(self.structure, list(inputs)), training=False)
        return dict(zip((each.name for each in self.outputs), keras.tree.flatten(returned), strict=True))


def keras_signature(model: Any) -> KerasSignature:
    """Return inputs and outputs of a Keras model; raise ValueError if they are missing from its file."""
    import keras

    try:
        inputs, outputs = keras.tree.flatten(model.inputs), keras.tree.flatten(model.outputs)
    except (AttributeError, ValueError):
        inputs = outputs = None
    if not inputs or not outputs:
        raise ValueError("its input shape is not in the file: call the model once before saving it")
    try:
        taken, returned = model.input, model.output
    except (AttributeError, ValueError):  # a Sequential model from a file, which takes a plain tensor
        taken, returned = inputs[0], outputs[0]
    return KerasSignature(
        _specs(inputs, [each.name for each in inputs]), _specs(outputs, _output_names(model, returned)), model, taken
    )


def _output_names(model: Any, returned: Any) -> list[str]:
    import keras

    leaves = keras.tree.flatten(returned)
    if isinstance(returned, dict) and len(leaves) == len(returned):
        return [str(key) for key in keras.tree.flatten({key: key for key in returned})]  # in the order of the outputs
    return list(getattr(model, "output_names", [model.layers[-1].name]))


def _specs(tensors: Sequence[Any], names: Sequence[str]) -> list[TensorSpec]:
    """Return specs with different names: a number is added to the second tensor of the same name."""
    import keras

    specs = list[TensorSpec]()
    for tensor, name in zip(tensors, names, strict=True):
        taken, own, number = {each.name for each in specs}, name, 1
        while own in taken:
            own, number = f"{name}_{number}", number + 1
        shape = [-1 if size is None else int(size) for size in tensor.shape]
        specs.append(TensorSpec(dtype=keras.backend.standardize_dtype(tensor.dtype), shape=shape, name=own))
    return specs
