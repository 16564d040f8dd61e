"""Options about the data as the user stated them, and their record."""

from collections.abc import Mapping
from typing import Any

from edge_bench.bench.dataset import options as known
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.random_values import parse_range
from edge_bench.bench.interpretation.graphs.graph_model import stated_shapes
from edge_bench.bench.measure.options.values import finite, image_size, numbers, one_of, within
from edge_bench.bench.preprocessing.presets import INTERPOLATIONS

__all__ = ["data_options"]

_CHOICES = {
    "interpolation": INTERPOLATIONS,
    "channel_order": ("rgb", "bgr"),
    "head": known.HEADS,
    "class_order": (*known.CLASS_ORDERS, *known.BOX_CLASS_ORDERS),
    "coordinates": known.COORDINATES,
    "class_axis": known.CLASS_AXES,
    "task": known.TASK_NAMES,
}
#: The command line has the same limits, with its own messages.
_LIMITS: dict[str, tuple[float, float | None]] = {
    "crop": (0.01, 1), "sample_rate": (1, None), "score_threshold": (0, 1), "iou_threshold": (0, 1),
}  # fmt: skip


def data_options(stated: Mapping[str, Any]) -> DataOptions:
    """Return options, given by their names on the command line such as ``image_size``, as a record.

    Raise BadInput for unknown values, and for options that need another option.
    """
    given = dict(stated)
    for name, values in _CHOICES.items():
        one_of(given.get(name), f"--{name.replace('_', '-')}", values)
    for name, limits in _LIMITS.items():
        within(given.get(name), f"--{name.replace('_', '-')}", *limits)
    # class names may come without --data: they name a model's classes, and random inputs have no labels
    names_only = given.get("classes") and given.get("task") is not None
    if given.get("data") is None and (
        given.get("labels") or given.get("label_names") or (given.get("classes") and not names_only)
    ):
        raise BadInput("--labels, --label-names and --classes need --data", "give the images with --data")
    finite(given.get("threshold"), "--threshold")
    given |= {name: numbers(given.get(name), f"--{name}") for name in ("scale", "offset")}
    lists = {"shapes": tuple(given.pop("shape", None) or ()), "ranges": tuple(given.pop("range", None) or ())}
    stated_shapes(lists["shapes"])
    for text in lists["ranges"]:
        parse_range(text)
    changed = {"image_size": image_size(given.get("image_size")), "signature": given.get("signature") or ""}
    return DataOptions(**given | lists | changed)
