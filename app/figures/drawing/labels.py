"""Labels beside points: each at the first place where it covers no other label, no mark and no border."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.render.palette import INK, MUTED

__all__ = ["label_points"]

#: Directions from a point in which its label may be, the best first: right, left, above, below, corners.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
#: Distances from a mark's edge, in points. Labels that are farther away than the first have a line to their mark.
_DISTANCES = (3.0, 9.0, 16.0, 24.0)
_POINTS_PER_INCH = 72.0

#: left, bottom, right, top, in pixels
Box = npt.NDArray[np.float64]


def label_points(
    panel: Any,
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    marks: Sequence[tuple[float, float, float]],
    lines: Sequence[tuple[float, float, float, float]],
) -> list[bool]:
    """Write a label beside each point, the first ones first; return which of them found a place.

    points: in data coordinates. marks: all marks that labels should not cover, those of the points included: x and y in
    data coordinates, radius in typographic points. lines: the same of lines, each x, y, x, y in data coordinates. The
    limits of the axes must be set before.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = panel.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()  # places the axes
    pixel = figure.dpi / _POINTS_PER_INCH
    centres = panel.transData.transform(np.asarray(points, np.float64))
    radii = {(x, y): pixel * radius for x, y, radius in marks}
    places = panel.transData.transform([mark[:2] for mark in marks])
    edges = pixel * np.outer([mark[2] for mark in marks], [-1, -1, 1, 1])
    taken = [*(np.column_stack([places, places]) + edges), *_pieces(panel, lines)]
    frame = panel.get_window_extent(renderer)
    found = []
    for (x, y), centre, text in zip(points, centres, texts, strict=True):
        label = panel.annotate(text, (x, y), fontsize=6.5, color=INK, zorder=4, annotation_clip=False)
        label.set_in_layout(False)
        box = label.get_window_extent(renderer)
        place = _place(centre, radii[x, y], (box.width, box.height), pixel, taken, frame)
        found.append(place is not None)
        if place is None:
            label.remove()
            continue
        left, bottom, far = place
        label.set_position(((left - centre[0]) / pixel, (bottom - centre[1]) / pixel))
        label.set(anncoords="offset points", horizontalalignment="left", verticalalignment="bottom")
        taken.append(np.array([left, bottom, left + box.width, bottom + box.height]))
        if far:
            nearest = np.clip(centre, taken[-1][:2], taken[-1][2:])
            ends = panel.transData.inverted().transform([centre, nearest])
            panel.plot(*ends.T, color=MUTED, linewidth=0.5, zorder=2, scalex=False, scaley=False)
    return found


def _place(
    centre: npt.NDArray[np.float64],
    radius: float,
    size: tuple[float, float],
    pixel: float,
    taken: Sequence[Box],
    frame: Any,
) -> tuple[float, float, bool] | None:
    """Return left and bottom of the first free place, and whether it is far from the mark; None if there is none."""
    width, height = size
    for number, distance in enumerate(_DISTANCES):
        for right, up in _DIRECTIONS:
            reach = (radius + distance * pixel) * (0.7 if right and up else 1.0)
            left = centre[0] + right * reach - width * (1 - right) / 2
            bottom = centre[1] + up * reach - height * (1 - up) / 2
            inside = (
                left >= frame.x0 and left + width <= frame.x1 and bottom >= frame.y0 and bottom + height <= frame.y1
            )
            if inside and not _overlaps((left, bottom, left + width, bottom + height), taken):
                return left, bottom, number > 0
    return None


def _overlaps(box: tuple[float, float, float, float], taken: Sequence[Box]) -> bool:
    others = np.asarray(taken)
    return bool(
        np.any((box[0] < others[:, 2]) & (others[:, 0] < box[2]) & (box[1] < others[:, 3]) & (others[:, 1] < box[3]))
    )


def _pieces(panel: Any, lines: Sequence[tuple[float, float, float, float]]) -> list[Box]:
    """Return small boxes along lines, in pixels."""
    boxes = []
    for x, y, end_x, end_y in lines:
        start, end = panel.transData.transform([(x, y), (end_x, end_y)])
        for share in np.linspace(0, 1, 41):
            centre = start + share * (end - start)
            boxes.append(np.concatenate([centre - 1, centre + 1]))
    return boxes
