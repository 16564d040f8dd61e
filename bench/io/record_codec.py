"""Records as JSON with schema versions, and compact arrays inside them.

History of the schema. All records share one version. Its major number changes if old readers would misread a record.
1.0  first version: Bundle manifest, history, Run, Comparison
1.1  sensor readings of each trial, trust in a Run; agreement across machines and attribution in a Comparison
1.2  other people's models and data: bundles without labels or history, preprocessing by channel, top-5, pixel checksums
1.3  Offload; concurrent runs among the findings; number of workers that trained together
2.0  standard names for fields (RENAMED_FIELDS); records of 1.x are still read
"""

import base64
import binascii
import contextlib
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
from edge_bench.bench.io.record_limits import readable_json

__all__ = [
    "MAX_INT64",
    "MAX_PACKED",
    "MAX_RECORD_BYTES",
    "MAX_RUN_BYTES",
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
    "major_version",
    "pack",
    "read_record",
    "refuse_version",
    "unpack",
    "with_new_names",
]  # fmt: skip

SCHEMA_VERSION = "2.0"
_MAJOR, _OLDEST_MAJOR = 2, 1
#: Names of fields before 2.0, and their present names.
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
# a key follows a brace or a comma; quotation marks inside JSON strings are escaped, so only keys match
_OLD_FIELD = re.compile(rb'([{,]\s*)"(' + b"|".join(RENAMED_FIELDS) + rb')"(?=\s*:)')
#: The manifest of a bundle with 65,535 classes takes about 3 MB.
MAX_RECORD_BYTES = 32 << 20
#: A Run of 9 configurations with 30 trials of 10,000 latencies each takes about 5 MB.
MAX_RUN_BYTES = 256 << 20
#: Maximum number of values in a packed array. It limits the memory that a damaged or hostile file can take.
MAX_PACKED = 1 << 24

# limits of fields, checked while a file is decoded
MAX_INT64 = (1 << 63) - 1
NonNegativeInt = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT64)]
PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=MAX_INT64)]
BoundedStr = Annotated[str, msgspec.Meta(max_length=65_536)]
Length = msgspec.Meta(max_length=4096)
BoundedNames = Annotated[list[BoundedStr], msgspec.Meta(max_length=65_536)]  # classes have numbers of 16 bits

RecordType = TypeVar("RecordType")


class _Versioned(msgspec.Struct):
    schema_version: str


def encode_record(record: msgspec.Struct, limit: int = MAX_RECORD_BYTES) -> bytes:
    """Return a record of the current schema as indented UTF-8 JSON with a final newline, which can be read back.

    Texts that are too long are shortened. Raise BadInput if the record cannot be read back for another reason, or takes
    more than ``limit`` bytes.
    """
    noun = type(record).__name__.lower()
    try:
        data = msgspec.json.format(readable_json(as_current(record))[1], indent=1) + b"\n"
    except ValueError as cause:
        raise BadInput(f"this {noun} could not be read back, so it was not written: {_first_line(cause)}") from None
    if len(data) > limit:
        raise BadInput(f"this {noun} takes {len(data):,} bytes, more than the {limit:,} that can be read back")
    return data


def decode_record(
    path: Path, kind: type[RecordType], error: type[BadInput], remedy: str, limit: int = MAX_RECORD_BYTES
) -> RecordType:
    """Read a record, ignoring unknown fields.

    Raise ``error`` with the path, the problem and ``remedy`` if the file is not such a record, is larger than ``limit``
    bytes, or has a major schema version that is not supported.
    """
    return read_record(path, kind, error, remedy, limit)[0]


