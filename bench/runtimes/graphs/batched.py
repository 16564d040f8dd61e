"""The common part of the sessions of all runtimes: checks of inputs, padded batches, the timed loop, and resets."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, PassTimes
from edge_bench.bench.runtimes.batches import timed_invocations
from edge_bench.bench.runtimes.graphs.base import Feed, SignatureNames
from edge_bench.bench.runtimes.graphs.layout import Layout

__all__ = ["BatchedGraph", "batch_of", "run_batches"]

Array = npt.NDArray[Any]


class BatchedGraph(ABC):
    """A `GraphSession` around `call`, which a runtime's own class defines."""

    warning = ""
    signatures: Mapping[str, SignatureNames] = MappingProxyType({})
    pads = False  # whether the runtime takes only full batches

    def __init__(self, layout: Layout, restore: Callable[[], None] | None, *, stateful: bool) -> None:
        """``restore`` restores the model's state after loading; None if it keeps no state."""
        self.layout = layout
        self.inputs: Sequence[TensorSpec] = layout.inputs
        self.has_batch_axis: Sequence[bool] = layout.has_batch_axis
        self.batch_size = layout.batch_size
        self._restore = restore
        self._stateful = stateful

    @property
    def outputs(self) -> list[TensorSpec]:
        """Whole shapes of the outputs."""
        return self.layout.outputs

    @property
    def keeps_batch_axis(self) -> list[bool]:
        """Of each output: whether its first axis is the examples."""
        return self.layout.keeps_batch_axis

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size that the file takes."""
        return self.layout.fixed_batch

    @property
    def _reset(self) -> Callable[[], None] | None:
        """The function that is called before each invocation."""
        return None if self._stateful else self._restore

    @abstractmethod
    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""

    def prepare(self, shapes: Sequence[Sequence[int]]) -> None:  # noqa: B027 - most runtimes need nothing
        """Prepare for inputs of these whole shapes, outside the timed part."""

    def reset_state(self) -> None:
        """Restore the state after loading, if the model keeps state between invocations."""
        if self._restore is not None:
            self._restore()

    def learn_outputs(self, inputs: Sequence[Array] | None = None) -> None:
        """Invoke the model once if the shapes of its outputs are otherwise unknown, on zeros by default.

        Without ``inputs``, nothing happens if one of their axes is open. Raise ValueError if an output does not have
        one row per example of a batch.
        """
        if self.layout.is_certain or (inputs is None and self.layout.is_open):
            return
        if inputs is None:
            inputs = [np.zeros(spec.shape, spec.dtype) for spec in self.inputs]
        outputs, examples = self._invoked(inputs)
        self.layout.learn([output.shape for output in outputs], examples)
        self.reset_state()

    def invoke(self, inputs: Sequence[Array]) -> list[Array]:
        """Return all outputs for whole inputs, not timed. A batch may have fewer than ``batch_size`` examples.

        Raise ValueError for inputs of other types or shapes, or if an output does not have one row per example.
        """
        outputs, examples = self._invoked(inputs)
        count = self._examples(inputs)
        for number, (keeps, spec) in enumerate(zip(self.keeps_batch_axis, self.outputs, strict=True)):
            if not keeps:
                continue
            if len(outputs[number]) != examples:
                raise ValueError(f"output {spec.name[:80]} has {len(outputs[number])} rows for {examples} examples")
            outputs[number] = outputs[number][:count]
        return outputs

    def _invoked(self, inputs: Sequence[Array]) -> tuple[list[Array], int]:
        """Return the outputs, and the number of examples including padding."""
        self._check(inputs)
        count = self._examples(inputs)
        if self.pads and count < self.batch_size:
            inputs = [_padded(each, self.batch_size - count) for each in inputs]
            count = self.batch_size
        self.prepare([each.shape for each in inputs])
        if self._reset is not None:
            self._reset()
        return self.call(inputs), count

    def run_pass(self, feeds: Sequence[Feed], clock: Clock) -> PassTimes:
        """Run one pass over all examples: copy in, invoke, and copy all outputs out. They are not kept."""
        spent = self._check_feeds(feeds, clock)
        times = run_batches(self.call, feeds, clock, self.batch_size, pad=self.pads, reset=self._reset)
        return times._replace(reset_ns=times.reset_ns + spent)

    def _check_feeds(self, feeds: Sequence[Feed], clock: Clock) -> int:
        """Check types and shapes, prepare for them, and return the duration, which is not part of a pass."""
        began = clock()
        first = [batch_of(feed, 0, self.batch_size, pad=self.pads) for feed in feeds]
        self._check(first)
        self.prepare([each.shape for each in first])
        return clock() - began

    def _check(self, inputs: Sequence[Array]) -> None:
        """Raise ValueError if inputs have types or shapes other than the model's."""
        if len(inputs) != len(self.inputs):
            raise ValueError(f"{len(inputs)} inputs, but the model takes {len(self.inputs)}")
        for value, spec, has in zip(inputs, self.inputs, self.has_batch_axis, strict=True):
            if value.dtype != np.dtype(spec.dtype):
                raise ValueError(f"input {spec.name[:80]} is {value.dtype}, but the model takes {spec.dtype}")
            fits = value.ndim == len(spec.shape) and all(
                size in (-1, given) or (has and axis == 0 and 0 < given <= size)
                for axis, (given, size) in enumerate(zip(value.shape, spec.shape, strict=True))
            )
            if not fits:
                raise ValueError(
                    f"input {spec.name[:80]} has shape {list(value.shape)}, but the model takes {list(spec.shape)}"
                )

    def _examples(self, inputs: Sequence[Array]) -> int:
        counts = {len(each) for each, has in zip(inputs, self.has_batch_axis, strict=True) if has}
        if len(counts) > 1:
            raise ValueError(f"inputs with different numbers of examples: {' and '.join(map(str, sorted(counts)))}")
        return counts.pop() if counts else 1


def batch_of(feed: Feed, start: int, size: int, *, pad: bool) -> Array:
    """Return a whole input for the examples from ``start`` on. With ``pad``, repeat the last one up to ``size``."""
    if not feed.has_batch_axis:
        one: Array = feed.values[start, ...]  # an array even without axes
        return one
    batch = feed.values[start : start + size]
    return _padded(batch, size - len(batch)) if pad and len(batch) < size else batch


def _padded(batch: Array, missing: int) -> Array:
    return np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])


def run_batches(
    call: Callable[[Sequence[Array]], list[Array]],
    feeds: Sequence[Feed],
    clock: Clock,
    size: int,
    *,
    pad: bool,
    reset: Callable[[], None] | None,
) -> PassTimes:
    """Call on all examples in batches. ``reset`` is called before each, outside the timed part."""

    def invoke_at(start: int) -> None:
        call([batch_of(feed, start, size, pad=pad) for feed in feeds])

    return timed_invocations(invoke_at, range(0, len(feeds[0].values), size), clock, reset)
