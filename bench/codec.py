"""The JSON form of every record: schema versions, clear refusals, and arrays packed small.

History of the schema (one number for all records; the part before the dot changes when old readers would be wrong):
1.0  the first: Bundle manifest, history, Run, Comparison
1.1  what was around each trial and whether to trust the Run; agreement across machines and attribution in a Comparison
1.2  anyone's models and data: bundles without labels or history, preprocessing by channel, top-5, pixel checksums
"""

import base64
import zlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from bench.errors import BadInput
from bench.files import read_bounded

__all__ = ["SCHEMA_VERSION", "PackedArray", "decode_record", "encode_record", "pack", "unpack"]

SCHEMA_VERSION = "1.2"
_MAJOR = int(SCHEMA_VERSION.split(".", maxsplit=1)[0])
#: A Run of 9 configurations, 30 trials of 10,000 latencies each, takes about 5 MB.
MAX_RECORD_BYTES = 512 << 20

RecordType = TypeVar("RecordType")


class _Versioned(msgspec.Struct):
    schema_version: str


def encode_record(record: msgspec.Struct) -> bytes:
    """A record as indented UTF-8 JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def decode_record(path: Path, kind: type[RecordType], error: type[BadInput], remedy: str) -> RecordType:
    """Reads one record; unknown fields are ignored, a newer major schema version is refused.

    Raises ``error``, with the path, what was expected and ``remedy``.
    """
    noun = kind.__name__.lower()
    try:
        data = read_bounded(path, MAX_RECORD_BYTES)
    except FileNotFoundError:
        raise error(f"{path}: there is no such file", remedy) from None
    except (OSError, ValueError) as cause:
        raise error(f"{path}: cannot be read: {getattr(cause, 'strerror', None) or cause}", remedy) from None
    try:
        stated = msgspec.json.decode(data, type=_Versioned).schema_version
        major = int(stated.split(".")[0])
    except (msgspec.DecodeError, ValueError, RecursionError) as cause:
        raise error(f"{path}: not a {noun} of edge-bench: {_short(cause)}", remedy) from None
    if major != _MAJOR:
        age, advice = ("newer", "update edge-bench") if major > _MAJOR else ("older", "write it anew")
        raise error(
            f"{path}: {noun} has schema version {stated[:20]}, {age} than this edge-bench reads ({_MAJOR}.x)",
            advice,
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise error(f"{path}: not a whole {noun}: {_short(cause)}", remedy) from None


def _short(cause: BaseException) -> str:
    return str(cause).splitlines()[0][:200]


class PackedArray(msgspec.Struct, frozen=True):
    """A one-dimensional array of unsigned integers: byte planes, deflated, base64.

    Latencies of one configuration differ in their low bytes only, so storing all first bytes, then all second
    bytes and so on halves what deflate makes of them.
    """

    dtype: str
    length: int
    data: str


_PACKABLE = {"uint8", "uint16", "uint32", "uint64"}


def pack(values: npt.ArrayLike) -> PackedArray:
    """Packs non-negative integers, shape [n], into the smallest unsigned type that holds them all."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError("only one-dimensional arrays of integers are packed")
    if array.size and array.min() < 0:
        raise ValueError("only non-negative integers are packed")
    dtype = np.min_scalar_type(int(array.max())) if array.size else np.dtype("uint8")
    planes = array.astype(dtype.newbyteorder("<")).view(np.uint8).reshape(-1, dtype.itemsize).T
    deflated = zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)
    return PackedArray(dtype=dtype.name, length=int(array.size), data=base64.b64encode(deflated).decode("ascii"))


def unpack(packed: PackedArray, *, max_length: int = 100_000_000) -> npt.NDArray[Any]:
    """The array that was packed, shape [length].

    Raises ValueError for data that does not hold exactly ``length`` values; never inflates past that size.
    """
    if packed.dtype not in _PACKABLE or not 0 <= packed.length <= max_length:
        raise ValueError(f"not a packed array: {packed.length} values of {packed.dtype!r}")
    dtype = np.dtype(packed.dtype).newbyteorder("<")
    size = packed.length * dtype.itemsize
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(base64.b64decode(packed.data, validate=True), size + 1)
    except (zlib.error, ValueError) as cause:
        raise ValueError(f"a packed array is damaged: {cause}") from None
    if len(planes) != size or not inflater.eof:
        raise ValueError("a packed array is damaged: its length is wrong")
    table = np.frombuffer(planes, np.uint8).reshape(dtype.itemsize, packed.length).T
    return np.ascontiguousarray(table).view(dtype).reshape(-1).astype(packed.dtype)
