"""Checks of true boxes, for all file formats."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError

__all__ = ["check_boxes", "tolerance"]

#: How far a box may extend beyond its image because of rounded coordinates: one pixel, or 0.5 % of the side if that is
#: more. Such boxes are kept unchanged, as in COCO's tools.
_PIXEL, _SHARE = 1.0, 0.005
Places = Callable[[int], str]


def tolerance(sides: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return how many pixels a box may extend beyond sides of these lengths."""
    return np.maximum(_PIXEL, _SHARE * sides)


def check_boxes(
    corners: npt.NDArray[np.float64],
    images: npt.NDArray[np.int64],
    categories: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    place: Places,
) -> None:
    """Raise DatasetError for the first invalid box.

    corners: x0, y0, x1, y1 in pixels, [boxes, 4]; images and categories: indices, [boxes]; sizes: width and height of
    each image, [images, 2]; place: returns where box ``i`` is, for messages
    """
    _refuse(
        ~np.isfinite(corners).all(axis=1),
        place,
        lambda row: f"a coordinate is not finite: {_shown(corners[row])}",
        "correct the coordinate, or remove the box",
    )
    _refuse(
        (corners[:, 2:] < corners[:, :2]).any(axis=1),
        place,
        lambda row: f"a box has a negative width or height: {_shown(corners[row])}",
        "use left, top, width, height in COCO's files, and centre, width, height in YOLO's",
    )
    ends = sizes[images]
    beyond = np.maximum(-corners[:, :2], corners[:, 2:] - ends)
    _refuse(
        (beyond > tolerance(ends)).any(axis=1),
        place,
        lambda row: (
            f"box {_shown(corners[row])} is outside its image of {ends[row, 0]} × {ends[row, 1]} pixels by "
            f"{beyond[row].max():.4g} pixels"
        ),
        "use labels made for these images at their present size",
    )
    _refuse_repeated(corners, images, categories, place)


def _refuse_repeated(
    corners: npt.NDArray[np.float64], images: npt.NDArray[np.int64], categories: npt.NDArray[np.int64], place: Places
) -> None:
    rows = np.column_stack([images, categories, corners])
    _, first, group = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    original = first[group.reshape(-1)]
    _refuse(
        original != np.arange(len(rows)),
        place,
        lambda row: f"the same box with the same category as in {place(int(original[row]))}",
        "remove one of them, because a model can find it only once",
    )


def _refuse(wrong: npt.NDArray[np.bool_], place: Places, problem: Callable[[int], str], remedy: str) -> None:
    found = np.flatnonzero(wrong)
    if len(found):
        more = f" ({len(found):,} boxes have this problem)" if len(found) > 1 else ""
        raise DatasetError(f"{place(int(found[0]))}: {problem(int(found[0]))}{more}", remedy)


def _shown(corners: npt.NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in corners.tolist()) + ")"
