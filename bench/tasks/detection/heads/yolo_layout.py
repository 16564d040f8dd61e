"""The layout of a YOLO model's output: the axis of a box's numbers, objectness, and the unit of coordinates.

YOLOv5 and its relatives give [1, n, 5 + c]: centre x, centre y, width, height, objectness, c class scores, with three
boxes (anchors) in each cell of the grids (ultralytics/yolov5, models/yolo.py, ``Detect``). YOLOv8 and YOLO11 give
[1, 4 + c, n], or transposed, without objectness and with one box in each cell (ultralytics/ultralytics,
nn/modules/head.py, ``Detect``). Exports to TFLite use fractions of the input as coordinates, others pixels.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.wording import counted

__all__ = ["HeadLayout", "has_pixel_coordinates", "head_layout"]

#: Pixels between the cells of the grids: usual models, larger and smaller ones, and YOLOv3-tiny's.
_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
_ANCHORS = 3
#: Numbers before the class scores: four coordinates, and the objectness.
_COORDINATES = 4
#: Numbers of a box after suppression in the graph: corners, score and class (YOLOv10, and exports with ``nms=True``).
#: A raw box with one class and objectness, or two classes, has the same number.
_SUPPRESSED = 6
_OPTIONS = "set --head yolov5 or --head yolov8, and list all classes with --classes"
#: Centres are inside the image, or up to 1.5 cells outside. Above the larger limit they are pixels, because every cell
#: of the grids has a box. Up to the smaller one they are fractions.
_SHARES_UP_TO, _PIXELS_FROM = 1.5, 4.0


class HeadLayout(NamedTuple):
    """How to read an output [1, boxes, numbers] or [1, numbers, boxes]."""

    boxes_first: bool
    objectness: bool
    classes: int

    @property
    def option(self) -> str:
        """The option that selects it."""
        return f"--head {'yolov5' if self.objectness else 'yolov8'}"

    def rows(self, head: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the numbers of each box, [boxes, numbers]; raise ValueError for another shape."""
        table = np.asarray(head, np.float64)
        if table.ndim != 3 or table.shape[0] != 1:
            raise ValueError(f"a head of one image has shape [1, boxes, numbers], not {list(table.shape)}")
        rows: npt.NDArray[np.float64] = table[0] if self.boxes_first else table[0].T
        if rows.shape[1] != _COORDINATES + self.objectness + self.classes:
            raise ValueError(f"{rows.shape[1]} numbers per box do not fit {self.classes} classes")
        return rows


def head_layout(
    shape: Sequence[int],
    *,
    classes: int | None = None,
    input_size: Sequence[int] | None = None,
    objectness: bool | None = None,
) -> HeadLayout:
    """Return the layout of an output of this shape.

    classes: their number, if known; input_size: the model's width and height, which determine the number of boxes;
    objectness: whether the model has it, if stated. Raise BadInput if no layout fits, or several fit.
    """
    if len(shape) != 3 or shape[0] != 1:
        raise BadInput(f"the output {list(shape)} is not [1, boxes, numbers] of a YOLO model", _OPTIONS)
    layouts = []
    for boxes_first in (True, False):
        numbers = shape[2] if boxes_first else shape[1]
        for with_objectness in (True, False) if objectness is None else (objectness,):
            count = numbers - _COORDINATES - with_objectness
            if count >= 1 and classes in (None, count):
                layouts.append(HeadLayout(boxes_first, with_objectness, count))
    on_grids = [layout for layout in layouts if _fits_grids(layout, shape, input_size)]
    possible = on_grids
    if not on_grids and (objectness is not None or (classes is not None and _SUPPRESSED not in shape[1:])):
        possible = layouts  # grids of another kind
    if len(possible) != 1:
        known = f" for {counted(classes, 'class')}" if classes is not None else ""
        if layouts and not possible:
            known += ": its number of boxes does not fit a YOLO model with this input size"
        problem = "is ambiguous" if layouts else "does not fit a YOLO model"
        raise BadInput(f"the output {list(shape)} {problem}{known}", _OPTIONS)
    return possible[0]


def has_pixel_coordinates(heads: Iterable[npt.NDArray[Any]], layout: HeadLayout) -> bool:
    """Return whether coordinates are pixels of the input instead of fractions of its sides, from heads of some images.

    Raise BadInput if the largest centre is possible in both units, or no head has a box.
    """
    largest = 0.0
    for head in heads:
        centres = layout.rows(head)[:, :2]
        largest = max(largest, float(np.max(centres, initial=0.0, where=np.isfinite(centres))))
    if largest >= _PIXELS_FROM:
        return True
    if 0 < largest <= _SHARES_UP_TO:
        return False
    raise BadInput(
        f"the largest coordinate of a centre is {largest:.3g}, so the unit of coordinates is unclear",
        "use --coordinates pixels or --coordinates shares",
    )


def _fits_grids(layout: HeadLayout, shape: Sequence[int], input_size: Sequence[int] | None) -> bool:
    if input_size is None:
        return False
    boxes = shape[1] if layout.boxes_first else shape[2]
    for strides in _STRIDES:
        cells = sum(-(-input_size[0] // stride) * -(-input_size[1] // stride) for stride in strides)
        if boxes == cells * (_ANCHORS if layout.objectness else 1):
            return True
    return False
