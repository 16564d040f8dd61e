"""TensorFlow: a .keras file, run with ``predict`` as in the paper, or a SavedModel."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, PassTimes, Session
from edge_bench.bench.runtimes.batches import in_batches

__all__ = ["import_loader"]


def import_loader() -> Loader:
    """Import TensorFlow and return a loader of sessions."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras
    import tensorflow as tf

    class BatchClock(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
        """Records the end of each batch of a predict call, which is the beginning of the next one."""

        def __init__(self, clock: Clock) -> None:
            super().__init__()
            self.clock, self.ended = clock, list[int]()

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.ended.append(self.clock())

    class KerasSession:
        """A Keras model."""

        def __init__(self, file: ModelFile) -> None:
            model = self._model = keras.models.load_model(file.path, compile=False, safe_mode=True)
            if len(model.inputs) != 1 or len(model.outputs) != 1:
                raise ValueError(_count_error(len(model.inputs), len(model.outputs)))
            standardize = keras.backend.standardize_dtype
            self.input = _spec(standardize(model.inputs[0].dtype), model.input_shape[1:], file)
            self.output = _spec(standardize(model.outputs[0].dtype), model.output_shape[1:], file)
            self.batch_size = file.batch_size

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass as one call of ``predict``, whose last batch may be smaller."""
            batches = BatchClock(clock)
            start = clock()
            outputs[:] = self._model.predict(inputs, batch_size=self.batch_size, verbose=0, callbacks=[batches])
            ended = np.array(batches.ended, np.int64)
            return PassTimes(np.concatenate([[start], ended[:-1]]), ended)

    class ServingSession(KerasSession):
        """A Keras model, compiled once for batches of any size.

        ``predict`` sets up a data pipeline in every call, which takes about 50 times as long as one image of the
        paper's model.
        """

        def __init__(self, file: ModelFile) -> None:
            super().__init__(file)
            model, tensor = self._model, self._model.inputs[0]
            shape = [None, *(None if size == -1 else size for size in self.input.shape[1:])]
            function = tf.function(
                lambda batch: model(batch, training=False), input_signature=[tf.TensorSpec(shape, tensor.dtype)]
            )
            self._call = function.get_concrete_function()

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass, batch by batch."""
            call = self._call
            return in_batches(
                lambda batch: call(tf.constant(batch)).numpy(), inputs, outputs, clock, self.batch_size, pad=False
            )

    class SavedModelSession:
        """The serving signature of a SavedModel."""

        def __init__(self, file: ModelFile) -> None:
            self._saved_model = tf.saved_model.load(str(file.path))  # must live as long as its signature is used
            signatures = self._saved_model.signatures
            if "serving_default" not in signatures:
                raise ValueError(f"no signature serving_default; the SavedModel has {', '.join(signatures) or 'none'}")
            self._call = signatures["serving_default"]
            input_tensors, output_tensors = self._call.structured_input_signature[1], self._call.structured_outputs
            if len(input_tensors) != 1 or len(output_tensors) != 1:
                raise ValueError(_count_error(len(input_tensors), len(output_tensors)))
            ((self._input_name, input_tensor),) = input_tensors.items()
            ((self._output_name, output_tensor),) = output_tensors.items()
            sizes = input_tensor.shape.as_list()
            if sizes[0] not in (None, file.batch_size):
                raise ValueError(f"the SavedModel takes batches of {sizes[0]} only, not {file.batch_size}")
            self._fixed_batch_size = sizes[0] is not None
            self.input = _spec(input_tensor.dtype.name, sizes[1:], file)
            self.output = _spec(output_tensor.dtype.name, output_tensor.shape.as_list()[1:], file)
            self.batch_size = file.batch_size

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass, batch by batch."""
            call, name, output = self._call, self._input_name, self._output_name
            return in_batches(
                lambda batch: call(**{name: tf.constant(batch)})[output].numpy(),
                inputs, outputs, clock, self.batch_size, pad=self._fixed_batch_size,
            )  # fmt: skip

    def load(file: ModelFile) -> Session:
        tf.config.threading.set_intra_op_parallelism_threads(file.threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(file.threads, 2))
        if Path(file.path).is_dir():
            return SavedModelSession(file)
        return ServingSession(file) if file.serving else KerasSession(file)

    return load


def _count_error(inputs: int, outputs: int) -> str:
    return f"the model has {inputs} inputs and {outputs} outputs; a classifier has one of each"


def _spec(dtype: str, sizes: Any, file: ModelFile) -> TensorSpec:
    """Return the spec of a tensor; open axes of one image have their stated size, otherwise -1."""
    stated = file.input_shape if file.input_shape and len(file.input_shape) == len(sizes) else (None,) * len(sizes)
    shape = [size or given or -1 for size, given in zip(sizes, stated, strict=True)]
    return TensorSpec(dtype=dtype, shape=[file.batch_size, *shape])
