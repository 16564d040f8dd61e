"""Requests and responses of the Open Inference Protocol, version 2 (KServe).

Source: https://github.com/kserve/open-inference-protocol, with the binary tensor data extension. A body is JSON, or
``Inference-Header-Content-Length`` bytes of JSON followed by the tensors that have a ``binary_data_size``.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, Literal, NamedTuple

import msgspec

from edge_bench.app.serving.errors import RequestError, shown
from edge_bench.bench.worker.messages import Infer, Inferred

__all__ = [
    "DATATYPES",
    "HEADER_LENGTH",
    "INPUT",
    "OUTPUTS",
    "AcceptedInput",
    "Body",
    "InferenceRequest",
    "RequestHeader",
    "RequestInput",
    "encode_response",
    "read_header",
    "read_request",
    "refuse_shared_memory",
    "requested_outputs",
    "response_body",
]

HEADER_LENGTH = "inference-header-content-length"
INPUT, OUTPUTS = "images", ("labels", "scores")
#: Protocol datatypes of the array types of images in bundles.
DATATYPES = {"uint8": "UINT8", "float32": "FP32"}
_BYTES_PER_VALUE = {"UINT8": 1, "FP32": 4}


class RequestInput(msgspec.Struct):
    """An input in the JSON of a request."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: msgspec.Raw = msgspec.Raw()


