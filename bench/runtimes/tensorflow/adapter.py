"""TensorFlow: a .keras or .h5 file, run with ``predict`` as in the paper, or a SavedModel."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, PassTimes, Session, batch_size_for
from edge_bench.bench.runtimes.batches import in_batches
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader, GraphSession
from edge_bench.bench.runtimes.tensorflow.batch_clock import batch_clock
from edge_bench.bench.runtimes.tensorflow.importing import import_tensorflow

__all__ = ["import_graph_loader", "import_loader"]


def import_loader() -> Loader:
    """Import TensorFlow and return a loader of sessions."""
    import_tensorflow()
    import keras
    import tensorflow as tf

    from edge_bench.bench.runtimes.tensorflow.keras_model import load_keras
    from edge_bench.bench.runtimes.tensorflow.saved_model import SavedModelSession

    class KerasSession:
        """A Keras model."""

        warning = ""

        def __init__(self, file: ModelFile) -> None:
            model = self._model = load_keras(file.path)
            self.fixed_batch = model.fixed_batch
            self.batch_size = batch_size_for(file, self.fixed_batch)
            standardize = keras.backend.standardize_dtype
            self.input = _spec(standardize(model.input.dtype), model.input.shape[1:], self.batch_size, file.input_shape)
            self.output = _spec(standardize(model.output.dtype), model.output.shape[1:], self.batch_size)
            self._state = None if file.stateful else model.state()

        def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
            """Return the scores of one batch, not timed."""
            if self._state is not None:
                self._state.reset()
            model = self._model
            scores: npt.NDArray[Any] = model.unwrapped(model.model(model.wrapped(batch), training=False)).numpy()
            return scores

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass as one call of ``predict``, whose last batch may be smaller."""
            count, model = len(inputs), self._model
            if self.fixed_batch is not None and (missing := -count % self.batch_size):
                inputs = np.concatenate([inputs, np.zeros((missing, *inputs.shape[1:]), inputs.dtype)])
            batches = batch_clock(clock, self._state.reset if self._state is not None and self._state.exists else None)
            start = clock()
            scores = model.model.predict(
                model.wrapped(inputs), batch_size=self.batch_size, verbose=0, callbacks=[batches]
            )
            outputs[:] = model.unwrapped(scores)[:count]
            if self._state is not None:
                self._state.find_changes()
            ended = np.array(batches.ended, np.int64)
            began = np.concatenate([[start], ended[:-1]])
            return PassTimes(began + batches.resets if batches.resets else began, ended, sum(batches.resets))

    class ServingSession(KerasSession):
        """A Keras model, compiled once for batches of any size.

        ``predict`` sets up a data pipeline in every call, which takes about 50 times as long as one image with the
        paper's model.
        """

        def __init__(self, file: ModelFile) -> None:
            super().__init__(file)
            model = self._model
            shape = [self.fixed_batch, *(None if size == -1 else size for size in self.input.shape[1:])]
            function = tf.function(
                lambda batch: model.unwrapped(model.model(model.wrapped(batch), training=False)),
                input_signature=[tf.TensorSpec(shape, model.input.dtype)],
            )
            self._call = function.get_concrete_function()

        def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
            """Run one pass, batch by batch."""
            call, state = self._call, self._state
            times = in_batches(
                lambda batch: call(tf.constant(batch)).numpy(), inputs, outputs, clock, self.batch_size,
                pad=self.fixed_batch is not None, reset=state.reset if state is not None and state.exists else None,
            )  # fmt: skip
            if state is not None:
                state.find_changes()
            return times

    def load(file: ModelFile) -> Session:
        _use_threads(tf, file.threads)
        if Path(file.path).is_dir():
            return SavedModelSession(file)
        return ServingSession(file) if file.serving else KerasSession(file)

    return load


def import_graph_loader() -> GraphLoader:
    """Import TensorFlow and return a loader of sessions for any inputs and outputs."""
    import_tensorflow()
    import tensorflow as tf

    from edge_bench.bench.runtimes.tensorflow.keras_graph import KerasGraph, ServedKerasGraph
    from edge_bench.bench.runtimes.tensorflow.saved_model_graph import SavedModelGraph

    def load(file: GraphFile) -> GraphSession:
        _use_threads(tf, file.threads)
        if Path(file.path).is_dir():
            return SavedModelGraph(file)
        return ServedKerasGraph(file) if file.serving else KerasGraph(file)

    return load


def _use_threads(tf: Any, threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(min(threads, 2))


def _spec(dtype: str, sizes: Any, batch_size: int, stated: tuple[int, ...] | None = None) -> TensorSpec:
    """Return the spec of a tensor. Open axes of one image have their stated size, otherwise -1."""
    stated_sizes = stated if stated and len(stated) == len(sizes) else (None,) * len(sizes)
    shape = [-1 if size is None else size for size in sizes]
    shape = [given if size == -1 and given else size for size, given in zip(shape, stated_sizes, strict=True)]
    return TensorSpec(dtype=dtype, shape=[batch_size, *shape])
