"""ONNX Runtime: .onnx files that the user brings, on the CPU."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, PassTimes
from edge_bench.bench.runtimes.batches import in_batches

__all__ = ["import_loader"]

_TYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8", "int8": "int8"}


def import_loader() -> Loader:
    """Imports the library; the loader it returns gives a session."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # errors only: they come as exceptions

    class OnnxSession:
        """An .onnx model; threads are those within an operator."""

        def __init__(self, file: ModelFile) -> None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = file.threads, 1
            self._session = onnxruntime.InferenceSession(str(file.path), options, providers=["CPUExecutionProvider"])
            ends = self._session.get_inputs(), self._session.get_outputs()
            if len(ends[0]) != 1 or len(ends[1]) != 1:
                raise ValueError(
                    f"the model has {len(ends[0])} inputs and {len(ends[1])} outputs; a classifier has one of each"
                )
            (tensor_in,), (tensor_out,) = ends
            self.batch_size, self._fixed = file.batch_size, isinstance(tensor_in.shape[0], int)
            if self._fixed and tensor_in.shape[0] != file.batch_size:
                raise ValueError(f"the file takes batches of {tensor_in.shape[0]} only, not {file.batch_size}")
            self.input = _spec(tensor_in, file.batch_size, file.input_shape)
            self.output = _spec(tensor_out, file.batch_size, None)
            self._in, self._out = tensor_in.name, [tensor_out.name]

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """One pass, batch by batch."""
            run, name, out = self._session.run, self._in, self._out
            return in_batches(
                lambda some: run(out, {name: some})[0], inputs, outputs, clock, self.batch_size, pad=self._fixed
            )

    return OnnxSession


def _spec(tensor: Any, batch_size: int, stated: tuple[int, ...] | None) -> TensorSpec:
    """``tensor(float)`` and [batch or a name, sizes or names]; a name is an open axis."""
    sizes = [size if isinstance(size, int) else -1 for size in tensor.shape[1:]]
    if stated is not None and len(stated) == len(sizes):
        sizes = [given if size == -1 else size for size, given in zip(sizes, stated, strict=True)]
    kind = tensor.type.removeprefix("tensor(").removesuffix(")")
    return TensorSpec(dtype=np.dtype(_TYPES.get(kind, kind)).name, shape=[batch_size, *sizes])
