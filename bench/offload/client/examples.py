"""The examples of a model with any inputs, in the form of its inputs."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["InputExamples"]

Array = npt.NDArray[Any]
#: Type of real values for a quantized input.
_IDENTITY = Preprocessing(scale=1.0, offset=0.0)


class InputExamples:
    """The examples in the files of all inputs of a model, as stored and as model inputs."""

    def __init__(self, inputs: Sequence[GraphInput], specs: Sequence[TensorSpec]) -> None:
        """``specs`` are the model's inputs, with whole shapes. Raise ValueError if others have examples.

        Raise OSError or NotAnArray for a file that cannot be read.
        """
        given, wanted = {each.name: each for each in inputs}, [spec.name for spec in specs]
        if sorted(given) != sorted(wanted):
            raise ValueError(
                f"there are examples of {', '.join(given)[:200]}, but the model takes {', '.join(wanted)[:200]}"
            )
        self.specs = list(specs)
        self._arrays = [open_npy(given[name].file) for name in wanted]
        self._preprocessing = [given[name].preprocessing for name in wanted]

    def stored(self, rows: Sequence[int]) -> list[list[Array]]:
        """Return the stored values of each example, in memory."""
        return [
            [np.array(array[row], array.dtype.newbyteorder("="), order="C") for array in self._arrays] for row in rows
        ]

    def inputs(self, example: Sequence[Array]) -> list[Array]:
        """Return the model's whole inputs for one example of `stored`. Raise ValueError if the values do not fit."""
        return [
            _whole_input(values, spec, preprocessing)
            for values, spec, preprocessing in zip(example, self.specs, self._preprocessing, strict=True)
        ]


def _whole_input(values: Array, spec: TensorSpec, preprocessing: Preprocessing | None) -> Array:
    missing = len(spec.shape) - values.ndim
    if missing not in (0, 1):
        raise ValueError(f"input {spec.name[:80]}: its examples have shape {list(values.shape)}, not {spec.shape}")
    if preprocessing is None and values.dtype == np.dtype(spec.dtype):
        return values[np.newaxis] if missing else values
    if preprocessing is None and not spec.scale:
        raise ValueError(f"input {spec.name[:80]}: its examples are {values.dtype}, not {spec.dtype}")
    sizes = [given if size == -1 else size for size, given in zip(spec.shape[missing:], values.shape, strict=True)]
    one = msgspec.structs.replace(spec, shape=[1, *sizes])
    whole = model_inputs(values[np.newaxis], preprocessing or _IDENTITY, one)
    return whole if missing else whole[0]
