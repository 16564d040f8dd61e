"""Interface of an adapter: its ``import_loader()`` imports the library and returns a `Loader` of sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.delegate import DelegateSetting
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
    delegate: DelegateSetting = DelegateSetting()


class PassTimes(NamedTuple):
    """Start and end of each invocation of a pass, in nanoseconds of the given clock; shape [invocations] each.

    ``reset_ns`` is the time between invocations that reset the model's state. It is not part of the pass.
    """

    began: npt.NDArray[np.int64]
    ended: npt.NDArray[np.int64]
    reset_ns: int = 0


class Session(Protocol):
    """A loaded model that can be invoked.

    The images in ``inputs`` have the dtype and shape of ``input``, with the images on the first axis. An invocation
    processes ``batch_size`` images. If necessary, the last batch is padded, and the padding's outputs are dropped. An
    open axis of ``input`` without a stated size has size -1. So has an axis of ``output`` that is unknown before the
    first invocation. State that the model keeps between invocations is reset before each, outside the timed part.
    """

    input: TensorSpec
    output: TensorSpec
    batch_size: int
    fixed_batch: int | None  # the only batch size that the file takes; None: any
    warning: str  # note on unusual times of the session; empty if there is none

    def invoke(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the scores of one batch of ``batch_size`` images, shape [batch_size, …], not timed."""

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass: copy in and invoke every image, and copy its scores to ``outputs`` [images, classes]."""


Loader = Callable[[ModelFile], Session]


def batch_size_for(file: ModelFile, fixed_batch: int | None) -> int:
    """Return the batch size to load a file with; raise ValueError if the file takes only another batch size."""
    if fixed_batch is not None and file.batch_size not in (None, fixed_batch):
        raise ValueError(f"the file takes only batches of {fixed_batch}, not {file.batch_size}")
    return fixed_batch or file.batch_size or 1


def with_known_output(session: Session) -> Session:
    """Invoke the model once if its input is known and its output's shape is not; return the session."""
    if -1 in session.output.shape[1:] and -1 not in session.input.shape[1:]:
        batch = np.zeros((session.batch_size, *session.input.shape[1:]), session.input.dtype)
        scores = session.invoke(batch)
        session.output = msgspec.structs.replace(session.output, shape=[session.batch_size, *scores.shape[1:]])
    return session
