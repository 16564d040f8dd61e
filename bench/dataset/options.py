"""The user's options about the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BOX_CLASS_ORDERS", "CLASS_AXES", "CLASS_ORDERS", "COORDINATES", "HEADS", "TASK_NAMES", "DataOptions"]

#: How classes known only by name are assigned to outputs; values of --class-order.
CLASS_ORDERS = ("alphabetical", "natural", "number")
#: Values of --task.
TASK_NAMES = ("classify", "binary", "multilabel", "regress", "detect", "segment", "tensor")
#: How a detector's classes number the categories of true boxes; also values of --class-order.
BOX_CLASS_ORDERS = ("id", "id-after-background")
#: Values of --head, --coordinates and --class-axis.
HEADS, COORDINATES, CLASS_AXES = ("yolov5", "yolov8"), ("pixels", "shares"), ("first", "last")


@dataclass(frozen=True)
class DataOptions:
    """The user's options about the data; None means not stated."""

    data: Path | None = None
    labels: Path | None = None
    label_column: str | None = None
    classes: Path | None = None
    label_names: Path | None = None
    class_order: str | None = None
    label_offset: int | None = None
    threshold: float | None = None
    preprocess: str | None = None
    scale: Sequence[float] | None = None
    offset: Sequence[float] | None = None
    channel_order: str | None = None
    crop: float | None = None
    interpolation: str = "bilinear"
    squash: bool = False
    exif_orientation: bool | None = None
    image_size: tuple[int, int] | None = None
    skip_broken: bool = False
    assume: bool = False  # use the most accurate interpretation if none is clearly better
    task: str | None = None
    signature: str = ""
    shapes: Sequence[str] = ()  # NAME=1x128
    ranges: Sequence[str] = ()  # NAME=LOW..HIGH
    sample_rate: int | None = None  # samples per second of sounds
    output: str | None = None  # name or number of the output that has the values
    letterbox: bool = False
    head: str | None = None
    coordinates: str | None = None
    output_order: str | None = None
    score_threshold: float | None = None
    iou_threshold: float | None = None
    class_axis: str | None = None
    mask_values: Path | None = None
    ignore_mask_values: str | None = None
