"""Conversion of images to model inputs: scaled, reordered and quantized, outside the timed part."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import drop_mapped_pages
from edge_bench.bench.preprocessing.shapes import channel_axis, same_values
from edge_bench.bench.records.manifest import Preprocessing, TensorSpec

__all__ = ["CACHED_BYTES", "CHUNK_BYTES", "InputBatches", "inputs_of_rows", "model_inputs"]

#: Inputs up to this size are computed once and cached. Larger ones are computed in chunks for every pass.
CACHED_BYTES = 256 << 20
CHUNK_BYTES = 64 << 20
#: Bytes of inputs that are converted in one step, since the conversion takes several times their memory.
_STEP_BYTES = 16 << 20


class InputBatches:
    """A model's inputs for selected rows of an array of images, in bounded memory.

    Raise ValueError if the model's input does not match the images.
    """

    def __init__(
        self,
        images: npt.NDArray[Any],
        rows: Sequence[int],
        preprocessing: Preprocessing,
        spec: TensorSpec,
        batch_size: int,
    ) -> None:
        self._images, self._rows = images, np.asarray(rows, np.int64)
        self._preprocessing, self._spec = preprocessing, spec
        input_bytes = max(1, model_inputs(images[:1], preprocessing, spec).nbytes)
        # a multiple of the batch size, so that only the last batch of a pass is padded
        self._chunk = max(1, CHUNK_BYTES // input_bytes // batch_size) * batch_size
        self._cached = self._inputs(self._rows) if input_bytes * len(self._rows) <= CACHED_BYTES else None

    @property
    def chunks(self) -> int:
        """Number of parts in a pass over all images."""
        return 1 if self._cached is not None else -(-len(self._rows) // self._chunk)

    def parts(self, image_positions: Sequence[int] | None = None) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
        """Yield the inputs of all images, or of those at ``image_positions``, in parts, each with its slice of them."""
        if self._cached is not None:
            part = self._cached if image_positions is None else self._cached[np.asarray(image_positions, np.int64)]
            yield slice(0, len(part)), part
            return
        rows = self._rows if image_positions is None else self._rows[np.asarray(image_positions, np.int64)]
        for start in range(0, len(rows), self._chunk):
            chunk = rows[start : start + self._chunk]
            yield slice(start, start + len(chunk)), self._inputs(chunk)

    def first(self, count: int) -> npt.NDArray[Any]:
        """Return the inputs of the first ``count`` images, at most one chunk."""
        return self._cached[:count] if self._cached is not None else self._inputs(self._rows[: min(count, self._chunk)])

    def _inputs(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return inputs_of_rows(self._images, rows, self._preprocessing, self._spec)


def inputs_of_rows(
    images: npt.NDArray[Any], rows: npt.NDArray[np.int64], preprocessing: Preprocessing, spec: TensorSpec
) -> npt.NDArray[Any]:
    """Convert selected rows of stored images as `model_inputs` does, a few at a time; raise ValueError without rows."""
    if not len(rows):
        raise ValueError("no images")
    first = model_inputs(images[:1], preprocessing, spec)
    step = max(1, _STEP_BYTES // max(1, first.nbytes))
    inputs = np.empty((len(rows), *first.shape[1:]), first.dtype)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        inputs[start : start + len(part)] = model_inputs(images[part], preprocessing, spec)
        drop_mapped_pages(images)
    return inputs


def model_inputs(images: npt.NDArray[Any], preprocessing: Preprocessing, spec: TensorSpec) -> npt.NDArray[Any]:
    """Convert stored pixels [n, height, width, channels], or values of any other shape, to the model's input.

    Channels are reordered, scaled, and transposed if the model's layout is channels first. Axes of size 1 are added or
    removed. Quantization uses the model's scale and zero point (TensorFlow Lite's 8-bit specification: real =
    (stored - zero_point) × scale). Raise ValueError if the model's input does not match the images.
    """
    shape, model_shape = images.shape[1:], tuple(spec.shape[1:])
    if not same_values(shape, model_shape):
        raise ValueError(f"the model takes inputs of shape {list(model_shape)}, but these have {list(shape)}")
    dtype, axis = np.dtype(spec.dtype), channel_axis(shape)
    if preprocessing.channel_order == "bgr" and axis is not None:
        images = np.flip(images, axis + 1)
    if dtype == np.uint8 and not spec.scale and images.dtype == np.uint8 and _is_identity(preprocessing):
        return _in_layout(images, shape, model_shape)
    scale, offset = (_by_channel(values, axis) for values in (preprocessing.scale, preprocessing.offset))
    real: npt.NDArray[np.float32] = _in_layout(images * scale + offset, shape, model_shape)
    if dtype.kind == "f":
        return real.astype(dtype, copy=False)
    if dtype.kind not in "iu" or not spec.scale:
        raise ValueError(
            f"the model takes {spec.dtype} without quantization: edge-bench supports floats, quantized integers and "
            "raw uint8 pixels"
        )
    limits = np.iinfo(dtype)
    levels = np.rint(real / np.float32(spec.scale)) + spec.zero_point
    quantized: npt.NDArray[Any] = np.clip(levels, limits.min, limits.max).astype(dtype)
    return quantized


def _in_layout(values: npt.NDArray[Any], shape: tuple[int, ...], model_shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return examples of ``shape`` in the model's shape, in memory order."""
    without_ones = [[size for size in sizes if size != 1] for sizes in (shape, model_shape)]
    if without_ones[0] != without_ones[1]:  # channels last to channels first
        values = values.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(values).reshape(len(values), *model_shape)


def _by_channel(values: float | list[float], axis: int | None) -> npt.NDArray[np.float32]:
    """Return one value, or one per channel along the channels' axis of a single example."""
    array = np.asarray(values, np.float32)
    if array.ndim == 0 or axis is None:
        return array
    return array.reshape([-1 if number == axis else 1 for number in range(3)])


def _is_identity(preprocessing: Preprocessing) -> bool:
    return bool(np.all(np.equal(preprocessing.scale, 1)) and np.all(np.equal(preprocessing.offset, 0)))
