"""The original model on TensorFlow, as the paper's author ran it: ``predict`` over the whole array."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bundle import TensorSpec
from bench.runtimes.base import Clock, Loader, PassTimes

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
        """A Keras model; threads are those of TensorFlow's operators."""

        def __init__(self, path: Path, threads: int, batch_size: int) -> None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(min(threads, 2))
            self._model = keras.models.load_model(path, compile=False, safe_mode=True)
            shapes = self._model.input_shape, self._model.output_shape
            if any(isinstance(shape, (list, dict)) for shape in shapes):
                raise ValueError("the model has several inputs or outputs; a classifier has one of each")
            self.input, self.output = (
                TensorSpec(dtype="float32", shape=[batch_size, *(size or 1 for size in shape[1:])]) for shape in shapes
            )
            self.batch_size = batch_size

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """One pass: one call of ``predict``, whose last batch may be smaller."""
            batches = BatchClock(clock)
            start = clock()
            outputs[:] = self._model.predict(inputs, batch_size=self.batch_size, verbose=0, callbacks=[batches])
            ended = np.array(batches.ended, np.int64)
            return PassTimes(np.concatenate([[start], ended[:-1]]), ended)

    return KerasSession
