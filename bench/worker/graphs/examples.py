"""The examples of all inputs of a graph, read from their files in bounded memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.model_inputs import CACHED_BYTES, CHUNK_BYTES, inputs_of_rows
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.graphs.base import Feed, GraphSession
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["GraphExamples"]


class GraphExamples:
    """Examples for every input of a session, at the selected rows of their files.

    Inputs up to CACHED_BYTES are computed once. Larger ones are computed in chunks for every pass.
    """

    def __init__(self, inputs: Sequence[GraphInput], rows: Sequence[int], session: GraphSession) -> None:
        """Raise ValueError if inputs are missing or unknown, or their values do not fit the model.

        Raise OSError or NotAnArray for a file that cannot be read.
        """
        if not rows:
            raise ValueError("no examples")
        _check_names([each.name for each in inputs], [spec.name for spec in session.inputs])
        by_name = {each.name: each for each in inputs}
        self._sources = [
            _Source(by_name[spec.name], spec, has, max(rows))
            for spec, has in zip(session.inputs, session.has_batch_axis, strict=True)
        ]
        self._rows = np.asarray(rows, np.int64)
        size = max(1, sum(source.example_bytes for source in self._sources))
        # a multiple of the batch size, so that only the last batch of a pass is smaller
        self._chunk = max(1, CHUNK_BYTES // size // session.batch_size) * session.batch_size
        self._cached = self._feeds(self._rows) if size * len(rows) <= CACHED_BYTES else None

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def chunks(self) -> int:
        """Number of parts in a pass over all examples."""
        return 1 if self._cached is not None else -(-len(self._rows) // self._chunk)

    def parts(self, positions: Sequence[int] | None = None) -> Iterator[tuple[slice, list[Feed]]]:
        """Yield the inputs of all examples, or of those at ``positions``, in parts, each with its slice of them."""
        chosen = None if positions is None else np.asarray(positions, np.int64)
        if self._cached is not None:
            feeds = self._cached
            if chosen is not None:
                feeds = [feed._replace(values=feed.values[chosen]) for feed in feeds]
            yield slice(0, len(feeds[0].values)), feeds
            return
        rows = self._rows if chosen is None else self._rows[chosen]
        for start in range(0, len(rows), self._chunk):
            part = rows[start : start + self._chunk]
            yield slice(start, start + len(part)), self._feeds(part)

    def first(self, count: int) -> list[Feed]:
        """Return the inputs of the first ``count`` examples, at most one chunk."""
        if self._cached is not None:
            return [feed._replace(values=feed.values[:count]) for feed in self._cached]
        return self._feeds(self._rows[: min(count, self._chunk)])

    def _feeds(self, rows: npt.NDArray[np.int64]) -> list[Feed]:
        return [Feed(source.values(rows), source.has_batch_axis) for source in self._sources]


class _Source:
    """The file of one input."""

    def __init__(self, given: GraphInput, spec: TensorSpec, has_batch_axis: bool, last_row: int) -> None:
        self.has_batch_axis = has_batch_axis
        self._array = open_npy(given.file)
        self._preprocessing = given.preprocessing
        shape = spec.shape[1:] if has_batch_axis else spec.shape
        if not self._array.ndim or len(self._array) <= last_row:
            raise ValueError(
                f"input {spec.name[:80]}: its file has {len(self._array) if self._array.ndim else 0:,} examples, but "
                f"example {last_row:,} is requested"
            )
        own = list(self._array.shape[1:])
        if given.preprocessing is None:
            _check_values(self._array, spec, shape)
            shape = own
        #: One example, with a first axis as for images.
        self._spec = msgspec.structs.replace(spec, shape=[1, *_filled(shape, own)])
        self.example_bytes = self._converted(np.zeros(1, np.int64)).nbytes

    def values(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the model's input for these rows, [rows, …], in memory."""
        values = self._converted(rows)
        drop_mapped_pages(self._array)
        return values

    def _converted(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        if self._preprocessing is not None:
            return inputs_of_rows(self._array, rows, self._preprocessing, self._spec)
        return np.ascontiguousarray(self._array[rows], np.dtype(self._spec.dtype))


def _check_names(given: Sequence[str], wanted: Sequence[str]) -> None:
    takes = f"the model takes {', '.join(name[:80] for name in wanted[:20])}"
    if missing := [name for name in wanted if name not in given]:
        raise ValueError(f"no values for input {missing[0][:80]}; {takes}")
    if unknown := [name for name in given if name not in wanted]:
        raise ValueError(f"values for {unknown[0][:80]}, which is not an input; {takes}")
    if len(set(given)) != len(given):
        raise ValueError("an input has values in two files")


def _check_values(array: npt.NDArray[Any], spec: TensorSpec, shape: Sequence[int]) -> None:
    """Raise ValueError if values do not have the type and shape of the input."""
    if array.dtype.newbyteorder("=") != np.dtype(spec.dtype):
        raise ValueError(f"input {spec.name[:80]}: its values are {array.dtype.name}, but the model takes {spec.dtype}")
    own = array.shape[1:]
    if len(own) != len(shape) or any(size not in (-1, given) for size, given in zip(shape, own, strict=True)):
        raise ValueError(
            f"input {spec.name[:80]}: its examples have shape {list(own)}, but those of the model {list(shape)}"
        )


def _filled(shape: Sequence[int], images: Sequence[int]) -> list[int]:
    """Return the shape of one example, with open axes set to the size of images [height, width, channels]."""
    if -1 not in shape:
        return list(shape)
    layouts = [list(images)]
    if len(images) == 3:
        layouts.append([images[2], images[0], images[1]])
    for layout in layouts:
        if len(layout) == len(shape) and all(size in (-1, given) for size, given in zip(shape, layout, strict=True)):
            return layout
    return list(shape)  # `model_inputs` reports what does not fit
