"""The original model on TensorFlow: a .keras file as the paper's author ran it (``predict``), or a SavedModel."""

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
    """Imports TensorFlow; the loader it returns gives a session."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras
    import tensorflow as tf

    class BatchClock(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
        """Notes when each batch of a predict call ends; its beginning is the end of the one before."""

        def __init__(self, clock: Clock) -> None:
            super().__init__()
            self.clock, self.ended = clock, list[int]()

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.ended.append(self.clock())

    class KerasSession:
        """A Keras model."""

        def __init__(self, file: ModelFile) -> None:
            self._model = keras.models.load_model(file.path, compile=False, safe_mode=True)
            if len(self._model.inputs) != 1 or len(self._model.outputs) != 1:
                raise ValueError(_ends(len(self._model.inputs), len(self._model.outputs)))
            dtype = keras.backend.standardize_dtype(self._model.inputs[0].dtype)
            self.input = _spec(dtype, self._model.input_shape[1:], file)
            self.output = _spec(
                keras.backend.standardize_dtype(self._model.outputs[0].dtype), self._model.output_shape[1:], file
            )
            self.batch_size = file.batch_size

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """One pass: one call of ``predict``, whose last batch may be smaller."""
            batches = BatchClock(clock)
            start = clock()
            outputs[:] = self._model.predict(inputs, batch_size=self.batch_size, verbose=0, callbacks=[batches])
            ended = np.array(batches.ended, np.int64)
            return PassTimes(np.concatenate([[start], ended[:-1]]), ended)

    class ServingSession(KerasSession):
        """A Keras model, compiled once for batches of any size.

        ``predict`` sets up a data pipeline at every call, which costs some fifty times what one image of the paper's
        model does.
        """

        def __init__(self, file: ModelFile) -> None:
            super().__init__(file)
            model, tensor = self._model, self._model.inputs[0]
            shape = [None, *(None if size == -1 else size for size in self.input.shape[1:])]
            function = tf.function(
                lambda some: model(some, training=False), input_signature=[tf.TensorSpec(shape, tensor.dtype)]
            )
            self._call = function.get_concrete_function()

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """One pass, batch by batch."""
            call = self._call
            return in_batches(
                lambda some: call(tf.constant(some)).numpy(), inputs, outputs, clock, self.batch_size, pad=False
            )

    class SavedModelSession:
        """A SavedModel's serving signature."""

        def __init__(self, file: ModelFile) -> None:
            self._kept = tf.saved_model.load(str(file.path))  # the signature lives as long as this does
            signatures = self._kept.signatures
            if "serving_default" not in signatures:
                raise ValueError(f"no signature serving_default; the SavedModel has {', '.join(signatures) or 'none'}")
            self._call = signatures["serving_default"]
            takes, gives = self._call.structured_input_signature[1], self._call.structured_outputs
            if len(takes) != 1 or len(gives) != 1:
                raise ValueError(_ends(len(takes), len(gives)))
            ((self._in, tensor_in),), ((self._out, tensor_out),) = takes.items(), gives.items()
            sizes = tensor_in.shape.as_list()
            if sizes[0] not in (None, file.batch_size):
                raise ValueError(f"the SavedModel takes batches of {sizes[0]} only, not {file.batch_size}")
            self._fixed = sizes[0] is not None
            self.input = _spec(tensor_in.dtype.name, sizes[1:], file)
            self.output = _spec(tensor_out.dtype.name, tensor_out.shape.as_list()[1:], file)
            self.batch_size = file.batch_size

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """One pass, batch by batch."""
            call, name, out = self._call, self._in, self._out
            return in_batches(
                lambda some: call(**{name: tf.constant(some)})[out].numpy(),
                inputs, outputs, clock, self.batch_size, pad=self._fixed,
            )  # fmt: skip

    def load(file: ModelFile) -> Session:
        # threads are those of TensorFlow's operators
        tf.config.threading.set_intra_op_parallelism_threads(file.threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(file.threads, 2))
        if Path(file.path).is_dir():
            return SavedModelSession(file)
        return ServingSession(file) if file.serving else KerasSession(file)

    return load


def _ends(inputs: int, outputs: int) -> str:
    return f"the model has {inputs} inputs and {outputs} outputs; a classifier has one of each"


def _spec(dtype: str, sizes: Any, file: ModelFile) -> TensorSpec:
    """Open axes of one image are the stated ones, or -1."""
    stated = file.input_shape if file.input_shape and len(file.input_shape) == len(sizes) else (None,) * len(sizes)
    shape = [size or given or -1 for size, given in zip(sizes, stated, strict=True)]
    return TensorSpec(dtype=dtype, shape=[file.batch_size, *shape])
