"""Inference in a worker: request bodies are converted to a model's inputs, and scores are returned.

Client data, especially image files, is decoded in the worker, so that a crash of native code ends only this process.
"""

import io
import struct
import time
import warnings
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.preprocessing.decode import eight_bit, require_pillow
from edge_bench.bench.preprocessing.model_inputs import model_inputs
from edge_bench.bench.runtimes.base import Loader, ModelFile, with_known_output
from edge_bench.bench.runtimes.scores import (
    UNCLASSIFIED_LABEL,
    class_count,
    dequantized,
    labels_and_top_five,
    one_row_per_image,
)
from edge_bench.bench.worker.messages import Infer, Inferred, NotFinite, Open, Opened, Refused
from edge_bench.bench.worker.warmup import warm_up

__all__ = ["InferenceHandler"]

#: Limit on the average bytes per number of a JSON tensor, with white space and brackets.
_JSON_BYTES_PER_NUMBER = 64


class _InvalidData(Exception):
    """The data of a request does not match its description."""


class InferenceHandler:
    """A loaded model, warmed up, that answers one request at a time."""

    def __init__(self, request: Open, load: Loader) -> None:
        configuration = request.configuration
        shape = None if request.input_shape is None else tuple(request.input_shape)
        file = ModelFile(
            request.file, configuration.threads, configuration.batch_size, shape, serving=True,
            stateful=request.stateful,
        )  # fmt: skip
        clock = time.perf_counter_ns
        began = clock()
        session = self._session = load(file)
        loaded = clock()
        with_known_output(session)
        self._preprocessing, self._image, self._dtype = request.preprocessing, request.image, np.dtype(request.dtype)
        self._classes, self._threshold = class_count(session.output), request.threshold
        # a full batch and a single image, so that the warm-up covers both shapes
        inputs = self._inputs(np.zeros((session.batch_size + 1, *self._image), self._dtype))
        warm_up(session, inputs, self._empty_scores(len(inputs)), len(inputs), clock)
        self.opened = Opened(load_ns=loaded - began, input=session.input, output=session.output)

    def infer(self, request: Infer) -> Inferred | Refused | NotFinite:
        """Return labels and scores of the images in a request.

        Return `Refused` for invalid data, `NotFinite` if the model returned a score that is not finite.
        """
        began = time.perf_counter_ns()
        try:
            images = self._decode(request)
        except _InvalidData as cause:
            return Refused(message=str(cause))
        inputs = self._inputs(images)
        scores = self._empty_scores(len(inputs))
        decoded = time.perf_counter_ns()
        self._session.classify(inputs, scores, time.perf_counter_ns)
        computed = time.perf_counter_ns()
        spec = self._session.output
        labels = labels_and_top_five(scores, spec, self._threshold).labels
        if len(unclassified := np.flatnonzero(labels == UNCLASSIFIED_LABEL)):
            return NotFinite(images=unclassified.tolist())
        return Inferred(
            labels=labels.astype("<i8").tobytes(),
            scores=dequantized(one_row_per_image(scores), spec).astype("<f4", copy=False).tobytes(),
            classes=self._classes,
            decode_ns=decoded - began,
            compute_ns=computed - decoded,
        )

    def _inputs(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return model_inputs(images, self._preprocessing, self._session.input)

    def _empty_scores(self, count: int) -> npt.NDArray[Any]:
        sizes = [max(1, size) for size in self._session.output.shape[1:]]
        return np.zeros((count, *sizes), self._session.output.dtype)

    def _decode(self, request: Infer) -> npt.NDArray[Any]:
        shape = (request.count, *self._image)
        match request.form:
            case "raw":
                return np.frombuffer(request.data, self._dtype.newbyteorder("<")).reshape(shape)
            case "json":
                return _from_json(request.data, self._dtype, shape)
            case "files":
                return _from_files(_split_elements(request.data, request.count), shape)
            case _:
                return _from_files(_from_base64(request.data, request.count), shape)


def _json_types(dtype: np.dtype[Any], axes: int) -> tuple[Any, Any]:
    """Return the types msgspec expects for flat data and for data nested as a tensor with this number of axes."""
    number: Any = Annotated[int, msgspec.Meta(ge=0, le=255)] if dtype == np.uint8 else float
    flat = nested = list[number]
    for _ in range(axes - 1):
        nested = list[nested]  # type: ignore[valid-type]
    return flat, nested


def _is_nested(data: bytes) -> bool:
    return data.lstrip()[1:].lstrip()[:1] == b"["


def _from_json(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Decode a tensor from JSON, flat or nested according to its shape."""
    flat, nested = _json_types(dtype, len(shape))
    expected = int(np.prod(shape))
    if len(data) > _JSON_BYTES_PER_NUMBER * expected + 1024:
        raise _InvalidData(f"data: {len(data):,} bytes of JSON for {expected:,} numbers")
    try:
        values = np.array(msgspec.json.decode(data, type=nested if _is_nested(data) else flat), dtype)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as cause:
        raise _InvalidData(f"data: {why_unreadable(cause)}") from None
    if values.shape not in (shape, (expected,)):
        raise _InvalidData(
            f"data: has shape {list(values.shape)}, but the tensor {list(shape)}; flat data is also accepted"
        )
    return values.reshape(shape)


def _split_elements(data: bytes, count: int) -> list[bytes]:
    """Return the elements of a binary BYTES tensor, each prefixed with its length (4 bytes, little-endian)."""
    elements, offset = list[bytes](), 0
    for number in range(count):
        if offset + 4 > len(data):
            raise _InvalidData(f"the data ends within element {number} of {count}")
        (size,) = struct.unpack_from("<I", data, offset)
        offset += 4
        if size > len(data) - offset:
            raise _InvalidData(f"element {number} states {size:,} bytes, but {len(data) - offset:,} are left")
        elements.append(data[offset : offset + size])
        offset += size
    if offset != len(data):
        raise _InvalidData(f"{len(data) - offset:,} bytes are left over after {count} elements")
    return elements


def _from_base64(data: bytes, count: int) -> list[bytes]:
    try:
        elements = msgspec.json.decode(data, type=list[bytes])
    except (msgspec.DecodeError, RecursionError) as cause:
        raise _InvalidData(f"data: image files as base64 strings are expected: {cause}") from None
    if len(elements) != count:
        raise _InvalidData(f"data: has {len(elements)} elements, but the shape states {count}")
    return elements


def _from_files(files: list[bytes], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Decode PNG or JPEG files of the model's size to pixels [n, height, width, channels]; check the size first."""
    image_module = require_pillow()
    pixels = np.empty(shape, np.uint8)
    for number, file in enumerate(files):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = image_module.open(io.BytesIO(file), formats=("PNG", "JPEG"))
                if image.size != (shape[2], shape[1]):
                    raise _InvalidData(
                        f"image {number} has {image.size[0]}×{image.size[1]} pixels, but the model takes "
                        f"{shape[2]}×{shape[1]}: resize it first"
                    )
                pixels[number] = np.asarray(eight_bit(image, shape[3], image_module)).reshape(shape[1:])
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as cause:
            unknown = type(cause).__name__ == "UnidentifiedImageError"  # its text contains a memory address
            reason = "neither PNG nor JPEG" if unknown else why_unreadable(cause)
            raise _InvalidData(f"image {number}: invalid or truncated PNG or JPEG: {reason}") from None
    return pixels
