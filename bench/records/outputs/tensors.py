"""Outputs of any model, as stored in a Run: some examples whole, a checksum of each, and statistics of all."""

import math
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.npy import MAX_AXES
from edge_bench.bench.io.record_codec import (
    MAX_INT64,
    MAX_PACKED,
    BoundedStr,
    NonNegativeInt,
    PackedArray,
    pack,
    unpack,
)
from edge_bench.bench.records.tensor_spec import TensorSpec

__all__ = [
    "MAX_SHAPES",
    "NUMBER_TYPES",
    "OutputRecord",
    "OutputStatistics",
    "PackedValues",
    "check_output",
    "pack_values",
    "unpack_values",
]

#: Types of outputs: numbers and booleans, no strings and no complex numbers.
NUMBER_TYPES = frozenset(
    ("bool", "float16", "float32", "float64", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
)
#: Limit on different shapes of the stored examples of an output.
MAX_SHAPES = 4096
Size = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT64)]
Shape = Annotated[list[Size], msgspec.Meta(max_length=MAX_AXES)]


class PackedValues(msgspec.Struct, frozen=True):
    """A one-dimensional array of numbers of any type: its bits as unsigned integers of the same size."""

    dtype: BoundedStr
    bits: PackedArray


class OutputStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of an output over all examples, in real units. Mean, deviation and range are of the finite values."""

    values: NonNegativeInt
    nan: NonNegativeInt = 0
    infinite: NonNegativeInt = 0
    zeros: NonNegativeInt = 0
    minimum: float | None = None  # None: no value is finite
    maximum: float | None = None
    mean: float | None = None  # None also if it is too large for a float64
    deviation: float | None = None  # standard deviation of the population


class OutputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One output of a configuration, in the order of its examples.

    The values of the first examples are stored, one after the other: all values of an example, or those at
    `kept_positions` if it has more than ``most_values``.
    """

    name: BoundedStr
    spec: TensorSpec  # of the output, with its scale and zero point
    checksums: PackedArray  # CRC-32 of each example's shape and bytes
    shapes: Annotated[list[Shape], msgspec.Meta(max_length=MAX_SHAPES)]  # that stored examples have
    shape_numbers: PackedArray  # index in ``shapes`` of each stored example
    most_values: NonNegativeInt
    values: PackedValues
    statistics: OutputStatistics

    @property
    def examples(self) -> int:
        """Number of examples."""
        return self.checksums.length

    @property
    def stored(self) -> int:
        """Number of examples, from the first on, whose values are stored."""
        return self.shape_numbers.length

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many values of each stored example are stored."""
        kept = [min(math.prod(shape), self.most_values) for shape in self.shapes]
        return np.array(kept, np.int64)[unpack(self.shape_numbers).astype(np.int64)]


def pack_values(values: npt.NDArray[Any]) -> PackedValues:
    """Pack numbers of one of NUMBER_TYPES, shape [n]; raise ValueError for others."""
    if values.ndim != 1 or values.dtype.name not in NUMBER_TYPES:
        raise ValueError(f"{values.dtype} of {values.ndim} axes cannot be packed")
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return PackedValues(dtype=values.dtype.name, bits=pack(native.view(f"u{values.itemsize}")))


def unpack_values(packed: PackedValues, *, max_length: int = MAX_PACKED) -> npt.NDArray[Any]:
    """Return the packed numbers, shape [n]; raise ValueError if they are damaged."""
    if packed.dtype not in NUMBER_TYPES:
        raise ValueError(f"packed values of unsupported type {packed.dtype[:20]!r}")
    dtype = np.dtype(packed.dtype)
    bits = unpack(packed.bits, max_length=max_length)
    if bits.itemsize > dtype.itemsize or (dtype.kind == "b" and bits.max(initial=0) > 1):
        raise ValueError(f"packed values that are not {packed.dtype}")
    return bits.astype(f"u{dtype.itemsize}").view(dtype)


def check_output(output: OutputRecord, examples: int) -> None:
    """Raise ValueError if a record of this number of examples is not consistent."""
    if output.examples != examples or output.stored > examples:
        raise ValueError(f"{output.name[:80]}: {output.examples:,} examples instead of {examples:,}")
    if output.spec.dtype not in NUMBER_TYPES or output.values.dtype != output.spec.dtype:
        raise ValueError(f"{output.name[:80]}: values of unsupported type {output.values.dtype[:20]!r}")
    if not math.isfinite(output.spec.scale):
        raise ValueError(f"{output.name[:80]}: its scale is not finite")
    if output.stored and int(unpack(output.shape_numbers).max()) >= len(output.shapes):
        raise ValueError(f"{output.name[:80]}: a shape is not listed")
    if unpack(output.checksums).itemsize > 4:
        raise ValueError(f"{output.name[:80]}: a checksum of more than 32 bits")
    if output.stored and sum(map(int, output.sizes())) != output.values.bits.length:
        raise ValueError(f"{output.name[:80]}: {output.values.bits.length:,} values do not fit its shapes")
