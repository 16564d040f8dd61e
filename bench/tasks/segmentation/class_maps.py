"""Conversion of a model's output to the class of each pixel."""

import enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.outputs.masks import MAX_CLASSES
from edge_bench.bench.wording import counted

__all__ = ["ClassAxis", "MaskLayout", "class_map", "mask_layout", "resized"]

Mask = npt.NDArray[np.uint16]


class ClassAxis(enum.Enum):
    """The meaning of an output's values."""

    LAST = "scores, the classes on the last axis"
    FIRST = "scores, the classes on the first axis"
    NONE = "class indices"


class MaskLayout(NamedTuple):
    """How an output of one image, without its batch axis, is converted to a mask."""

    axis: ClassAxis
    classes: int  # the mask has the values 0 to classes - 1, and `classes` for a pixel without a class


def mask_layout(output: TensorSpec, classes: int | None = None, axis: ClassAxis | None = None) -> MaskLayout:
    """Return the layout of an output whose first axis is the images, from its shape and type.

    classes: the number of classes, if labels or an option state it; axis: stated by an option
    Class indices are integers, not quantized, with one value per pixel, and need ``classes``. Otherwise the class axis
    is the one with ``classes`` values. If that is unknown, it is the one that differs from two equal ones, since many
    models have square inputs. Raise BadInput if the output is not a mask, or if it is ambiguous.
    """
    shape = output.shape[1:]
    shown = "×".join("?" if size < 0 else str(size) for size in output.shape)
    indices = len(shape) == 2 or (len(shape) == 3 and 1 in (shape[0], shape[-1]))
    if axis is None and indices and output.dtype[:3] in ("int", "uin") and not output.scale:
        axis = ClassAxis.NONE
    if axis is ClassAxis.NONE:
        if not indices:
            raise BadInput(f"its output has shape {shown}, which is not one class index per pixel")
        return MaskLayout(axis, _checked(classes, f"its output of shape {shown} has class indices"))
    if len(shape) != 3:
        raise BadInput(
            f"its output has shape {shown} and type {output.dtype}, which is not a mask",
            "a mask has class indices, N×H×W, or one score per class and pixel, N×H×W×classes",
        )
    possible = [axis] if axis else _possible(shape, classes)
    if not possible and 1 in (shape[0], shape[-1]):
        raise BadInput(
            f"its output has shape {shown}: a mask of one score per pixel is not supported",
            "export the model with one score per class and pixel, or with class indices as whole numbers",
        )
    if len(possible) != 1:
        how = "no axis" if not possible else "more than one axis"
        of_classes = "the classes" if classes is None else f"{counted(classes, 'class')}"
        raise BadInput(
            f"its output has shape {shown}: {how} can be that of {of_classes}",
            "use --class-axis first or --class-axis last"
            if possible or classes is None
            else "list as many classes with --classes as the output has",
        )
    found = shape[-1] if possible[0] is ClassAxis.LAST else shape[0]
    if classes not in (None, found) or found == 1:
        raise BadInput(
            f"its output has shape {shown}: {found} scores per pixel, but {classes or 'more'} classes",
            "list as many classes with --classes as the output has"
            if found > 1
            else "a mask of one score per pixel is not supported",
        )
    return MaskLayout(possible[0], _checked(found if found > 0 else classes, f"its output has shape {shown}"))


def _possible(shape: list[int], classes: int | None) -> list[ClassAxis]:
    first, middle, last = shape
    ends = ((ClassAxis.FIRST, first, (middle, last)), (ClassAxis.LAST, last, (first, middle)))
    if classes is not None:
        return [axis for axis, size, _ in ends if size == classes]
    return [axis for axis, size, (height, width) in ends if height == width != size]


def _checked(classes: int | None, problem: str) -> int:
    if classes is None or classes < 1:
        raise BadInput(f"{problem}, but the number of classes is unknown", "list the classes with --classes FILE")
    if classes > MAX_CLASSES:
        raise BadInput(f"{problem} and {counted(classes, 'class')}: at most {MAX_CLASSES:,} are supported")
    return classes


def class_map(output: npt.NDArray[Any], layout: MaskLayout) -> Mask:
    """Return the class of each pixel of one image's output, without its batch axis; shape [height, width].

    If several scores are equal, the first class is used. A pixel with a score that is not finite has no class. Raise
    BadInput for a class index that the model does not have.
    """
    if layout.axis is ClassAxis.NONE:
        return _from_indices(output, layout.classes)
    axis = 2 if layout.axis is ClassAxis.LAST else 0
    if output.ndim != 3 or output.shape[axis] != layout.classes:
        raise BadInput(f"an output has shape {list(output.shape)} instead of {layout.classes} scores per pixel")
    mask: Mask = output.argmax(axis=axis).astype(np.uint16)
    if output.dtype.kind == "f":
        mask[~np.isfinite(output).all(axis=axis)] = layout.classes
    return mask


def _from_indices(output: npt.NDArray[Any], classes: int) -> Mask:
    if output.ndim == 3:
        output = output[..., 0] if output.shape[-1] == 1 else output[0]
    wrong = ~((output >= 0) & (output < classes))  # also true for NaN
    if output.dtype.kind == "f":
        wrong |= output != np.floor(output)
    if wrong.any():
        raise BadInput(
            f"an output has class {output.reshape(-1)[int(wrong.argmax())]}, but the classes are 0 to {classes - 1}",
            "list as many classes with --classes as the model has",
        )
    mask: Mask = output.astype(np.uint16)
    return mask


def resized(mask: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """Return a mask at another size: each pixel has the value below its centre (nearest).

    Row i of ``height`` is row floor((i + ½) · h / height) of the h rows, computed in whole numbers. If the centre is
    exactly between two pixels, Pillow may use the other one.
    """
    rows, columns = (
        (2 * np.arange(size, dtype=np.int64) + 1) * own // (2 * size)
        for size, own in zip((height, width), mask.shape, strict=True)
    )
    found: npt.NDArray[Any] = mask[rows[:, np.newaxis], columns]
    return found
