"""Outputs of TFLite_Detection_PostProcess, the operator at the end of SSD models.

Source: tensorflow/lite/kernels/detection_postprocess.cc. It has four outputs, in this order: boxes [1, n, 4] as ymin,
xmin, ymax, xmax as fractions of the input's height and width; classes [1, n], from 0 without the background; scores
[1, n], highest first; and the number of valid boxes [1]. All are float32. Suppression is part of the operator.
Converters may reorder the outputs of a graph, so the order is determined from shapes, names and values.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.boxes import MOST_BOXES, best_boxes
from edge_bench.bench.tasks.detection.heads.decoded import Decoded
from edge_bench.bench.tasks.detection.letterbox import Placement

__all__ = [
    "ROLES",
    "OutputOrder",
    "decode_postprocess",
    "has_postprocess_shapes",
    "output_order",
    "stated_order",
]

#: Roles of the outputs, in the operator's order.
ROLES = ("boxes", "classes", "scores", "number")
#: Words in the names of outputs: TensorFlow's detection API, TFLite metadata, and other common ones.
_WORDS = {
    "boxes": ("box", "location"),
    "classes": ("class", "categor", "label"),
    "scores": ("score", "confidence"),
    "number": ("num", "count"),
}
_OPERATOR = re.compile(r"TFLite_Detection_PostProcess(?::([123]))?")
_OPTION = "--output-order"
#: Labels are stored as 16 bits.
_MAX_CLASS = 65_534
Outputs = Sequence[npt.NDArray[Any]]


class OutputOrder(NamedTuple):
    """The index of each output."""

    boxes: int
    classes: int
    scores: int
    number: int

    def __str__(self) -> str:
        names = dict(zip(self, ROLES, strict=True))
        return ",".join(names[index] for index in sorted(names))


def stated_order(text: str) -> OutputOrder:
    """Return the order in a text such as ``boxes,classes,scores,number``; raise BadInput if it is invalid."""
    names = [name.strip() for name in text.split(",")]
    if sorted(names) != sorted(ROLES):
        raise BadInput(f"{_OPTION} {text[:80]}: not an order of the outputs", f"list each once: {','.join(ROLES)}")
    return OutputOrder(*(names.index(role) for role in ROLES))


def output_order(names: Sequence[str], shapes: Sequence[Sequence[int]], samples: Iterable[Outputs] = ()) -> OutputOrder:
    """Return the role of each output, from their shapes, names, and values of some images.

    Raise BadInput if no order fits, or several do.
    """
    orders = _orders(shapes)
    if not orders:
        shown = ", ".join(str(list(shape)) for shape in shapes[:6])
        raise BadInput(
            f"the outputs {shown} are not those of TFLite_Detection_PostProcess",
            "it returns boxes [1, n, 4], classes [1, n], scores [1, n] and their number [1]",
        )
    orders = [order for order in orders if _fits_names(order, names)]
    if len(orders) > 1:
        values = [[np.asarray(each) for each in outputs] for outputs in samples]
        orders = [order for order in orders if all(_fits_values(order, outputs) for outputs in values)]
    if len(orders) != 1:
        problem = "do not fit their shapes" if not orders else "do not determine their order"
        choices = " or ".join(f"{_OPTION} {order}" for order in orders[:3]) or f"{_OPTION} {','.join(ROLES)}"
        raise BadInput(f"names and values of the four outputs {problem}", f"set their order: {choices}")
    return orders[0]


def has_postprocess_shapes(shapes: Sequence[Sequence[int]]) -> bool:
    """Return whether outputs of these shapes can be those of the operator, in some order."""
    return bool(_orders(shapes))


def decode_postprocess(outputs: Outputs, order: OutputOrder, placement: Placement) -> Decoded:
    """Return the boxes of one image from the four outputs, not cropped to the image.

    Boxes after the stated number are ignored. Raise ValueError if the outputs do not fit each other or the number.
    """
    corners = np.asarray(outputs[order.boxes], np.float64).reshape(-1, 4)[:, [1, 0, 3, 2]]
    classes, scores = (np.asarray(outputs[index], np.float64).reshape(-1) for index in (order.classes, order.scores))
    number = np.asarray(outputs[order.number], np.float64).reshape(-1)
    if len(number) != 1 or not len(corners) == len(classes) == len(scores):
        raise ValueError("boxes, classes, scores and their number do not match")
    if not 0 <= number[0] <= len(scores) or number[0] % 1:
        raise ValueError(f"the output with the number of boxes is {number[0]}, but there are {len(scores)}")
    valid = int(number[0])
    corners, classes, scores = corners[:valid], classes[:valid], scores[:valid]
    finite = np.isfinite(corners).all(axis=1) & np.isfinite(classes) & np.isfinite(scores)
    corners, classes, scores = corners[finite], classes[finite], scores[finite]
    if ((classes < 0) | (classes > _MAX_CLASS) | (classes % 1 != 0)).any():
        raise ValueError("a class is not a whole number from 0")
    pixels = placement.to_image(corners * np.tile(placement.input_size, 2))
    left_out = max(0, len(scores) - MOST_BOXES)
    return Decoded(best_boxes(pixels, classes.astype(np.int64), scores), valid - len(scores), left_out)


def _orders(shapes: Sequence[Sequence[int]]) -> list[OutputOrder]:
    """Return the orders that fit the shapes."""
    if len(shapes) != len(ROLES):
        return []
    orders = itertools.starmap(OutputOrder, itertools.permutations(range(len(shapes))))
    return [order for order in orders if _fits_shapes(order, shapes)]


def _fits_shapes(order: OutputOrder, shapes: Sequence[Sequence[int]]) -> bool:
    boxes, classes, scores, count = (tuple(shapes[index]) for index in order)
    return (
        len(boxes) >= 2
        and boxes[-1] == 4
        and all(side == 1 for side in boxes[:-2])
        and classes == scores == boxes[:-1]
        and all(side == 1 for side in count)
    )


def _fits_names(order: OutputOrder, names: Sequence[str]) -> bool:
    """Return whether no name contradicts the role of its output."""
    found = [_OPERATOR.fullmatch(name.rsplit("/", 1)[-1]) for name in names]
    if all(found):
        numbers = [int(each[1] or 0) for each in found if each]
        if sorted(numbers) == [0, 1, 2, 3]:
            return all(numbers[index] == number for number, index in enumerate(order))
    for role, index in zip(ROLES, order, strict=True):
        told = {other for other, words in _WORDS.items() if any(word in names[index].lower() for word in words)}
        if len(told) == 1 and role not in told:
            return False
    return True


def _fits_values(order: OutputOrder, outputs: Outputs) -> bool:
    boxes, classes, scores, count = (np.asarray(outputs[index], np.float64).reshape(-1) for index in order)
    if len(count) != 1 or not 0 <= count[0] <= len(scores) or count[0] % 1:
        return False
    valid = int(count[0])
    classes, scores = classes[:valid], scores[:valid]
    of_classes = (classes >= 0) & (classes % 1 == 0)
    return bool(of_classes.all() and ((scores >= 0) & (scores <= 1)).all() and np.isfinite(boxes[: 4 * valid]).all())
