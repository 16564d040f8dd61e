"""ONNX Runtime: the user's .onnx files, on the CPU."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, PassTimes
from edge_bench.bench.runtimes.batches import in_batches

__all__ = ["import_loader"]

_TYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8", "int8": "int8"}


def import_loader() -> Loader:
    """Import the library and return a loader of sessions."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # only errors, which are also raised as exceptions

    class OnnxSession:
        """An .onnx model; threads are used within an operator."""

        def __init__(self, file: ModelFile) -> None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = file.threads, 1
            self._session = onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
            if len(inputs) != 1 or len(outputs) != 1:
                raise ValueError(
                    f"the model has {len(inputs)} inputs and {len(outputs)} outputs; a classifier has one of each"
                )
            (input_tensor,), (output_tensor,) = inputs, outputs
            self.batch_size, self._fixed_batch_size = file.batch_size, isinstance(input_tensor.shape[0], int)
            if self._fixed_batch_size and input_tensor.shape[0] != file.batch_size:
                raise ValueError(f"the file takes batches of {input_tensor.shape[0]} only, not {file.batch_size}")
            self.input = _spec(input_tensor, file.batch_size, file.input_shape)
            self.output = _spec(output_tensor, file.batch_size, None)
            self._input_name, self._output_names = input_tensor.name, [output_tensor.name]

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass, batch by batch."""
            run, name, output_names = self._session.run, self._input_name, self._output_names
            return in_batches(
                lambda batch: run(output_names, {name: batch})[0],
                inputs, outputs, clock, self.batch_size, pad=self._fixed_batch_size,
            )  # fmt: skip

    return OnnxSession


def _spec(tensor: Any, batch_size: int, stated: tuple[int, ...] | None) -> TensorSpec:
    """Return the spec of a tensor, whose type is such as ``tensor(float)``; axes with a name for a size are open."""
    sizes = [size if isinstance(size, int) else -1 for size in tensor.shape[1:]]
    if stated is not None and len(stated) == len(sizes):
        sizes = [given if size == -1 else size for size, given in zip(sizes, stated, strict=True)]
    kind = tensor.type.removeprefix("tensor(").removesuffix(")")
    return TensorSpec(dtype=np.dtype(_TYPES.get(kind, kind)).name, shape=[batch_size, *sizes])
