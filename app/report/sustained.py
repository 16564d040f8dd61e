"""Sustained loads in the report: whether configurations stay as fast, with figures and tables."""

from collections.abc import Callable, Sequence

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.sustained.sentences import sustained_sentences
from edge_bench.app.tables.sustained.table import sustained_tables
from edge_bench.bench.analysis.sustained.load import loads_of

__all__ = ["sustained_section"]


def sustained_section(section: BundleSection, draw: Callable[[Sequence[Drawing]], Html]) -> Html | None:
    """Return sentences, figures and a table of each Run with ``--duration``; None without any."""
    parts: list[Html] = []
    for name, run in section.shown_runs.items():
        if loads := loads_of(run):
            sentences = [element("li", with_badges(f"{name}: {each}")) for each in sustained_sentences(run, loads)]
            parts += [element("ul", *sentences, class_="answers"), html_table(sustained_tables(run, loads)[0])]
    return fragment(draw(section.sustained), *parts) if parts else None
