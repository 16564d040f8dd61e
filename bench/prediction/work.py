"""Work of a model's operators, in the classes whose speed is predicted."""

from typing import Literal

import msgspec

__all__ = ["CLASSES", "Kind", "OperatorWork"]

#: Classes with a peak of their own, in the order of their parameters, and operators that only move values.
CLASSES = ("first_convolution", "convolution", "pointwise", "depthwise", "dense", "element_by_element")
Kind = Literal["first_convolution", "convolution", "pointwise", "depthwise", "dense", "element_by_element"]


class OperatorWork(msgspec.Struct, frozen=True):
    """Work of one operator in one inference."""

    kind: Kind
    macs: float  # multiply-accumulates
    weight_bytes: float  # constants that it reads
    activation_bytes: float  # computed tensors that it reads and writes
    cycles: float = 0.0  # of one core, besides; more threads do not shorten them
