"""The page that ``history`` writes: an answer per series, a figure per machine and bundle, and a table of Runs."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.render.html.elements import Html, element, page
from edge_bench.app.render.html.table import html_table
from edge_bench.app.tables.runs.history import answers_table, group_names, history_table
from edge_bench.bench.analysis.over_time.history import Series

__all__ = ["history_drawings", "history_page"]


def history_page(all_series: Sequence[Series]) -> str:
    """Return a self-contained page with answers, figures and the table of Runs."""
    from edge_bench.app.figures.drawing.svg import figure_element
    from edge_bench.app.render.html.css import STYLE

    answers, table = answers_table(all_series), history_table(all_series)
    figures: list[Html] = [
        figure_element(drawing, number, f"f{number}")
        for number, drawing in enumerate(history_drawings(all_series), start=1)
    ]
    return page(
        f"edge-bench: {answers.title}",
        STYLE,
        element(
            "main",
            element("h1", answers.title),
            html_table(answers),
            *figures,
            element("h2", "Runs"),
            html_table(table),
        ),
    )


def history_drawings(all_series: Sequence[Series]) -> list[Any]:
    """Return one figure per machine and bundle, without emulated times."""
    from edge_bench.app.figures.runs.over_time import over_time

    groups: dict[str, list[Series]] = {}
    for series, group in zip(all_series, group_names(all_series), strict=True):
        if not series.emulated:
            groups.setdefault(group, []).append(series)
    return [over_time(members) for members in groups.values()]
