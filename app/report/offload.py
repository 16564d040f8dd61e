"""The report's answer to "run it here, or send it there?": sentences, maps and tables of every Offload."""

from collections.abc import Callable

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, notes_list, with_badges
from edge_bench.app.report.chapter import Chapter
from edge_bench.app.tables.offload.table import answers, offload_tables

__all__ = ["here_or_there"]


def here_or_there(chapter: Chapter, figure: Callable[[Drawing], Html]) -> Html | None:
    """One part an Offload, in the order measured; None without any."""
    parts = []
    for offload, assessment, drawing in chapter.assessed:
        first, *others = offload_tables(offload, assessment)
        said = answers(offload, assessment)
        parts += [
            element("h3", with_badges(f"{first.title}, {offload.began[:10]}")),
            element("ul", *(element("li", with_badges(sentence)) for sentence in said), class_="answers"),
            figure(drawing) if drawing else None,
            html_table(first, notes=False),
            notes_list([note for note in first.notes if note not in said]),
        ]
        parts += [fragment(element("h3", table.title), html_table(table)) for table in others]
    return fragment(*parts) if parts else None
