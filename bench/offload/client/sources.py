"""Requests and answers of a remote side: images for labels, or tensors for all outputs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.offload.client.examples import InputExamples
from edge_bench.bench.offload.client.open_inference import Answer, ModelMetadata, Request, answer_from, infer_request
from edge_bench.bench.offload.client.payload import RAW, encode_image
from edge_bench.bench.offload.client.tensors import specs_of, tensor_answer, tensor_request
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.graphs.messages import GraphInput

__all__ = ["ImageSource", "Source", "TensorSource"]

Array = npt.NDArray[Any]


class Source(Protocol):
    """The timed examples, in memory."""

    most_at_once: int  # maximum number of examples per request
    example_bytes: int

    def __len__(self) -> int:
        """Number of timed examples."""

    def request(self, payload: str, indices: Sequence[int]) -> Request:
        """Return a request with some of the timed examples."""

    def read(self, body: bytes, header_bytes: int | None, model: str, count: int) -> Answer:
        """Return the answer to a request of ``count`` examples. Raise OipError for any other answer."""


class ImageSource:
    """Images of a classifier."""

    most_at_once = 100

    def __init__(self, images: Path, rows: Sequence[int], quality: int) -> None:
        """``quality`` is that of JPEGs, 1 to 95."""
        self._images, self._quality = open_npy(images), quality
        self._timed = np.array(self._images[rows])
        self.example_bytes = self._timed[0].nbytes

    def __len__(self) -> int:
        return len(self._timed)

    def request(self, payload: str, indices: Sequence[int]) -> Request:
        """Return a request with some of the timed images."""
        return self._request(payload, [self._timed[index] for index in indices])

    def request_of_rows(self, payload: str, rows: Sequence[int]) -> Request:
        """Return a request with any rows of the images file."""
        return self._request(payload, [np.array(self._images[row]) for row in rows])

    def _request(self, payload: str, images: Sequence[Array]) -> Request:
        encoded = [encode_image(payload, image, self._quality) for image in images]
        return infer_request(payload, encoded, images[0].shape, images[0].dtype.name)

    def read(self, body: bytes, header_bytes: int | None, model: str, count: int) -> Answer:
        """Return the labels of ``count`` images. Raise OipError for any other answer."""
        return answer_from(body, header_bytes, model, count)


class TensorSource:
    """Examples of a model with any inputs and outputs."""

    def __init__(self, metadata: ModelMetadata, inputs: Sequence[GraphInput], rows: Sequence[int], timed: int) -> None:
        """Raise OipError or ValueError if the examples do not fit the tensors in the server's metadata."""
        specs = specs_of(metadata.inputs)
        self.outputs: list[TensorSpec] = specs_of(metadata.outputs)
        self._rows, self._examples = rows, InputExamples(inputs, specs)
        self._timed = self._examples.stored(rows[:timed])
        self.example_bytes = sum(each.nbytes for each in self._examples.inputs(self._timed[0]))
        takes_batches = all(spec.shape[:1] == [-1] for spec in (*specs, *self.outputs))
        self.most_at_once = 100 if takes_batches else 1

    def __len__(self) -> int:
        return len(self._timed)

    def request(self, payload: str, indices: Sequence[int]) -> Request:
        """Return a request with some of the timed examples; ``payload`` is raw."""
        assert payload == RAW  # noqa: S101 - `Plan` has no other for such models
        return self._request([self._timed[index] for index in indices])

    def request_of_position(self, position: int) -> Request:
        """Return a request with any of the examples, timed or not."""
        return self._request(self._examples.stored([self._rows[position]]))

    def _request(self, examples: Sequence[Sequence[Array]]) -> Request:
        whole = [self._examples.inputs(example) for example in examples]
        joined = whole[0] if len(whole) == 1 else [np.concatenate(values) for values in zip(*whole, strict=True)]
        return tensor_request(self._examples.specs, joined)

    def read(self, body: bytes, header_bytes: int | None, model: str, count: int) -> Answer:  # noqa: ARG002
        """Return all outputs. Raise OipError for any other answer."""
        return tensor_answer(body, header_bytes, model, self.outputs)
