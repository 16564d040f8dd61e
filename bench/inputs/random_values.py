"""Seeded random inputs, in ranges that the user states: ``tokens=0..9999``."""

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec, by_name, combined_digest, names_shown
from edge_bench.bench.inputs.stored import PART_VALUES, stored_rows
from edge_bench.bench.io.files import sha256_of

__all__ = ["ValueRange", "parse_range", "random_graph_inputs"]

Number = int | float
#: Requires digits on both sides of a point, because ``0...5`` could be read in two ways.
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})", re.ASCII)
_LONGEST = 60
#: Types whose pixels and quantized values use the whole range. Other integers may be indices of tables.
_WHOLE_RANGE = ("uint8", "int8", "bool")


class ValueRange(NamedTuple):
    """The lowest and highest value; whole numbers if they are written as such."""

    low: Number
    high: Number


def parse_range(text: str) -> tuple[str, ValueRange]:
    """Return name and range of a setting such as ``tokens=0..9999`` or ``x=-1..1``; both ends are included.

    Raise BadInput without a name or two finite numbers, the first of which is not above the second.
    """
    name, separator, ends = text.rpartition("=")
    match = _RANGE.fullmatch(ends) if separator and name and len(ends) <= _LONGEST else None
    if match is None:
        raise BadInput(f"{text[:80]!r} is not a range of an input", "use NAME=LOW..HIGH, such as tokens=0..9999")
    low, high = (int(end) if re.fullmatch(r"[+-]?[0-9]+", end) else float(end) for end in match.groups())
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise BadInput(
            f"{text[:80]!r}: the first number is above the second, or infinite", "write the lower number first"
        )
    return name, ValueRange(low, high)


def random_graph_inputs(inputs: Sequence[InputSpec], settings: Sequence[str], examples: int, seed: int) -> GraphInputs:
    """Return seeded random values for each input, evenly distributed over its range.

    Without a stated range, floats are from 0 to 1, and 8-bit integers and booleans from their whole range. Other
    integers need a range, because they may be indices, and a wrong index would stop the model. The first examples are
    the same for every number of examples. Raise BadInput if a range is missing, impossible for the type, or names no
    input, or if a shape is unknown.
    """
    ranges = _ranges(inputs, settings)
    arrays, shapes, digests = dict[str, Path](), dict[str, tuple[int, ...]](), []
    for spec in inputs:
        shape = shapes[spec.name] = spec.known_shape
        parts = _parts(spec, ranges[spec.name], examples * math.prod(shape), seed)
        path = arrays[spec.name] = stored_rows("random", (examples, *shape), spec.type, parts)
        digests.append((spec.name, sha256_of(path)))
    notes = tuple(
        f"{spec.name}: random values from {ranges[spec.name].low} to {ranges[spec.name].high}, seed {seed}"
        for spec in inputs
    )
    return GraphInputs(arrays, shapes, examples, combined_digest(digests), notes)


def _ranges(inputs: Sequence[InputSpec], settings: Sequence[str]) -> dict[str, ValueRange]:
    known, stated = by_name(inputs), dict[str, ValueRange]()
    for text in settings:
        name, given = parse_range(text)
        if name not in known:
            raise BadInput(f"--range {text[:80]}: no input has this name", f"the inputs are {names_shown(known)}")
        if name in stated:
            raise BadInput(f"--range {text[:80]}: this input has two ranges", "set it once")
        stated[name] = _fitted(given, known[name], text)
    return {spec.name: stated.get(spec.name) or _default(spec) for spec in inputs}


def _default(spec: InputSpec) -> ValueRange:
    kind = spec.type.kind
    if kind == "f":
        return ValueRange(0.0, 1.0)
    if spec.dtype not in _WHOLE_RANGE:
        raise BadInput(
            f"input {spec.name[:80]} is {spec.dtype}, and its valid values are unknown",
            f"set them, for example --range {spec.name[:80]}=0..9999",
        )
    return ValueRange(*_limits(spec))


def _limits(spec: InputSpec) -> tuple[Number, Number]:
    if spec.type.kind == "b":
        return 0, 1
    if spec.type.kind == "f":
        limits = np.finfo(spec.dtype)
        return float(limits.min), float(limits.max)
    whole = np.iinfo(spec.dtype)
    return int(whole.min), int(whole.max)


def _fitted(given: ValueRange, spec: InputSpec, text: str) -> ValueRange:
    """Return the range with whole ends for integers; raise BadInput if the type cannot represent its values."""
    least, greatest = _limits(spec)
    if spec.type.kind != "f":
        if any(end != math.floor(end) for end in given):
            raise BadInput(f"--range {text[:80]}: the input is {spec.dtype}", "use whole numbers")
        given = ValueRange(int(given.low), int(given.high))
    if not (least <= given.low and given.high <= greatest and math.isfinite(given.high - given.low)):
        raise BadInput(
            f"--range {text[:80]}: the input is {spec.dtype}, with values from {least} to {greatest}",
            "use a range within these",
        )
    return given


def _parts(spec: InputSpec, values: ValueRange, count: int, seed: int) -> Iterator[npt.NDArray[Any]]:
    """Yield ``count`` values in parts of PART_VALUES. The first ones are the same for every count."""
    generator = np.random.Generator(np.random.PCG64([seed, zlib.crc32(spec.name.encode("utf-8", "surrogateescape"))]))
    for start in range(0, count, PART_VALUES):
        yield _drawn(generator, spec.type, values, min(PART_VALUES, count - start))


def _drawn(generator: np.random.Generator, dtype: np.dtype[Any], values: ValueRange, size: int) -> npt.NDArray[Any]:
    if dtype.kind == "f":
        drawn = generator.random(size) * (values.high - values.low) + values.low
        return np.clip(drawn, values.low, values.high).astype(dtype)
    whole: Any = np.uint8 if dtype.kind == "b" else dtype
    low, high = int(values.low), int(values.high)
    result: npt.NDArray[Any] = generator.integers(low, high, size, whole, endpoint=True).astype(dtype)
    return result
