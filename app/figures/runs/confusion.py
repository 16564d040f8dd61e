"""Confusion matrices of several classifiers side by side."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.figures.drawing.canvas import Drawing, new_figure
from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, INK

__all__ = ["confusion"]

_CORRECT, _WRONG = "#0072b2", "#d55e00"
#: With more classes, counts and class names would be too small to read.
_MAX_LABELLED_CLASSES = 12

Matrix = npt.NDArray[np.int64]


def confusion(matrices: Sequence[tuple[str, Matrix]], classes: Sequence[str]) -> Drawing:
    """Return the figure of ``matrices``: (name, counts of shape [classes, classes], rows true, columns predicted)."""
    return Drawing(
        name="confusion",
        title="Confusion matrices",
        caption="Number of images by true class (rows) and predicted class (columns). Blue is right, orange is wrong. "
        "A stronger colour is a larger share of the row.",
        description="Confusion matrices. " + " ".join(_describe(name, matrix, classes) for name, matrix in matrices),
        draw=lambda layout: _draw(matrices, classes, layout),
    )


def _describe(name: str, matrix: Matrix, classes: Sequence[str]) -> str:
    wrong = matrix - np.diag(np.diag(matrix))
    if not wrong.any():
        return f"{name}: no mistakes."
    true, predicted = divmod(int(wrong.argmax()), len(classes))
    count = wrong[true, predicted]
    return f"{name}: the most frequent mistake is {classes[predicted]} instead of {classes[true]}, {count} times."


def _draw(matrices: Sequence[tuple[str, Matrix]], classes: Sequence[str], layout: Layout) -> Any:
    columns = 1 if layout.narrow else {1: 1, 3: 3}.get(len(matrices), 2)
    rows = math.ceil(len(matrices) / columns)
    side = (layout.width - 0.8) / columns
    figure, panels = new_figure(layout, rows * (min(side, 3.2) + 0.55), rows=rows, columns=columns)
    for number, (panel, (name, matrix)) in enumerate(zip(panels, matrices, strict=False)):
        _draw_matrix(panel, name, matrix, classes)
        if number % columns:  # only the leftmost panel names the rows
            panel.set(ylabel="", yticks=[])
    for panel in panels[len(matrices) :]:
        panel.set_visible(False)
    return figure


def _draw_matrix(panel: Any, name: str, matrix: Matrix, classes: Sequence[str]) -> None:
    from matplotlib.patches import Rectangle

    count = len(classes)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for true, predicted in zip(*np.nonzero(matrix), strict=True):
        colour = _CORRECT if true == predicted else _WRONG
        # the square root makes rare mistakes visible
        alpha = 0.62 * float(shares[true, predicted]) ** 0.5
        panel.add_patch(Rectangle((predicted, true), 1, 1, facecolor=colour, alpha=alpha, linewidth=0))
        if count <= _MAX_LABELLED_CLASSES:
            panel.text(predicted + 0.5, true + 0.53, f"{matrix[true, predicted]}", color=INK, ha="center",
                       va="center", fontsize=5.6)  # fmt: skip
    panel.set(title=name, xlim=(0, count), ylim=(count, 0), aspect="equal", xlabel="predicted", ylabel="true")
    for spine in panel.spines.values():
        spine.set(visible=True, color=GRID)
    panel.tick_params(length=0, labelsize=6)
    if count <= _MAX_LABELLED_CLASSES:
        labels = [_shortened(label) for label in classes]
        panel.set_xticks(np.arange(count) + 0.5, labels, rotation=90, rotation_mode="anchor", ha="right", va="center")
        panel.set_yticks(np.arange(count) + 0.5, labels)


def _shortened(label: str) -> str:
    label = one_line(label)
    return label if len(label) <= 12 else f"{label[:11]}…"
