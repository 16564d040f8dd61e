"""Client side of the Open Inference Protocol, version 2: encode requests, decode answers.

Tensors use the binary extension: a JSON header of stated length, then the tensors' bytes. Sources: KServe, "Open
Inference Protocol V2"; Triton, "Binary Tensor Data Extension".
"""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.offload.client.payload import RAW
from edge_bench.bench.wording import counted

__all__ = [
    "Answer",
    "ModelMetadata",
    "OipError",
    "Request",
    "ServerTimes",
    "TensorMetadata",
    "answer_from",
    "infer_request",
    "response_from",
]

_RAW_TYPES = {"uint8": "UINT8", "float32": "FP32"}


class OipError(ValueError):
    """An answer that does not follow the protocol. Its message is a sentence."""


class Request(msgspec.Struct, frozen=True):
    """The body of a request, and the length of its JSON header in bytes."""

    body: bytes
    header_bytes: int


class TensorMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output in a server's metadata. ``parameters`` has scale and zero point of a quantized tensor."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, str | int | float | bool] = {}


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A server's metadata of its model. ``parameters`` of edge-bench's servers identify bundle and machine."""

    name: str
    platform: str = ""
    versions: list[str] = []
    inputs: list[TensorMetadata] = []
    outputs: list[TensorMetadata] = []
    parameters: dict[str, str | int | float | bool] = {}

    def parameter(self, name: str) -> str:
        """Return a parameter as text; empty if the server does not report it."""
        return str(self.parameters.get(name, ""))


class ServerTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Times of a request that the server reports, in nanoseconds."""

    queue_ns: int = 0  # waiting for the model to be free
    decode_ns: int = 0  # from the body to the model's input
    compute_ns: int = 0  # the model alone
    total_ns: int = 0  # from reading the whole body to having the answer ready


class Answer(msgspec.Struct, frozen=True):
    """Predicted labels, int64 [images], and the server's own times.

    ``outputs`` has all outputs of a model that is served with its own tensors, which has no labels.
    """

    labels: npt.NDArray[np.int64]
    times: ServerTimes
    outputs: Sequence[npt.NDArray[Any]] = ()


class ResponseOutput(msgspec.Struct):
    """An output in the JSON of an answer."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] = {}


class Response(msgspec.Struct):
    """The JSON of an answer."""

    model_name: str
    outputs: list[ResponseOutput]
    parameters: ServerTimes = ServerTimes()


_decoder = msgspec.json.Decoder(Response)


def infer_request(payload: str, images: Sequence[bytes], shape: Sequence[int], dtype: str) -> Request:
    """Return a request to classify encoded images; ``shape`` and ``dtype`` of one image are needed for raw images only.

    It requests labels only, the smallest answer that gives a device the class.
    """
    if payload == RAW:
        data, datatype, sizes = b"".join(images), _RAW_TYPES[dtype], [len(images), *shape]
    else:
        # each element of a BYTES tensor is preceded by its length: four bytes, little-endian
        data = b"".join(part for image in images for part in (struct.pack("<I", len(image)), image))
        datatype, sizes = "BYTES", [len(images)]
    tensor = {"name": "images", "datatype": datatype, "shape": sizes, "parameters": {"binary_data_size": len(data)}}
    output = {"name": "labels", "parameters": {"binary_data": True}}
    header = msgspec.json.encode({"inputs": [tensor], "outputs": [output]})
    return Request(header + data, len(header))


def answer_from(body: bytes, header_bytes: int | None, model: str, count: int) -> Answer:
    """Return the answer with the labels of ``count`` images. Raise OipError for any other answer."""
    response, data = response_from(body, header_bytes, model)
    if len(response.outputs) != 1 or response.outputs[0].name != "labels":
        raise OipError("an answer without the requested labels")
    output = response.outputs[0]
    if output.datatype != "INT64" or output.shape != [count] or len(data) != 8 * count:
        raise OipError(
            f"labels of type {output.datatype[:20]} and shape {output.shape[:4]} for {counted(count, 'image')}"
        )
    return Answer(np.frombuffer(data, "<i8"), response.parameters)


def response_from(body: bytes, header_bytes: int | None, model: str) -> tuple[Response, memoryview]:
    """Return the JSON of an answer and the bytes after it. Raise OipError for an answer of another model, or none."""
    size = len(body) if header_bytes is None else header_bytes
    if not 0 < size <= len(body):
        raise OipError(f"a header of {size} bytes in an answer of {len(body)}")
    try:
        response = _decoder.decode(body[:size])
    except (ValueError, RecursionError) as cause:  # msgspec's errors are ValueErrors
        raise OipError(f"not an answer of an inference server: {str(cause)[:120]}") from None
    if response.model_name != model:
        raise OipError(f"an answer of another model: {response.model_name[:60]!r} instead of {model!r}")
    return response, memoryview(body)[size:]
