"""Tensors of any type as the data of a request or an answer: bytes, or a JSON array."""

import math
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.worker.graphs.serving_messages import SentTensor

__all__ = ["DATATYPES", "InvalidData", "as_bytes", "as_json", "decoded"]

#: Datatypes of the Open Inference Protocol, by the types of tensors.
DATATYPES = {
    "bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64",
    **{f"{sign}int{bits}": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
#: Limit on the average bytes per number of a JSON tensor, with white space and brackets.
_JSON_BYTES_PER_NUMBER = 64
#: Values that are encoded as JSON in one step, since Python objects take several times their memory.
_JSON_STEP = 1 << 16


class InvalidData(Exception):
    """The data of a request does not match its description. The message is a sentence."""


def decoded(tensor: SentTensor, dtype: str) -> npt.NDArray[Any]:
    """Return the values of a tensor in its shape; raise InvalidData if they are not of this type and shape."""
    values = (_from_bytes if tensor.form == "raw" else _from_json)(tensor, np.dtype(dtype))
    return values.reshape(tensor.shape)


def _from_bytes(tensor: SentTensor, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    expected = math.prod(tensor.shape) * dtype.itemsize
    if len(tensor.data) != expected:
        raise InvalidData(f"input {tensor.name[:80]!r}: {len(tensor.data):,} bytes, but its shape needs {expected:,}")
    if dtype.kind == "b" and np.frombuffer(tensor.data, np.uint8).max(initial=0) > 1:
        raise InvalidData(f"input {tensor.name[:80]!r}: a byte of BOOL is neither 0 nor 1")
    return np.frombuffer(tensor.data, dtype.newbyteorder("<")).astype(dtype, copy=False)


def _from_json(tensor: SentTensor, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Decode a tensor from JSON, flat or nested according to its shape."""
    shape, data, name = tuple(tensor.shape), tensor.data, tensor.name[:80]
    expected = math.prod(shape)
    if len(data) > _JSON_BYTES_PER_NUMBER * expected + 1024:
        raise InvalidData(f"input {name!r}: data of {len(data):,} bytes of JSON for {expected:,} values")
    try:
        values = np.array(msgspec.json.decode(data, type=_json_type(dtype, len(shape), data)), _exact(dtype))
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as cause:
        raise InvalidData(f"input {name!r}: data: {why_unreadable(cause)}") from None
    if values.shape not in (shape, (expected,)):
        raise InvalidData(
            f"input {name!r}: data has shape {list(values.shape)[:8]}, but the tensor {list(shape)}; flat data is "
            "also accepted"
        )
    with np.errstate(over="ignore"):
        own = values.astype(dtype)
    if dtype.kind == "f" and not np.isfinite(own).all():
        raise InvalidData(f"input {name!r}: data has a number too large for its datatype")
    return own


def _exact(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that JSON values are first decoded to. Numbers with a fraction are float64."""
    return np.dtype(np.float64) if dtype.kind == "f" else dtype


def _json_type(dtype: np.dtype[Any], axes: int, data: bytes) -> Any:
    """Return the type msgspec expects: a flat list, or one nested as a tensor with this number of axes."""
    kind: Any = list[_json_value(dtype)]  # type: ignore[misc]
    if data.lstrip()[1:].lstrip()[:1] == b"[":
        for _ in range(axes - 1):
            kind = list[kind]
    return kind


def _json_value(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return bool
    if dtype.kind == "f":
        return float
    limits = np.iinfo(dtype)
    # msgspec's limits must be within int64; numpy refuses larger numbers than a uint64
    most = None if dtype == np.uint64 else int(limits.max)
    return Annotated[int, msgspec.Meta(ge=int(limits.min), le=most)]


def as_bytes(values: npt.NDArray[Any]) -> bytes:
    """Return values as bytes, little-endian and row by row."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def as_json(values: npt.NDArray[Any], most_bytes: int) -> bytes | None:
    """Return values as a flat JSON array, None if it has more than ``most_bytes``. All values must be finite."""
    flat, parts, size = values.reshape(-1), list[bytes](), 2
    for start in range(0, flat.size, _JSON_STEP):
        parts.append(msgspec.json.encode(flat[start : start + _JSON_STEP].tolist())[1:-1])
        size += len(parts[-1]) + 1
        if size > most_bytes:
            return None
    return b"[" + b",".join(parts) + b"]"
