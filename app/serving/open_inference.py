"""The Open Inference Protocol, version 2 (KServe): requests as they come, checked; answers as they go.

https://github.com/kserve/open-inference-protocol, with the binary tensor data extension: a body is JSON, or JSON of
``Inference-Header-Content-Length`` bytes followed by the tensors whose parameters have a ``binary_data_size``.
"""

from math import prod
from typing import Any, Literal, NamedTuple

import msgspec

from edge_bench.app.serving.errors import RequestError
from edge_bench.bench.worker.messages import Infer, Inferred

__all__ = [
    "DATATYPES",
    "HEADER_LENGTH",
    "INPUT",
    "OUTPUTS",
    "AcceptedInput",
    "Body",
    "InferenceRequest",
    "answered",
    "read_request",
]

HEADER_LENGTH = "inference-header-content-length"
INPUT, OUTPUTS = "images", ("labels", "scores")
#: Of images as bundles hold them.
DATATYPES = {"uint8": "UINT8", "float32": "FP32"}
_SIZES = {"UINT8": 1, "FP32": 4}


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: msgspec.Raw = msgspec.Raw()


class _Output(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class _Request(msgspec.Struct):
    inputs: list[_Input]
    id: str = ""
    outputs: list[_Output] = []
    parameters: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(_Request)
_encode = msgspec.json.Encoder().encode


class AcceptedInput(NamedTuple):
    """What the model takes: images of this shape and datatype, also as files or not, and at most so many at once."""

    image: tuple[int, ...]
    datatype: str
    files: bool
    most: int


class InferenceRequest(NamedTuple):
    """A request that fits the model as far as can be told without looking into its data."""

    id: str
    infer: Infer
    outputs: list[tuple[str, bool]]  # names, and whether each is wanted in binary


class Body(NamedTuple):
    """A whole answer; the length of its JSON where tensors in binary follow."""

    content: bytes
    header_length: int | None


def read_request(body: bytes | bytearray, header_length: str | None, takes: AcceptedInput) -> InferenceRequest:
    """A request, checked. RequestError 400 says what does not fit."""
    length = _length(header_length, len(body))
    try:
        request = _decoder.decode(body if length == len(body) else memoryview(body)[:length])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise RequestError(400, f"not a request of the inference protocol: {str(cause)[:200]}") from None
    if len(request.inputs) != 1 or request.inputs[0].name != INPUT:
        names = ", ".join(tensor.name[:40] for tensor in request.inputs[:4]) or "none"
        raise RequestError(400, f"the model has one input, {INPUT!r}; the request has: {names}")
    tensor = request.inputs[0]
    count = _count(tensor, takes)
    return InferenceRequest(
        id=request.id,
        infer=_infer(tensor, count, bytes(memoryview(body)[length:]), takes),
        outputs=_outputs(request),
    )


def _length(stated: str | None, size: int) -> int:
    if stated is None:
        return size
    if not stated.isascii() or not stated.isdigit() or len(stated) > 12 or int(stated) > size:
        raise RequestError(400, f"Inference-Header-Content-Length: {stated[:40]!r} is no length within {size} bytes")
    return int(stated)


def _count(tensor: _Input, takes: AcceptedInput) -> int:
    """How many images a tensor says it has."""
    for name in tensor.parameters:
        if name.startswith("shared_memory"):
            raise RequestError(400, f"input {INPUT!r}: shared memory is not supported")
    wanted: list[int | str]
    if tensor.datatype == takes.datatype:
        wanted = ["n", *takes.image]
    elif tensor.datatype == "BYTES" and takes.files:
        wanted = ["n"]
    else:
        kinds = f"{takes.datatype}{' or BYTES (PNG and JPEG files)' if takes.files else ''}"
        raise RequestError(400, f"input {INPUT!r}: datatype {tensor.datatype[:20]!r}; the model takes {kinds}")
    if len(tensor.shape) != len(wanted) or tensor.shape[1:] != wanted[1:]:
        shown = ", ".join(map(str, wanted))
        raise RequestError(400, f"input {INPUT!r}: shape {tensor.shape[:8]}; the model takes [{shown}]")
    if not 1 <= tensor.shape[0] <= takes.most:
        raise RequestError(400, f"input {INPUT!r}: {tensor.shape[0]} images; 1 to {takes.most} are taken at once")
    return tensor.shape[0]


def _infer(tensor: _Input, count: int, binary: bytes, takes: AcceptedInput) -> Infer:
    """The tensor's data as the worker takes it, its length checked where the datatype says it."""
    size, files = tensor.parameters.get("binary_data_size"), tensor.datatype == "BYTES"
    data = bytes(tensor.data)
    if size is None:
        if not data:
            raise RequestError(400, f"input {INPUT!r}: has neither data nor binary_data_size")
        if binary:
            raise RequestError(400, f"{len(binary)} bytes follow the JSON, and no input has a binary_data_size")
        return Infer(form="base64" if files else "json", count=count, data=data)
    if data:
        raise RequestError(400, f"input {INPUT!r}: has both data and binary_data_size")
    if isinstance(size, bool) or not isinstance(size, int) or size != len(binary):
        raise RequestError(
            400, f"input {INPUT!r}: binary_data_size {str(size)[:20]}, but {len(binary)} bytes follow the JSON"
        )
    expected = count * prod(takes.image) * _SIZES[takes.datatype]
    if not files and size != expected:
        raise RequestError(
            400, f"input {INPUT!r}: {size} bytes; shape {tensor.shape} of {tensor.datatype} has {expected}"
        )
    return Infer(form="files" if files else "raw", count=count, data=binary)


def _outputs(request: _Request) -> list[tuple[str, bool]]:
    binary = _flag(request.parameters, "binary_data_output")
    if not request.outputs:
        return [(name, binary) for name in OUTPUTS]
    wanted: dict[str, bool] = {}
    for output in request.outputs:
        if output.name not in OUTPUTS:
            raise RequestError(400, f"the model has no output {output.name[:40]!r}; it has: {', '.join(OUTPUTS)}")
        for name in output.parameters:
            if name == "classification" or name.startswith("shared_memory"):
                raise RequestError(400, f"output {output.name!r}: {name[:40]} is not supported")
        wanted[output.name] = _flag(output.parameters, "binary_data", binary)
    return list(wanted.items())


def _flag(parameters: dict[str, Any], name: str, otherwise: bool = False) -> bool:
    value = parameters.get(name, otherwise)
    if not isinstance(value, bool):
        raise RequestError(400, f"{name}: {str(value)[:20]!r} is neither true nor false")
    return value


def answered(asked: InferenceRequest, inferred: Inferred, model: str, parameters: dict[str, Any]) -> Body:
    """The answer to a request, in the order and form that it asked for its outputs."""
    count, outputs, parts = asked.infer.count, list[dict[str, Any]](), list[bytes]()
    for name, binary in asked.outputs:
        data, code, shape = _tensor(name, inferred, count)
        entry: dict[str, Any] = {
            "name": name,
            "datatype": "INT64" if code == "q" else "FP32",
            "shape": shape,
        }
        if binary:
            entry["parameters"] = {"binary_data_size": len(data)}
            parts.append(data)
        else:
            entry["data"] = memoryview(data).cast(code).tolist()
        outputs.append(entry)
    answer: dict[str, Any] = {"model_name": model, "model_version": "1"}
    if asked.id:
        answer["id"] = asked.id
    header = _encode(answer | {"parameters": parameters, "outputs": outputs})
    return Body(b"".join([header, *parts]), len(header)) if parts else Body(header, None)


def _tensor(name: str, inferred: Inferred, count: int) -> tuple[bytes, Literal["q", "f"], list[int]]:
    if name == "labels":
        return inferred.labels, "q", [count]
    return inferred.scores, "f", [count, inferred.classes]
