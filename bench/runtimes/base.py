"""What an adapter gives: ``import_loader()`` imports its library and returns a ``Loader``, which gives a session."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["Clock", "Loader", "ModelFile", "PassTimes", "Session"]

Clock = Callable[[], int]  # nanoseconds, monotonic


class ModelFile(NamedTuple):
    """What a loader is asked for."""

    path: Path  # a file, or the folder of a SavedModel
    threads: int
    batch_size: int
    input_shape: tuple[int, ...] | None = None  # of one image, where the file leaves it open
    serving: bool = False  # requests of any size up to the batch's, each as soon as can be; not the benchmark's passes


class PassTimes(NamedTuple):
    """When each invocation of a pass began and ended, by the clock that was given; shape [invocations] each."""

    began: npt.NDArray[np.int64]
    ended: npt.NDArray[np.int64]


class Session(Protocol):
    """A loaded model that can be invoked.

    ``inputs`` holds images as the model takes them: dtype and shape of ``input``, first axis the images. An
    invocation takes ``batch_size`` of them; where the last does not fill, it is padded and the padding's outputs
    are dropped. An axis of ``input`` that the file leaves open, and nobody has set, has size -1.
    """

    input: TensorSpec
    output: TensorSpec
    batch_size: int

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """One pass: every image copied in, invoked, and its scores copied out into ``outputs`` [images, classes]."""


Loader = Callable[[ModelFile], Session]