def read_record(
    path: Path, kind: type[RecordType], error: type[BadInput], remedy: str, limit: int = MAX_RECORD_BYTES
) -> tuple[RecordType, str]:
    """Read a record as ``decode_record`` does; return it with the SHA-256 of the bytes that were decoded."""
    noun = kind.__name__.lower()
    try:
        data = read_bounded(path, limit)
    except FileNotFoundError:
        raise error(f"{path}: no such file", remedy) from None
    except (OSError, ValueError) as cause:
        raise error(f"{path}: cannot be read: {why_unreadable(cause)}", remedy) from None
    digest = hashlib.sha256(data).hexdigest()
    # decoding a large file takes long, so a file of the current version is decoded only once
    with contextlib.suppress(ValueError, RecursionError, MemoryError):  # includes msgspec's and Unicode's errors
        record = msgspec.json.decode(data, type=kind)
        if major_version(record.schema_version) == _MAJOR:  # type: ignore[attr-defined]
            return record, digest
    try:
        version = msgspec.json.decode(data, type=_Versioned).schema_version
        major = major_version(version)
    except (ValueError, RecursionError) as cause:
        raise error(f"{path}: not a {noun} of edge-bench: {_first_line(cause)}", remedy) from None
    refuse_version(path, version, noun, error)
    try:
        return msgspec.json.decode(data if major == _MAJOR else with_new_names(data), type=kind), digest
    except (ValueError, RecursionError, MemoryError) as cause:
        raise error(f"{path}: invalid or truncated {noun}: {_first_line(cause)}", remedy) from None


def major_version(version: str) -> int:
    """Return 2 for ``2.0``. Raise ValueError if it is not a schema version."""
    if not re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,4}", version):
        raise ValueError(f"{version[:20]!r} is not a schema version")
    return int(version.split(".", maxsplit=1)[0])


def refuse_version(path: Path, version: str, noun: str, error: type[BadInput]) -> None:
    """Raise ``error`` if this edge-bench does not read that schema version."""
    major = major_version(version)
    if not _OLDEST_MAJOR <= major <= _MAJOR:
        age, advice = ("newer", "update edge-bench") if major > _MAJOR else ("older", "create it again")
        raise error(
            f"{path}: {noun} has schema version {version}, {age} than this edge-bench reads "
            f"({_OLDEST_MAJOR}.x to {_MAJOR}.x)",
            advice,
        )


def with_new_names(data: bytes) -> bytes:
    """Return JSON of schema 1.x with the field names of 2.0; return JSON of 2.0 unchanged."""
    return _OLD_FIELD.sub(lambda match: b'%s"%s"' % (match[1], RENAMED_FIELDS[match[2]]), data)


def as_current(record: RecordType) -> RecordType:
    """Return the record with the current schema version, in which it will be written."""
    return msgspec.structs.replace(record, schema_version=SCHEMA_VERSION)  # type: ignore[type-var]


def _first_line(cause: BaseException) -> str:
    return (str(cause).splitlines() or [type(cause).__name__])[0][:200]


class PackedArray(msgspec.Struct, frozen=True):
    """A one-dimensional array of unsigned integers: byte planes, deflated, base64.

    The latencies of a configuration differ only in their low bytes. Storing all first bytes, then all second bytes
    and so on therefore halves the deflated size.
    """

    dtype: BoundedStr
    length: Annotated[int, msgspec.Meta(ge=0, le=MAX_PACKED)]
    data: str


#: The types of packed values, as they are in the file. A Run may have 100,000 arrays, and this is done for each.
_PACKABLE = {name: np.dtype(name).newbyteorder("<") for name in ("uint8", "uint16", "uint32", "uint64")}


def pack(values: npt.ArrayLike) -> PackedArray:
    """Pack non-negative integers, shape [n], as the smallest unsigned type that fits; raise ValueError for others."""
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
    """Return the packed array, shape [length].

    Raise ValueError if the data is not exactly ``length`` values. Never inflate more than these.
    """
    if packed.dtype not in _PACKABLE or not 0 <= packed.length <= max_length:
        raise ValueError(f"not a packed array: {packed.length} values of {packed.dtype!r}")
    dtype = _PACKABLE[packed.dtype]
    size = packed.length * dtype.itemsize
    inflater = zlib.decompressobj()
    try:
        planes = inflater.decompress(binascii.a2b_base64(packed.data, strict_mode=True), size + 1)
    except (zlib.error, ValueError) as cause:
        raise ValueError(f"a packed array is damaged: {cause}") from None
    if len(planes) != size or not inflater.eof:
        raise ValueError("a packed array is damaged: its length is wrong")
    table = np.frombuffer(planes, np.uint8).reshape(dtype.itemsize, packed.length).T
    return np.ascontiguousarray(table).view(dtype).reshape(-1).astype(packed.dtype, copy=False)
