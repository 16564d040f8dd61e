"""Type and shape of an input or output."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from edge_bench.bench.io.npy import MAX_AXES
from edge_bench.bench.io.record_codec import MAX_INT64, BoundedStr

__all__ = ["TensorSpec", "has_batch_axis"]


class TensorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A model's input or output: real value = (stored - zero_point) × scale, unless scale is 0 (not quantized)."""

    dtype: BoundedStr
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=-1, le=MAX_INT64)]], msgspec.Meta(max_length=MAX_AXES)]
    scale: float = 0.0
    zero_point: Annotated[int, msgspec.Meta(ge=-MAX_INT64, le=MAX_INT64)] = 0
    name: BoundedStr = ""  # empty if the model has one input, or one output, and its name does not matter


def has_batch_axis(shape: Sequence[int]) -> bool:
    """Return whether the first axis of an input is the examples: it is open, or has size 1 beside others.

    An input with one axis of fixed size is one example.
    """
    return bool(shape) and (shape[0] == -1 or (shape[0] == 1 and len(shape) > 1))
