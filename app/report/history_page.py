"""The page that ``history`` writes: a table, and a figure per machine and bundle."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.html.elements import Html, element, page
from edge_bench.app.render.html.table import html_table
from edge_bench.app.tables.runs.history import group_names, history_table
from edge_bench.bench.analysis.over_time.history import Series

__all__ = ["history_drawings", "history_page"]


def history_page(all_series: Sequence[Series]) -> str:
    """Return a self-contained page with the figures and the table."""
    from edge_bench.app.figures.drawing.svg import figure_element
    from edge_bench.app.render.html.css import STYLE

    table = history_table(all_series)
    figures: list[Html] = [
        figure_element(drawing, number, f"f{number}")
        for number, drawing in enumerate(history_drawings(all_series), start=1)
    ]
    return page(
        f"edge-bench: {table.title}",
        STYLE,
        element("main", element("h1", table.title), *figures, html_table(table)),
    )


def history_drawings(all_series: Sequence[Series]) -> list[Any]:
    """Return one figure per machine and bundle, without emulated times."""
    from edge_bench.app.figures.runs.over_time import over_time

    groups: dict[str, list[Series]] = {}
    for series, group in zip(all_series, group_names(all_series), strict=True):
        if not series.emulated:
            groups.setdefault(group, []).append(series)
    return [over_time(members) for members in groups.values()]
