"""Outputs recorded example by example in bounded memory."""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.tensors import MAX_SHAPES, NUMBER_TYPES, OutputRecord, pack_values
from edge_bench.bench.tasks.tensors.differences import real_values
from edge_bench.bench.tasks.tensors.statistics import RunningStatistics

__all__ = ["STORED_VALUES", "Output", "TensorRecorder", "kept_positions"]

#: Maximum number of values that are stored for a configuration, of all its outputs together.
STORED_VALUES = 1 << 20
#: Stored examples: the maximum, the minimum for large outputs, and the number of values that an example is cut to then.
_MOST_EXAMPLES, _FEWEST_EXAMPLES = 1 << 16, 16
_MOST_VALUES, _FEWEST_VALUES = 1 << 16, 16
_GOLDEN = 2_654_435_769  # 2³² divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4)


class Output(NamedTuple):
    """An output of a model: its name, and type, quantization and shape."""

    name: str
    spec: TensorSpec


class TensorRecorder:
    """Records the outputs of one example after the other.

    The first examples are stored, equally for all outputs, until ``most_values`` values are stored: the whole output,
    or an even sample of its values if it has more than a sixteenth of the limit. For all examples there are a checksum
    and running statistics. With the same order of examples, outputs and limit, every configuration stores the same
    positions.
    """

    def __init__(self, outputs: Sequence[Output], *, most_values: int = STORED_VALUES) -> None:
        """Raise BadInput for an output of strings or of another type that is not numbers."""
        for output in outputs:
            if output.spec.dtype not in NUMBER_TYPES:
                raise BadInput(
                    f"output {output.name[:80]!r} is of type {output.spec.dtype[:40]}: only numbers can be compared",
                    "remove this output from the model",
                )
        room = most_values // (_FEWEST_EXAMPLES * max(1, len(outputs)))
        self._left = most_values
        self._open = True  # whether the next example may be stored
        self._series = [_Series(output, max(_FEWEST_VALUES, min(_MOST_VALUES, room))) for output in outputs]

    def add(self, outputs: Sequence[npt.NDArray[Any]]) -> None:
        """Add all outputs of one example, without a batch axis; raise ValueError for an unexpected type."""
        needed = 0
        for series, values in zip(self._series, outputs, strict=True):
            series.count(values)
            needed += series.stored_size(values)
        self._open = self._open and needed <= self._left and all(series.has_room for series in self._series)
        if self._open:
            self._left -= needed
            for series, values in zip(self._series, outputs, strict=True):
                series.store(values)

    def records(self) -> list[OutputRecord]:
        """Return one record per output."""
        return [series.record() for series in self._series]


class _Series:
    """One output over the examples."""

    def __init__(self, output: Output, most_values: int) -> None:
        self._output, self._most_values = output, most_values
        self._checksums: list[int] = []
        self._shapes: dict[tuple[int, ...], int] = {}
        self._shape_numbers: list[int] = []
        self._parts: list[npt.NDArray[Any]] = []
        self._statistics = RunningStatistics()

    @property
    def has_room(self) -> bool:
        return len(self._shapes) < MAX_SHAPES and len(self._shape_numbers) < _MOST_EXAMPLES

    def count(self, values: npt.NDArray[Any]) -> None:
        if values.dtype != np.dtype(self._output.spec.dtype):
            raise ValueError(f"output {self._output.name[:80]!r} is {values.dtype}, not {self._output.spec.dtype}")
        shape = repr(tuple(int(size) for size in values.shape)).encode()
        self._checksums.append(zlib.crc32(np.ascontiguousarray(values).tobytes(), zlib.crc32(shape)))
        self._statistics.add(real_values(values, self._output.spec))

    def stored_size(self, values: npt.NDArray[Any]) -> int:
        return min(values.size, self._most_values)

    def store(self, values: npt.NDArray[Any]) -> None:
        shape = tuple(int(size) for size in values.shape)
        self._shape_numbers.append(self._shapes.setdefault(shape, len(self._shapes)))
        flat = values.reshape(-1)
        self._parts.append(flat[kept_positions(flat.size, self._most_values)].copy())

    def record(self) -> OutputRecord:
        empty = np.empty(0, self._output.spec.dtype)
        return OutputRecord(
            name=self._output.name,
            spec=self._output.spec,
            checksums=pack(np.array(self._checksums, np.uint32)),
            shapes=[list(shape) for shape in self._shapes],
            shape_numbers=pack(np.array(self._shape_numbers, np.uint16)),
            most_values=self._most_values,
            values=pack_values(np.concatenate([empty, *self._parts])),
            statistics=self._statistics.result(),
        )


def kept_positions(size: int, most: int) -> slice | npt.NDArray[np.int64]:
    """Return the positions in a flat output of ``size`` values that are stored: all, or ``most`` of them, in order.

    Each of ``most`` equal parts has one, at a position that changes from part to part (multiples of the golden ratio),
    so that every channel is sampled. They are the same on every machine and with every version of numpy.
    """
    if size <= most:
        return slice(None)
    numbers = np.arange(most + 1, dtype=np.int64)
    edges = numbers * size // most
    places = numbers[:-1] * _GOLDEN % (1 << 32)
    kept: npt.NDArray[np.int64] = edges[:-1] + (places * np.diff(edges) >> 32)
    return kept
