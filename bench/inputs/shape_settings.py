"""Sizes of open axes that the user states: ``tokens=1x128``."""

import dataclasses
import math
import re
from collections.abc import Sequence

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.specs import InputSpec, by_name, names_shown, shown_shape
from edge_bench.bench.io.npy import MAX_AXES
from edge_bench.bench.wording import counted

__all__ = ["parse_shape", "with_shapes"]

#: An input with this many values takes 8 GB as float64.
MAX_VALUES = 1 << 30
_SHAPE = re.compile(r"[0-9]{1,10}(?:[x×][0-9]{1,10})*", re.ASCII)


def parse_shape(text: str) -> tuple[str, tuple[int, ...]]:
    """Return name and shape of a setting such as ``tokens=1x128``; the name may contain ``=``.

    Raise BadInput without a name, or without sizes from 1 separated by x.
    """
    name, separator, sizes = text.rpartition("=")
    if not separator or not name or not _SHAPE.fullmatch(sizes):
        raise BadInput(f"{text[:80]!r} is not a shape of an input", "use NAME=SIZExSIZE, such as tokens=1x128")
    shape = tuple(int(size) for size in re.split("[x×]", sizes))
    if 0 in shape or len(shape) > MAX_AXES or math.prod(shape) > MAX_VALUES:
        raise BadInput(
            f"{text[:80]!r} has {counted(math.prod(shape), 'value')} on {counted(len(shape), 'axis')}",
            f"use sizes from 1, with at most {MAX_VALUES:,} values",
        )
    return name, shape


def with_shapes(inputs: Sequence[InputSpec], settings: Sequence[str]) -> list[InputSpec]:
    """Return the inputs with open axes replaced by the stated shapes.

    Raise BadInput if a setting is invalid, names no input or repeats one, or differs from a size that is not open.
    """
    known, stated = by_name(inputs), dict[str, tuple[int, ...]]()
    for text in settings:
        name, shape = parse_shape(text)
        if name not in known:
            raise BadInput(f"--shape {text[:80]}: no input has this name", f"the inputs are {names_shown(known)}")
        own = known[name].shape
        if name in stated:
            raise BadInput(f"--shape {text[:80]}: this input has two shapes", "set it once")
        if len(shape) != len(own) or any(size not in (-1, given) for size, given in zip(own, shape, strict=True)):
            raise BadInput(
                f"--shape {text[:80]}: does not fit the input's shape {shown_shape(own)}",
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
    """Return whether the first axis is the examples. It is called before an open axis gets a size.

    If an input has only one axis, that is the size of an example.
    """
    return len(spec.example_shape) < len(spec.shape) and len(spec.shape) > 1
