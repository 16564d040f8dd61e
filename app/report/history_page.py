"""The page that ``history`` writes: a table, and a figure for each machine."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.html.elements import Html, element, page
from edge_bench.app.render.html.table import html_table
from edge_bench.app.tables.runs.history import _groups, history_table
from edge_bench.bench.analysis.history import Series

__all__ = ["history_drawings", "history_page"]


def history_page(series: Sequence[Series]) -> str:
    """The table and the pictures, self-contained."""
    from edge_bench.app.figures.drawing.svg import figure_element
    from edge_bench.app.render.html.css import STYLE

    table = history_table(series)
    figures: list[Html] = [
        figure_element(drawing, number, f"f{number}")
        for number, drawing in enumerate(history_drawings(series), start=1)
    ]
    return page(
        f"edge-bench: {table.title}",
        STYLE,
        element("main", element("h1", table.title), *figures, html_table(table)),
    )


def history_drawings(series: Sequence[Series]) -> list[Any]:
    """One picture a machine and bundle; an emulator's times are in none."""
    from edge_bench.app.figures.runs.over_time import over_time

    groups: dict[str, list[Series]] = {}
    for one, group in zip(series, _groups(series), strict=True):
        if not one.emulated:
            groups.setdefault(group, []).append(one)
    return [over_time(members) for members in groups.values()]
