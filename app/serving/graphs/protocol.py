"""Requests and responses of the Open Inference Protocol for the tensors of any model."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_bench.app.serving.errors import RequestError, shown
from edge_bench.app.serving.open_inference import (
    Body,
    RequestInput,
    read_header,
    refuse_shared_memory,
    requested_outputs,
    response_body,
)
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.graphs.serving_messages import GraphInferred, InferGraph, RequestedOutput, SentTensor
from edge_bench.bench.worker.graphs.tensor_data import DATATYPES

__all__ = ["AcceptedTensors", "GraphRequest", "encode_graph_response", "read_graph_request"]


class AcceptedTensors(NamedTuple):
    """Tensors of the model. Axes of size -1 are open. The first axis is the examples if the model accepts batches."""

    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]
    takes_batches: bool
    most_examples: int  # per request
    most_bytes: int  # of one input


class GraphRequest(NamedTuple):
    """Request that fits the model. The worker checks its tensor data."""

    id: str
    infer: InferGraph
    examples: int


def read_graph_request(body: bytes | bytearray, header_length: str | None, accepted: AcceptedTensors) -> GraphRequest:
    """Return the request in a body. Raise RequestError (status 400) if it does not fit the model."""
    request, binary = read_header(body, header_length)
    specs = {spec.name: spec for spec in accepted.inputs}
    _check_names([tensor.name for tensor in request.inputs], list(specs))
    sent, start = list[SentTensor](), 0
    for tensor in request.inputs:
        refuse_shared_memory(tensor)
        size = _byte_count(tensor, specs[tensor.name], accepted)
        if (stated := _binary_size(tensor, size)) is None:
            sent.append(SentTensor(name=tensor.name, shape=tensor.shape, form="json", data=bytes(tensor.data)))
            continue
        if stated > len(binary) - start:
            raise RequestError(
                400,
                f"input {tensor.name[:40]!r}: binary_data_size {stated}, but only {len(binary) - start} bytes are left",
            )
        data = bytes(binary[start : start + stated])
        sent.append(SentTensor(name=tensor.name, shape=tensor.shape, form="raw", data=data))
        start += stated
    if start != len(binary):
        raise RequestError(400, f"{len(binary) - start} extra bytes after the data of the inputs")
    outputs = [
        RequestedOutput(name=name, form="raw" if is_binary else "json")
        for name, is_binary in requested_outputs(request, [spec.name for spec in accepted.outputs])
    ]
    return GraphRequest(request.id, InferGraph(inputs=sent, outputs=outputs), _examples(sent, accepted))


def _check_names(given: Sequence[str], wanted: Sequence[str]) -> None:
    takes = f"the model has the inputs {', '.join(wanted)[:300]}"
    if unknown := next((name for name in given if name not in wanted), None):
        raise RequestError(400, f"the model has no input {unknown[:40]!r}; {takes}")
    if missing := [name for name in wanted if name not in given]:
        raise RequestError(400, f"input {missing[0][:40]!r} is missing; {takes}")
    if len(given) != len(wanted):
        raise RequestError(400, "the request has an input twice")


def _byte_count(tensor: RequestInput, spec: TensorSpec, accepted: AcceptedTensors) -> int:
    """Return the size in bytes of a tensor with the stated shape. Raise RequestError if type or shape do not fit."""
    name, datatype = tensor.name[:40], DATATYPES[spec.dtype]
    if tensor.datatype != datatype:
        raise RequestError(400, f"input {name!r}: datatype {tensor.datatype[:20]!r}; the model accepts {datatype}")
    fits = len(tensor.shape) == len(spec.shape) and all(
        given >= 1 if size == -1 else given == size for given, size in zip(tensor.shape, spec.shape, strict=True)
    )
    if not fits:
        sizes = ", ".join(map(_shown_size, tensor.shape[:8]))
        raise RequestError(400, f"input {name!r}: shape [{sizes}]; the model accepts {spec.shape} (-1: any size)")
    if accepted.takes_batches and tensor.shape[0] > accepted.most_examples:
        count = _shown_size(tensor.shape[0])
        raise RequestError(400, f"input {name!r}: {count} examples; a request may have 1 to {accepted.most_examples}")
    size = prod(tensor.shape) * np.dtype(spec.dtype).itemsize
    if size > accepted.most_bytes:
        raise RequestError(400, f"input {name!r}: its shape exceeds the limit of {accepted.most_bytes:,} bytes")
    return size


def _shown_size(size: int) -> str:
    return str(size) if abs(size) < 1 << 63 else "more than 64 bits"


def _binary_size(tensor: RequestInput, size: int) -> int | None:
    """Return the size of a tensor's binary data, None if it is in the JSON. Raise RequestError if it does not fit."""
    name, stated = tensor.name[:40], tensor.parameters.get("binary_data_size")
    has_data = bool(bytes(tensor.data))
    if stated is None:
        if not has_data:
            raise RequestError(400, f"input {name!r}: has neither data nor binary_data_size")
        return None
    if has_data:
        raise RequestError(400, f"input {name!r}: has both data and binary_data_size")
    if isinstance(stated, bool) or not isinstance(stated, int) or stated != size:
        raise RequestError(400, f"input {name!r}: binary_data_size {shown(stated)}; its shape has {size} bytes")
    return stated


def _examples(sent: Sequence[SentTensor], accepted: AcceptedTensors) -> int:
    if not accepted.takes_batches:
        return 1
    counts = {tensor.shape[0] for tensor in sent}
    if len(counts) > 1:
        raise RequestError(400, f"inputs have {' and '.join(map(str, sorted(counts)))} examples; send the same number")
    return counts.pop()


def encode_graph_response(
    request: GraphRequest, inferred: GraphInferred, model: str, parameters: dict[str, Any]
) -> Body:
    """Return the response to a request, with outputs in the requested order and encoding."""
    outputs, parts = list[dict[str, Any]](), list[bytes]()
    for tensor in inferred.outputs:
        entry: dict[str, Any] = {"name": tensor.name, "datatype": DATATYPES[tensor.dtype], "shape": tensor.shape}
        if tensor.form == "raw":
            entry["parameters"] = {"binary_data_size": len(tensor.data)}
            parts.append(tensor.data)
        else:
            entry["data"] = msgspec.Raw(tensor.data)
        outputs.append(entry)
    return response_body(request.id, model, parameters, outputs, parts)
