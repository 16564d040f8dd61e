"""Keras models with any inputs and outputs: ``predict`` for whole passes, a compiled function for a server."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.runtimes.base import Clock, PassTimes
from edge_bench.bench.runtimes.batch_clock import batch_clock
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.keras_names import keras_signature
from edge_bench.bench.runtimes.graphs.layout import Layout, Port
from edge_bench.bench.runtimes.keras_model import KerasState, load_any_keras

__all__ = ["KerasGraph", "ServedKerasGraph"]

Array = npt.NDArray[Any]
#: ``predict`` keeps all its outputs until its end. Passes with more bytes of outputs are split into several calls.
_MOST_OUTPUT_BYTES = 256 << 20


class KerasGraph(BatchedGraph):
    """A Keras model. Nested inputs and outputs are flattened, in Keras' order."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError if the file is not safe, has no shapes, a signature is named, or tensors are unsupported."""
        import keras

        if file.signature:
            raise ValueError(f"signature {file.signature[:80]}: Keras files have no named signatures; omit --signature")
        model = self._model = load_any_keras(file.path)
        known = keras_signature(model)
        self._tree, self._structure = keras.tree, known.structure
        # the first axis of Keras' outputs is always that of its inputs
        ports = [
            [Port(each.name, each.dtype, list(each.shape), has_examples=True) for each in side]
            for side in (known.inputs, known.outputs)
        ]
        self._state = KerasState(model)
        super().__init__(
            Layout(ports[0], ports[1], file.batch_size, file.shapes), self._state.reset, stateful=file.stateful
        )
        self._rows = self._rows_of_example()
        self._example_bytes = 0  # of all outputs, known after the first pass

    def _rows_of_example(self) -> int:
        """Return the fixed size of the first axis of an input that has no axis for examples; 1 if all have one."""
        rows = {1 if has else spec.shape[0] for spec, has in zip(self.inputs, self.has_batch_axis, strict=True)}
        if len(rows) != 1:
            raise ValueError(f"its inputs have {' and '.join(map(str, sorted(rows)))} rows, but Keras needs equal ones")
        return rows.pop()

    def _wrapped(self, inputs: Sequence[Any]) -> Any:
        """Return inputs in the model's structure."""
        return self._tree.pack_sequence_as(self._structure, list(inputs))

    def _flat(self, inputs: Sequence[Any]) -> list[Any]:
        return self._tree.flatten(self._model(self._wrapped(inputs), training=False))  # type: ignore[no-any-return]

    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""
        outputs = [np.asarray(each) for each in self._flat(inputs)]
        self._state.find_changes()
        return outputs

    @property
    def _reset(self) -> Any:
        # changes by the first invocation are known after it
        return super()._reset if self._state.exists else None

    def run_pass(self, feeds: Sequence[Feed], clock: Clock) -> PassTimes:
        """Run one pass as one call of ``predict``, or several if it would keep too many outputs."""
        spent = self._check_feeds(feeds, clock)
        count = len(feeds[0].values)
        size = self.batch_size
        step = max(1, _MOST_OUTPUT_BYTES // max(1, self._example_bytes) // size) * size
        parts = [self._predict(feeds, slice(start, start + step), clock) for start in range(0, count, step)]
        return PassTimes(
            np.concatenate([part.began for part in parts]),
            np.concatenate([part.ended for part in parts]),
            spent + sum(part.reset_ns for part in parts),
        )

    def _predict(self, feeds: Sequence[Feed], part: slice, clock: Clock) -> PassTimes:
        values = [feed.values[part] for feed in feeds]
        inputs = [
            each if feed.has_batch_axis else each.reshape(-1, *each.shape[2:])
            for each, feed in zip(values, feeds, strict=True)
        ]
        batches = batch_clock(clock, self._reset)
        start = clock()
        outputs = self._model.predict(
            self._wrapped(inputs), batch_size=self.batch_size * self._rows, verbose=0, callbacks=[batches]
        )
        self._example_bytes = sum(each.nbytes for each in self._tree.flatten(outputs)) // len(values[0])
        self._state.find_changes()
        ended = np.array(batches.ended, np.int64)
        began = np.concatenate([[start], ended[:-1]])
        return PassTimes(began + batches.resets if batches.resets else began, ended, sum(batches.resets))


class ServedKerasGraph(KerasGraph):
    """A Keras model, compiled once, since ``predict`` sets up a data pipeline in every call."""

    def __init__(self, file: GraphFile) -> None:
        """Raise ValueError as `KerasGraph` does."""
        super().__init__(file)
        import tensorflow as tf

        specs = [
            tf.TensorSpec([None if size == -1 else size for size in spec.shape], spec.dtype)
            for spec in self.layout.described_inputs
        ]
        self._constant = tf.constant
        self._compiled = tf.function(lambda *inputs: self._flat(inputs), input_signature=specs).get_concrete_function()

    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""
        outputs = [each.numpy() for each in self._compiled(*map(self._constant, inputs))]
        self._state.find_changes()
        return outputs

    def run_pass(self, feeds: Sequence[Feed], clock: Clock) -> PassTimes:
        """Run one pass, batch by batch."""
        return BatchedGraph.run_pass(self, feeds, clock)
