"""What all pictures share: sizes, colours, type, and how an empty one is made and saved.

matplotlib is used through its Figure class, never through pyplot: no global state, no window, nothing to close.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge_bench.app.render.escaping import visible
from edge_bench.app.render.formats import Layout
from edge_bench.app.render.palette import GRID, INK, MUTED

__all__ = ["Drawing", "colour_of", "new_figure", "render"]

#: Okabe & Ito 2008, "Color Universal Design"; the black is the ink. One colour a variant, on every picture.
_VARIANTS = {
    "keras": INK,
    "float32": "#0072b2",
    "float16": "#56b4e9",
    "dynamic": "#d55e00",
    "int8": "#009e73",
}
_OTHERS = ("#cc79a7", "#e69f00", "#b3a500", "#7a5195")
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
    "text.parse_math": False,  # a name with dollar signs is a name
    "pdf.fonttype": 42,  # text that can be selected, and that journals accept
}


@dataclass(frozen=True)
class Drawing:
    """A picture that has not been drawn yet, and what it says to those who do not see it."""

    name: str  # of its file
    title: str
    caption: str  # how to read it
    description: str  # what it shows: its alt text
    draw: Callable[[Layout], Any]  # → matplotlib Figure


def colour_of(variant: str) -> str:
    """The variant's colour; unknown variants get one that is always the same."""
    return _VARIANTS.get(variant) or _OTHERS[sum(variant.encode()) % len(_OTHERS)]


def new_figure(
    layout: Layout, height: float, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple[Any, Sequence[Any]]:
    """An empty Figure ``height`` inches high and its panels, row by row, in the common style."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04, wspace=0.04, hspace=0.04)
    figure = Figure(figsize=(layout.width, height), layout=engine)
    panels = figure.subplots(rows, columns, squeeze=False, **grid)
    return figure, list(panels.flat)


def render(drawing: Drawing, layout: Layout, form: str) -> bytes:
    """Draws and saves in one go."""
    import matplotlib as mpl

    # matplotlib reads its style when a part is made, and again when it is written
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # a name in a script that matplotlib's own font lacks: a browser has a font for it
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        return _save(drawing.draw(layout), form)


def _save(figure: Any, form: str) -> bytes:
    """The finished picture as ``png`` (300 dpi on white), ``pdf``, ``svg``, or ``inline-svg`` with real text.

    The same figure gives the same bytes: no dates, no random names.
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
    if options["format"] == "svg":  # XML has no place for control characters, and names may hold some
        return visible(buffer.getvalue().decode()).encode()
    return buffer.getvalue()