class _Output(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class RequestHeader(msgspec.Struct):
    """The JSON of a request."""

    inputs: list[RequestInput]
    id: str = ""
    outputs: list[_Output] = []
    parameters: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(RequestHeader)
_encode = msgspec.json.Encoder().encode


class AcceptedInput(NamedTuple):
    """Input that the model accepts."""

    image_shape: tuple[int, ...]
    datatype: str
    accepts_files: bool  # whether PNG and JPEG files are accepted as well as pixels
    max_images: int  # per request


class InferenceRequest(NamedTuple):
    """Request that fits the model. The worker checks its tensor data."""

    id: str
    infer: Infer
    outputs: list[tuple[str, bool]]  # names, and whether each is requested as binary data

    @property
    def examples(self) -> int:
        """Number of images in the request."""
        return self.infer.count


class Body(NamedTuple):
    """Body of a response, and the bytes of its JSON if binary tensors follow, else None."""

    content: bytes
    header_length: int | None


def read_request(body: bytes | bytearray, header_length: str | None, accepted: AcceptedInput) -> InferenceRequest:
    """Return the request in a body. Raise RequestError (status 400) if it does not fit the model."""
    request, binary = read_header(body, header_length)
    if len(request.inputs) != 1 or request.inputs[0].name != INPUT:
        names = ", ".join(tensor.name[:40] for tensor in request.inputs[:4]) or "none"
        raise RequestError(400, f"the model has one input, {INPUT!r}; the request has: {names}")
    tensor = request.inputs[0]
    infer = _infer_message(tensor, _image_count(tensor, accepted), bytes(binary), accepted)
    return InferenceRequest(request.id, infer, requested_outputs(request, OUTPUTS))


def read_header(body: bytes | bytearray, header_length: str | None) -> tuple[RequestHeader, memoryview]:
    """Return the JSON of a body and the bytes after it. Raise RequestError (status 400) if it is not a request."""
    length = _json_length(header_length, len(body))
    try:
        request = _decoder.decode(body if length == len(body) else memoryview(body)[:length])
    except msgspec.DecodeError as cause:
        raise RequestError(400, f"not a request of the inference protocol: {str(cause)[:200]}") from None
    except (RecursionError, UnicodeDecodeError) as cause:
        reason = "it is nested too deeply" if isinstance(cause, RecursionError) else "it is not UTF-8"
        raise RequestError(400, f"not a request of the inference protocol: {reason}") from None
    return request, memoryview(body)[length:]


def _json_length(stated: str | None, size: int) -> int:
    if stated is None:
        return size
    if not stated.isascii() or not stated.isdigit() or len(stated) > 12 or int(stated) > size:
        raise RequestError(400, f"Inference-Header-Content-Length: {stated[:40]!r} is not a length up to {size} bytes")
    return int(stated)


def _image_count(tensor: RequestInput, accepted: AcceptedInput) -> int:
    """Return the number of images in a tensor, from its shape."""
    refuse_shared_memory(tensor)
    expected: list[int | str]
    if tensor.datatype == accepted.datatype:
        expected = ["n", *accepted.image_shape]
    elif tensor.datatype == "BYTES" and accepted.accepts_files:
        expected = ["n"]
    else:
        kinds = f"{accepted.datatype}{' or BYTES (PNG and JPEG files)' if accepted.accepts_files else ''}"
        raise RequestError(400, f"input {INPUT!r}: datatype {tensor.datatype[:20]!r}; the model accepts {kinds}")
    if len(tensor.shape) != len(expected) or tensor.shape[1:] != expected[1:]:
        shown = ", ".join(map(str, expected))
        raise RequestError(400, f"input {INPUT!r}: shape {tensor.shape[:8]}; the model accepts [{shown}]")
    count = tensor.shape[0]
    if not 1 <= count <= accepted.max_images:
        raise RequestError(400, f"input {INPUT!r}: {count} images; a request may have 1 to {accepted.max_images}")
    return count


def refuse_shared_memory(tensor: RequestInput) -> None:
    """Raise RequestError if the data of an input is not in the request."""
    if any(name.startswith("shared_memory") for name in tensor.parameters):
        raise RequestError(400, f"input {tensor.name[:40]!r}: shared memory is not supported")


def _infer_message(tensor: RequestInput, count: int, binary: bytes, accepted: AcceptedInput) -> Infer:
    """Return the message for the worker. Raise RequestError if the data is missing or its length is wrong."""
    size, files = tensor.parameters.get("binary_data_size"), tensor.datatype == "BYTES"
    data = bytes(tensor.data)
    if size is None:
        if not data:
            raise RequestError(400, f"input {INPUT!r}: has neither data nor binary_data_size")
        if binary:
            raise RequestError(400, f"{len(binary)} bytes follow the JSON, but no input has a binary_data_size")
        return Infer(form="base64" if files else "json", count=count, data=data)
    if data:
        raise RequestError(400, f"input {INPUT!r}: has both data and binary_data_size")
    if isinstance(size, bool) or not isinstance(size, int) or size != len(binary):
        raise RequestError(
            400, f"input {INPUT!r}: binary_data_size {shown(size)}, but {len(binary)} bytes follow the JSON"
        )
    expected = count * prod(accepted.image_shape) * _BYTES_PER_VALUE[accepted.datatype]
    if not files and size != expected:
        raise RequestError(
            400, f"input {INPUT!r}: {size} bytes; shape {tensor.shape} of {tensor.datatype} has {expected}"
        )
    return Infer(form="files" if files else "raw", count=count, data=binary)


def requested_outputs(request: RequestHeader, names: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the requested outputs, by default all ``names``, and whether each is requested as binary data.

    Raise RequestError for an unknown output or an unsupported parameter.
    """
    binary = _flag(request.parameters, "binary_data_output")
    if not request.outputs:
        return [(name, binary) for name in names]
    requested: dict[str, bool] = {}
    for output in request.outputs:
        if output.name not in names:
            raise RequestError(400, f"the model has no output {output.name[:40]!r}; it has: {', '.join(names)[:300]}")
        for name in output.parameters:
            if name == "classification" or name.startswith("shared_memory"):
                raise RequestError(400, f"output {output.name!r}: {name[:40]} is not supported")
        requested[output.name] = _flag(output.parameters, "binary_data", binary)
    return list(requested.items())


def _flag(parameters: dict[str, Any], name: str, default: bool = False) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(400, f"{name[:40]}: {shown(value)} is neither true nor false")
    return value


def encode_response(request: InferenceRequest, inferred: Inferred, model: str, parameters: dict[str, Any]) -> Body:
    """Return the response to a request, with outputs in the requested order and encoding."""
    count, outputs, parts = request.infer.count, list[dict[str, Any]](), list[bytes]()
    for name, binary in request.outputs:
        data, array_code, shape = _tensor(name, inferred, count)
        entry: dict[str, Any] = {"name": name, "datatype": "INT64" if array_code == "q" else "FP32", "shape": shape}
        if binary:
            entry["parameters"] = {"binary_data_size": len(data)}
            parts.append(data)
        else:
            entry["data"] = memoryview(data).cast(array_code).tolist()
        outputs.append(entry)
    return response_body(request.id, model, parameters, outputs, parts)


def response_body(
    request_id: str, model: str, parameters: dict[str, Any], outputs: list[dict[str, Any]], binary: list[bytes]
) -> Body:
    """Return a response. ``binary`` is the data of the outputs sent as binary, in order."""
    response: dict[str, Any] = {"model_name": model, "model_version": "1"}
    if request_id:
        response["id"] = request_id
    header = _encode(response | {"parameters": parameters, "outputs": outputs})
    return Body(b"".join([header, *binary]), len(header)) if binary else Body(header, None)


def _tensor(name: str, inferred: Inferred, count: int) -> tuple[bytes, Literal["q", "f"], list[int]]:
    if name == "labels":
        return inferred.labels, "q", [count]
    return inferred.scores, "f", [count, inferred.classes]
