"""Sizes of open axes, as a user states them: ``tokens=1x128``."""

import dataclasses
import math
import re
from collections.abc import Sequence

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.specs import InputSpec, by_name, names_shown, shown_shape
from edge_bench.bench.io.npy import MAX_AXES

__all__ = ["parse_shape", "with_shapes"]

#: Values of an input of this size take 8 GB as float64.
MAX_VALUES = 1 << 30
_SHAPE = re.compile(r"[0-9]{1,10}(?:[x×][0-9]{1,10})*", re.ASCII)


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of a setting such as ``tokens=1x128``; the name may contain ``=``.

    Raise BadInput if it has no name, or no sizes from 1 with an x between them.
    """
    name, separator, sizes = text.rpartition("=")
    if not separator or not name or not _SHAPE.fullmatch(sizes):
        raise BadInput(f"{text[:80]!r} is no shape of an input", "write NAME=SIZExSIZE, such as tokens=1x128")
    shape = tuple(int(size) for size in re.split("[x×]", sizes))
    if 0 in shape or len(shape) > MAX_AXES or math.prod(shape) > MAX_VALUES:
        raise BadInput(
            f"{text[:80]!r} has {math.prod(shape):,} values on {len(shape)} axes",
            f"state sizes from 1, {MAX_VALUES:,} values at most",
        )
    return name, shape


def with_shapes(inputs: Sequence[InputSpec], settings: Sequence[str]) -> list[InputSpec]:
    """Return the inputs with the stated shapes in place of open axes.

    Raise BadInput if a setting is not one, names no input or one twice, or differs from a size that is not open.
    """
    known, stated = by_name(inputs), dict[str, tuple[int, ...]]()
    for text in settings:
        name, shape = parse_shape(text)
        if name not in known:
            raise BadInput(f"--shape {text[:80]}: no input has this name", f"the inputs are {names_shown(known)}")
        own = known[name].shape
        if name in stated:
            raise BadInput(f"--shape {text[:80]}: the shape of this input is stated twice", "state it once")
        if len(shape) != len(own) or any(size not in (-1, given) for size, given in zip(own, shape, strict=True)):
            raise BadInput(
                f"--shape {text[:80]}: the input has shape {shown_shape(own)}",
                "only the axes shown as ? can be set" if -1 in own else "none of its axes can be set",
            )
        stated[name] = shape
    return [
        dataclasses.replace(each, shape=stated[each.name], has_batch_axis=_has_batch_axis(each))
        if each.name in stated
        else each
        for each in inputs
    ]


def _has_batch_axis(spec: InputSpec) -> bool:
    """Return whether the first axis is the examples, decided before an open one gets a size.

    The size of the only axis is that of an example.
    """
    return len(spec.example_shape) < len(spec.shape) and len(spec.shape) > 1
