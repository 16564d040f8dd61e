"""Requests and answers of the Open Inference Protocol for any inputs and outputs, all of them in binary."""

from collections.abc import Sequence
from math import isfinite, prod
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.offload.client.open_inference import (
    Answer,
    OipError,
    Request,
    ResponseOutput,
    TensorMetadata,
    response_from,
)
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.graphs.tensor_data import DATATYPES

__all__ = ["specs_of", "tensor_answer", "tensor_request"]

_TYPES = {datatype: dtype for dtype, datatype in DATATYPES.items()}
_MOST_AXES = 32


def specs_of(tensors: Sequence[TensorMetadata]) -> list[TensorSpec]:
    """Return the tensors that a server's metadata describes. Raise OipError if they are not tensors of numbers."""
    specs = list[TensorSpec]()
    for tensor in tensors:
        scale, zero_point = tensor.parameters.get("scale", 0.0), tensor.parameters.get("zero_point", 0)
        is_valid = (
            tensor.datatype in _TYPES
            and len(tensor.shape) <= _MOST_AXES
            and all(-1 <= size < 1 << 40 for size in tensor.shape)
            and isinstance(scale, int | float)
            and isfinite(scale)
            and isinstance(zero_point, int)
        )
        if not is_valid:
            raise OipError(f"tensor {tensor.name[:60]!r} of type {tensor.datatype[:20]!r} and shape {tensor.shape[:8]}")
        specs.append(
            TensorSpec(
                name=tensor.name, dtype=_TYPES[tensor.datatype], shape=tensor.shape, scale=float(scale),
                zero_point=int(zero_point),
            )
        )  # fmt: skip
    return specs


def tensor_request(specs: Sequence[TensorSpec], inputs: Sequence[npt.NDArray[Any]]) -> Request:
    """Return a request for all outputs, in binary, for whole inputs in the order and types of ``specs``."""
    tensors, parts = list[dict[str, Any]](), list[bytes]()
    for spec, values in zip(specs, inputs, strict=True):
        data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        tensors.append(
            {
                "name": spec.name,
                "datatype": DATATYPES[spec.dtype],
                "shape": list(values.shape),
                "parameters": {"binary_data_size": len(data)},
            }
        )
        parts.append(data)
    header = msgspec.json.encode({"inputs": tensors, "parameters": {"binary_data_output": True}})
    return Request(b"".join([header, *parts]), len(header))


def tensor_answer(body: bytes, header_bytes: int | None, model: str, specs: Sequence[TensorSpec]) -> Answer:
    """Return the answer with the outputs ``specs``, in their order. Raise OipError for any other answer."""
    response, data = response_from(body, header_bytes, model)
    if [output.name for output in response.outputs] != [spec.name for spec in specs]:
        raise OipError("an answer without the requested outputs")
    outputs, start = list[npt.NDArray[Any]](), 0
    for output, spec in zip(response.outputs, specs, strict=True):
        size = _byte_count(output, spec)
        if size > len(data) - start:
            raise OipError(f"{len(data) - start} bytes for output {output.name[:60]!r} of shape {output.shape[:8]}")
        values = np.frombuffer(data[start : start + size], np.dtype(spec.dtype).newbyteorder("<"))
        outputs.append(values.astype(spec.dtype, copy=False).reshape(output.shape))
        start += size
    if start != len(data):
        raise OipError(f"{len(data) - start} bytes follow the outputs")
    return Answer(np.zeros(0, np.int64), response.parameters, outputs)


def _byte_count(output: ResponseOutput, spec: TensorSpec) -> int:
    """Return the bytes of an output of its shape. Raise OipError if type or shape differs from the metadata."""
    size = prod(output.shape) * np.dtype(spec.dtype).itemsize if len(output.shape) <= _MOST_AXES else -1
    stated = output.parameters.get("binary_data_size")
    if output.datatype != DATATYPES[spec.dtype] or size < 0 or min(output.shape, default=0) < 0 or stated != size:
        raise OipError(
            f"output {output.name[:60]!r} of type {output.datatype[:20]}, shape {output.shape[:8]} and {stated!r:.20} "
            "bytes"
        )
    return size
