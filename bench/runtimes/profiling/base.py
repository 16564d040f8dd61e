"""Interface of a profiler's adapter: its ``import_profiler()`` returns a `ProfiledLoader`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.record_codec import BoundedStr, Length, NonNegativeInt

__all__ = [
    "Executed",
    "ProfiledFile",
    "ProfiledLoader",
    "ProfiledSession",
    "StatedTensor",
    "from_rounded_down",
    "whole_inputs",
]

Sizes = Annotated[list[int], Length]


class ProfiledFile(NamedTuple):
    """A model file and the settings to profile it with, as `GraphFile`."""

    path: Path
    threads: int
    batch_size: int
    signature: str = ""
    shapes: Mapping[str, tuple[int, ...]] = {}
    delegate: str = ""  # of a .tflite file: empty for the default, ``none``, or a library's name and its options
    delegate_library: Path | None = None

    @property
    def delegate_options(self) -> dict[str, str]:
        """The options of the delegate's library."""
        return dict(each.split("=", 1) for each in self.delegate.split(",")[1:])


class StatedTensor(msgspec.Struct, frozen=True):
    """Type and shape of a tensor during an invocation."""

    dtype: BoundedStr
    shape: Sizes


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """What a runtime executed as one: an operator of the model, several, or work of its own."""

    kind: BoundedStr  # the runtime's name of the operator
    name: BoundedStr = ""  # the runtime's name of its node
    kernel: BoundedStr = ""
    nodes: list[NonNegativeInt] = []  # positions in the model file
    times_ns: list[NonNegativeInt]  # one per profiled invocation


class ProfiledSession(Protocol):
    """A loaded model whose invocations are profiled."""

    profiler: str  # its name
    resolution_ns: int  # of the profiler's times

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> int:
        """Invoke the model on one whole batch, one array per input in the model's order.

        Return the duration of the profiled invocation in nanoseconds.
        """

    def finish(self, skip: int) -> list[Executed]:
        """End profiling and return what was executed, in order, without the first ``skip`` invocations.

        Raise ValueError if invocations differ in what they executed.
        """

    def tensors(self) -> dict[str, StatedTensor]:
        """Return the types and shapes of tensors by name, if the model file does not state them."""


def whole_inputs(inputs: Sequence[npt.NDArray[Any]], axes: Sequence[int]) -> list[npt.NDArray[Any]]:
    """Return the inputs with the numbers of axes that the model states: without the batch axis of a single example."""
    return [each[0] if each.ndim == count + 1 else each for each, count in zip(inputs, axes, strict=True)]


def from_rounded_down(microseconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the nanoseconds of times that a profiler rounds down to microseconds.

    That removes half a microsecond on average, which is added, except to times below a microsecond, which are 0.
    """
    return microseconds * 1000 + (microseconds > 0) * 500


ProfiledLoader = Callable[[ProfiledFile, Sequence[npt.NDArray[Any]]], ProfiledSession]
