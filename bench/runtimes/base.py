"""Interface of an adapter: its ``import_loader()`` imports the library and returns a `Loader` of sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["Clock", "Loader", "ModelFile", "PassTimes", "Session", "batch_size_for", "with_known_output"]

Clock = Callable[[], int]  # monotonic nanoseconds


class ModelFile(NamedTuple):
    """A model file and the settings to load it with."""

    path: Path  # a file, or the folder of a SavedModel
    threads: int
    batch_size: int | None  # None: the file's own, or 1
    input_shape: tuple[int, ...] | None = None  # of one image in the model's own layout, if the file has open axes
    serving: bool = False  # optimise for single requests of up to ``batch_size`` images instead of whole passes
    stateful: bool = False  # keep the model's state between invocations, for streams; otherwise it is reset before each


class PassTimes(NamedTuple):
    """Begin and end of each invocation of a pass, in nanoseconds of the given clock; shape [invocations] each.

    ``reset_ns`` is the time between them in which the model's state was reset. It is no part of the pass.
    """

    began: npt.NDArray[np.int64]
    ended: npt.NDArray[np.int64]
    reset_ns: int = 0


class Session(Protocol):
    """A loaded model that can be invoked.

    The images in ``inputs`` have the dtype and shape of ``input``, with the images on the first axis. An invocation
    processes ``batch_size`` images. The last batch is padded, if necessary, and the padding's outputs are dropped. An
    open axis of ``input`` without a stated size has size -1, and so has an axis of ``output`` that is not known before
    the first invocation. State that the model keeps between invocations is reset before each, outside of its time.
    """

    input: TensorSpec
    output: TensorSpec
    batch_size: int
    fixed_batch: int | None  # the only batch size that the file takes
    warning: str  # what is unusual about the session's times; empty if nothing is

    def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the scores of one batch of ``batch_size`` images, shape [batch_size, …], not timed."""

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass: copy in and invoke every image, and copy its scores to ``outputs`` [images, classes]."""


Loader = Callable[[ModelFile], Session]


def batch_size_for(file: ModelFile, fixed_batch: int | None) -> int:
    """Return the batch size to load a file with; raise ValueError if the file takes batches of another size only."""
    if fixed_batch is not None and file.batch_size not in (None, fixed_batch):
        raise ValueError(f"the file takes batches of {fixed_batch} only, not {file.batch_size}")
    return fixed_batch or file.batch_size or 1


def with_known_output(session: Session) -> Session:
    """Invoke the model once if only that tells the shape of its output and its input is known; return the session."""
    if -1 in session.output.shape[1:] and -1 not in session.input.shape[1:]:
        batch = np.zeros((session.batch_size, *session.input.shape[1:]), session.input.dtype)
        scores = session.invoke(batch)
        session.output = msgspec.structs.replace(session.output, shape=[session.batch_size, *scores.shape[1:]])
    return session
