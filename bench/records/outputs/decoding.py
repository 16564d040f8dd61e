"""How a model's outputs are read: the settings of a task, as sent to workers and stored in a Run."""

from typing import Annotated, Literal

import msgspec

from edge_bench.bench.io.record_codec import BoundedStr, NonNegativeInt, PackedArray, PositiveInt

__all__ = ["BoxDecoding", "Decoding", "MaskDecoding", "ScoreDecoding", "TensorDecoding"]

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class TensorDecoding(msgspec.Struct, frozen=True, kw_only=True, tag="tensor"):
    """Outputs are numbers without a meaning."""


class ScoreDecoding(msgspec.Struct, frozen=True, kw_only=True, tag="scores"):
    """One output has the values of each example, in order; other outputs are ignored."""

    output: NonNegativeInt = 0  # its index


class MaskDecoding(msgspec.Struct, frozen=True, kw_only=True, tag="segment"):
    """One output has the class of each pixel, or scores of the classes."""

    output: NonNegativeInt = 0  # its index
    classes: PositiveInt
    axis: Literal["last", "first", "none"]  # the axis of the classes; none: the output has class indices


class BoxDecoding(msgspec.Struct, frozen=True, kw_only=True, tag="detect"):
    """Outputs are boxes, as an operator of the graph returns them or as a head of YOLO."""

    form: Literal["postprocess", "yolo"]
    order: BoundedStr = ""  # of the four outputs of TFLite_Detection_PostProcess: boxes,classes,scores,number
    output: NonNegativeInt = 0  # index of the head
    boxes_first: bool = False  # shape [1, boxes, numbers] instead of [1, numbers, boxes]
    objectness: bool = False
    classes: NonNegativeInt = 0
    pixels: bool = False  # coordinates are pixels of the input, not fractions of its sides
    score_threshold: _Share = 0.001
    iou_threshold: _Share = 0.45
    letterbox: bool = False  # images keep their proportions, with borders; otherwise they fill the input
    input_size: tuple[PositiveInt, PositiveInt] = (1, 1)  # width and height of the input in pixels
    sizes: PackedArray | None = None  # width and height of each image in pixels, [2 × images]; not stored in a Run


Decoding = TensorDecoding | ScoreDecoding | MaskDecoding | BoxDecoding
