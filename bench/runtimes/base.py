"""Interface of an adapter: its ``import_loader()`` imports the library and returns a `Loader` of sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["Clock", "Loader", "ModelFile", "PassTimes", "Session"]

Clock = Callable[[], int]  # monotonic nanoseconds


class ModelFile(NamedTuple):
    """A model file and the settings to load it with."""

    path: Path  # a file, or the folder of a SavedModel
    threads: int
    batch_size: int
    input_shape: tuple[int, ...] | None = None  # of one image, if the file has open axes
    serving: bool = False  # optimise for single requests of up to ``batch_size`` images instead of whole passes


class PassTimes(NamedTuple):
    """Begin and end of each invocation of a pass, in nanoseconds of the given clock; shape [invocations] each."""

    began: npt.NDArray[np.int64]
    ended: npt.NDArray[np.int64]


class Session(Protocol):
    """A loaded model that can be invoked.

    The images in ``inputs`` have the dtype and shape of ``input``, with the images on the first axis. An invocation
    processes ``batch_size`` images. The last batch is padded, if necessary, and the padding's outputs are dropped. An
    open axis of ``input`` without a stated size has size -1.
    """

    input: TensorSpec
    output: TensorSpec
    batch_size: int

    def classify(self, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock) -> PassTimes:
        """Run one pass: copy in and invoke every image, and copy its scores to ``outputs`` [images, classes]."""


Loader = Callable[[ModelFile], Session]
