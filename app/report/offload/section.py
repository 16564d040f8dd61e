"""The report's section on offloading: sentences, decision maps and tables of every Offload."""

from collections.abc import Callable

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, notes_list, with_badges
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.offload.table import answers, offload_tables
from edge_bench.app.tables.offload.text import OffloadAnswered, offload_sentences

__all__ = ["offload_section"]


def offload_section(section: BundleSection, figure: Callable[[Drawing], Html]) -> Html | None:
    """Return one part per Offload, in the order measured; None without Offloads."""
    parts = []
    for offload, assessment, drawing in section.assessments:
        first, *others = offload_tables(offload, assessment)
        answer = OffloadAnswered(offload, assessment, (first, *others), "")
        sentences = [*offload_sentences(answer), *answers(offload, assessment)]
        parts += [
            element("h3", with_badges(f"{first.title}, {offload.began[:10]}")),
            element("ul", *(element("li", with_badges(sentence)) for sentence in sentences), class_="answers"),
            figure(drawing) if drawing else None,
            html_table(first, notes=False),
            notes_list([note for note in first.notes if note not in sentences]),
        ]
        parts += [fragment(element("h3", table.title), html_table(table)) for table in others]
    return fragment(*parts) if parts else None
