"""The JSON form of every record: schema versions, clear refusals, and arrays packed small.

History of the schema (one number for all records; the part before the dot changes when old readers would be wrong):
1.0  the first: Bundle manifest, history, Run, Comparison
1.1  what was around each trial and whether to trust the Run; agreement across machines and attribution in a Comparison
1.2  anyone's models and data: bundles without labels or history, preprocessing by channel, top-5, pixel checksums
1.3  Offload; other runs at the same time in the trust record; how many workers trained together
2.0  standard names for fields (RENAMED_FIELDS); records of 1.x are still read
"""

import base64
import hashlib
import re
import zlib
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_bounded, why_unreadable

__all__ = [
    "MAX_INT64",
    "MAX_PACKED",
    "MAX_RECORD_BYTES",
    "SCHEMA_VERSION",
    "BoundedNames",
    "BoundedStr",
    "Length",
    "NonNegativeInt",
    "PackedArray",
    "PositiveInt",
    "as_current",
    "decode_record",
    "encode_record",
    "pack",
    "read_record",
    "unpack",
    "with_new_names",
]  # fmt: skip

SCHEMA_VERSION = "2.0"
_MAJOR, _OLDEST_MAJOR = 2, 1
#: What fields were called before 2.0.
RENAMED_FIELDS = {
    b"place": b"sequence_number",
    b"places": b"image_positions",
    b"others_ns": b"other_cpu_ns",
    b"stolen_ns": b"steal_ns",
    b"first_ns": b"first_inference_ns",
    b"unseen": b"unseen_positions",
    b"of": b"total_images",
    b"in_top": b"in_top_5",
}
# a key follows a brace or a comma; inside a JSON string a quotation mark is escaped, so nothing else can match
_OLD_FIELD = re.compile(rb'([{,]\s*)"(' + b"|".join(RENAMED_FIELDS) + rb')"(?=\s*:)')
#: The manifest of a bundle with 65,535 classes takes some 3 MB.
MAX_RECORD_BYTES = 32 << 20
#: Values in one packed array: images of a pass, say. What a damaged or hostile file can make grow ends here.
MAX_PACKED = 1 << 24

# what fields hold at most, checked while a file is decoded
MAX_INT64 = (1 << 63) - 1
NonNegativeInt = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT64)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=MAX_INT64)]
BoundedStr = Annotated[str, msgspec.Meta(max_length=65_536)]
Length = msgspec.Meta(max_length=4096)
BoundedNames = Annotated[
    list[BoundedStr], msgspec.Meta(max_length=65_536)
]  # of classes, which are numbered with 16 bits

RecordType = TypeVar("RecordType")


class _Versioned(msgspec.Struct):
    schema_version: str


def encode_record(record: msgspec.Struct) -> bytes:
    """A record as indented UTF-8 JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def decode_record(
    path: Path, kind: type[RecordType], error: type[BadInput], remedy: str, limit: int = MAX_RECORD_BYTES
) -> RecordType:
    """Reads one record; unknown fields are ignored, a newer major schema version is refused.

    Raises ``error``, with the path, what was expected and ``remedy``; for a file of more than ``limit`` bytes, too.
    """
    return read_record(path, kind, error, remedy, limit)[0]


def read_record(
    path: Path, kind: type[RecordType], error: type[BadInput], remedy: str, limit: int = MAX_RECORD_BYTES
) -> tuple[RecordType, str]:
    """As ``decode_record``, and the SHA-256 of the very bytes that were decoded."""
    noun = kind.__name__.lower()
    try:
        data = read_bounded(path, limit)
    except FileNotFoundError:
        raise error(f"{path}: there is no such file", remedy) from None
    except (OSError, ValueError) as cause:
        raise error(f"{path}: cannot be read: {why_unreadable(cause)}", remedy) from None
    try:
        stated = msgspec.json.decode(data, type=_Versioned).schema_version
        major = int(stated.split(".")[0])
    except (ValueError, RecursionError) as cause:  # msgspec's own errors are ValueErrors, and so are Unicode's
        raise error(f"{path}: not a {noun} of edge-bench: {_short(cause)}", remedy) from None
    if not _OLDEST_MAJOR <= major <= _MAJOR:
        age, advice = ("newer", "update edge-bench") if major > _MAJOR else ("older", "write it anew")
        raise error(
            f"{path}: {noun} has schema version {stated[:20]}, {age} than this edge-bench reads ({_MAJOR}.x)",
            advice,
        )
    digest = hashlib.sha256(data).hexdigest()
    try:
        record = msgspec.json.decode(data if major == _MAJOR else with_new_names(data), type=kind)
        return as_current(record), digest
    except (ValueError, RecursionError, MemoryError) as cause:
        raise error(f"{path}: not a whole {noun}: {_short(cause)}", remedy) from None


def with_new_names(data: bytes) -> bytes:
    """Return JSON of schema 1.x with the field names of 2.0; JSON that has them already is returned as it is."""
    return _OLD_FIELD.sub(lambda found: b'%s"%s"' % (found[1], RENAMED_FIELDS[found[2]]), data)


def as_current(record: RecordType) -> RecordType:
    """Return the record with the schema version that it will be written with."""
    return msgspec.structs.replace(record, schema_version=SCHEMA_VERSION)  # type: ignore[type-var]


def _short(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:200]


class PackedArray(msgspec.Struct, frozen=True):
    """A one-dimensional array of unsigned integers: byte planes, deflated, base64.

    Latencies of one configuration differ in their low bytes only, so storing all first bytes, then all second
    bytes and so on halves what deflate makes of them.
    """

    dtype: BoundedStr
    length: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACKED)]
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


def unpack(packed: PackedArray, *, max_length: int = MAX_PACKED) -> npt.NDArray[Any]:
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
    return np.ascontiguousarray(table).view(dtype).reshape(-1).astype(packed.dtype, copy=False)
