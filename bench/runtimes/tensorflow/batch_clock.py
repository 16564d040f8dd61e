"""Times of the batches of Keras' ``predict``."""

import functools
from collections.abc import Callable
from typing import Any

from edge_bench.bench.runtimes.base import Clock

__all__ = ["batch_clock"]


def batch_clock(clock: Clock, reset: Callable[[], None] | None) -> Any:
    """Return a Keras callback that records the end of each batch, which is the start of the next one.

    ``ended`` and ``resets`` are lists of nanoseconds. ``reset`` is called before each batch. Its duration is not part
    of the batch.
    """
    return _callback_class()(clock, reset)


@functools.cache
def _callback_class() -> Any:
    import keras

    class BatchClock(keras.callbacks.Callback):  # type: ignore[misc]  # keras has no types
        def __init__(self, clock: Clock, reset: Callable[[], None] | None) -> None:
            super().__init__()
            self.clock, self.reset = clock, reset
            self.ended, self.resets = list[int](), list[int]()

        def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            if self.reset is not None:
                began = self.clock()
                self.reset()
                self.resets.append(self.clock() - began)

        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.ended.append(self.clock())

    return BatchClock
