"""Create, style and save figures.

matplotlib is used through its Figure class instead of pyplot, which has global state and opens windows.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.app.render.escaping import visible
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, INK, MUTED

__all__ = ["WARNING", "Drawing", "colour_of", "new_figure", "render"]

#: One colour per variant in all figures. Source: Okabe & Ito 2008, "Color Universal Design", with INK as their black.
_VARIANT_COLOURS = {
    "keras": INK,
    "float32": "#0072b2",
    "float16": "#56b4e9",
    "dynamic": "#d55e00",
    "int8": "#009e73",
}
_OTHER_COLOURS = ("#cc79a7", "#e69f00", "#b3a500", "#7a5195")
WARNING = "#d55e00"

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 6,
    "axes.titlecolor": INK,
    "axes.labelsize": 7.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.3,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "text.parse_math": False,  # dollar signs in names are not formulas
    "pdf.fonttype": 42,  # TrueType: selectable text, which journals require
}


@dataclass(frozen=True)
class Drawing:
    """A figure that has not been drawn yet, with its title, caption and alternative text."""

    name: str  # file name without suffix
    title: str
    caption: str  # how to read the figure
    description: str  # alternative text: what the figure shows
    draw: Callable[[Layout], Any]  # returns a matplotlib Figure


def colour_of(variant: str) -> str:
    """Return the variant's colour; an unknown variant always gets the same one, derived from its name."""
    return (
        _VARIANT_COLOURS.get(variant) or _OTHER_COLOURS[sum(variant.encode("utf-8", "replace")) % len(_OTHER_COLOURS)]
    )


def new_figure(
    layout: Layout, height: float, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple[Any, Sequence[Any]]:
    """Return an empty Figure of the layout's width and ``height`` inches, and its panels row by row."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04, wspace=0.04, hspace=0.04)
    figure = Figure(figsize=(layout.width, height), layout=engine)
    panels = figure.subplots(rows, columns, squeeze=False, **grid)
    return figure, list(panels.flat)


def render(drawing: Drawing, layout: Layout, form: str) -> bytes:
    """Draw the figure and return it as a file: ``png``, ``pdf``, ``svg``, or ``inline-svg`` with real text."""
    import matplotlib as mpl

    # matplotlib reads its style both when an artist is created and when the figure is saved
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # matplotlib's font lacks the glyphs of some scripts, which browsers have
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        # names may leave no room for the panel; the figure is drawn all the same
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        return _save(drawing.draw(layout), form)


def _save(figure: Any, form: str) -> bytes:
    """Return the figure as a file; PNG has 300 dpi and a white background.

    Without dates and random ids, so that the same figure gives the same bytes.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    inline = form == "inline-svg"
    options: dict[str, Any] = {"format": "svg" if inline else form}
    if form == "png":
        options |= {"dpi": 300, "facecolor": "white", "metadata": {"Software": None}}
    else:
        dates = {"CreationDate": None} if form == "pdf" else {"Date": None}
        options["metadata"] = dates | {"Creator": None}
    with mpl.rc_context({"svg.fonttype": "none" if inline else "path", "svg.hashsalt": "edge-bench"}):
        figure.savefig(buffer, **options)
    if options["format"] == "svg":  # XML forbids control characters, which names may contain
        return visible(buffer.getvalue().decode()).encode()
    return buffer.getvalue()
