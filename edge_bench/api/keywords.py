"""Keywords of data options, and their values in the form of the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from edge_bench.api.loading import AnyPath

__all__ = ["DataKeywords", "stated_data"]

#: Shape of an input by its name, or texts such as ``tokens=1x128``.
Shapes: TypeAlias = Mapping[str, Sequence[int]] | Sequence[str]
#: Lowest and highest random value of an input by its name, or texts such as ``tokens=0..9999``.
Ranges: TypeAlias = Mapping[str, tuple[float, float]] | Sequence[str]
_PATHS = ("data", "labels", "classes", "label_names", "mask_values")


class DataKeywords(TypedDict, total=False):
    """Data options of ``edge-bench run`` and ``edge-bench export``, by keyword.

    ``edge-bench run --help`` describes each: ``class_order`` is ``--class-order``. An option that is missing or None
    has its default.
    """

    assume: bool
    channel_order: str | None
    class_axis: str | None
    class_order: str | None
    classes: AnyPath | None
    coordinates: str | None
    crop: float | None
    exif_orientation: bool
    head: str | None
    ignore_mask_values: str | int | Sequence[int] | None
    image_size: str | int | tuple[int, int] | None
    interpolation: str
    iou_threshold: float | None
    label_column: str | int | None
    label_names: AnyPath | None
    label_offset: int | None
    letterbox: bool
    mask_values: AnyPath | None
    offset: float | Sequence[float] | None
    output: str | int | None
    output_order: str | None
    preprocess: str | None
    range: Ranges | None
    sample_rate: int | None
    scale: float | Sequence[float] | None
    score_threshold: float | None
    shape: Shapes | None
    signature: str | None
    skip_broken: bool
    squash: bool
    threshold: float | None


def stated_data(keywords: Mapping[str, Any], **main: Any) -> dict[str, Any]:
    """Return the options that are set, with the names and values of the command line.

    ``main`` has the function's own keywords: data, labels and task. Raise TypeError for an unknown keyword.
    """
    if unknown := keywords.keys() - DataKeywords.__annotations__.keys():
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    said = {name: value for name, value in {**main, **keywords}.items() if value is not None}
    said |= {name: Path(said[name]) for name in _PATHS if name in said}
    said |= {name: str(said[name]) for name in ("label_column", "output") if name in said}
    if not isinstance(ignored := said.get("ignore_mask_values", ""), str):
        said["ignore_mask_values"] = ",".join(map(str, ignored if isinstance(ignored, Sequence) else [ignored]))
    for name, separator in (("shape", "x"), ("range", "..")):
        if isinstance(texts := said.get(name), Mapping):
            said[name] = [f"{key}={separator.join(map(str, values))}" for key, values in texts.items()]
    return said
