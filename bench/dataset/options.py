"""The user's options about the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CLASS_ORDERS", "DataOptions"]

#: How classes that are known by name only get their outputs; values of --class-order.
CLASS_ORDERS = ("alphabetical", "natural", "number")


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
    exif_orientation: bool = False
    image_size: tuple[int, int] | None = None
    skip_broken: bool = False
    assume: bool = False  # take the most accurate interpretation where none is clearly better
