"""The report's page: the answer, then the measurements behind it, then how to reproduce it."""

import datetime
from collections.abc import Callable, Iterator, Sequence

import msgspec

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.svg import figure_element
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import MAX_ROWS, Table
from edge_bench.app.report.answer import answer, machine_answers
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.report.devices.boards import boards_section
from edge_bench.app.report.devices.machines import machines_table
from edge_bench.app.report.disagreements import disagreements
from edge_bench.app.report.offload.break_even import break_even
from edge_bench.app.report.offload.section import offload_section
from edge_bench.app.report.pictures.task_disagreements import task_disagreements
from edge_bench.app.report.profiles import profile_section
from edge_bench.app.report.reproduce import reproduce_section
from edge_bench.app.report.sustained import sustained_section
from edge_bench.app.report.trust import trust_section
from edge_bench.app.tables.answer.short import by_time
from edge_bench.app.tables.runs.attribution import attribution_table
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.cross_machine import across_table
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.run import CLASSIFY
from edge_bench.bench.version import __version__
from edge_bench.bench.wording import counted

__all__ = ["report_page"]

#: The page's figures show every trial, so its tables omit the sparklines.
_OMITTED_COLUMNS = ("trials in order\n± largest",)

#: Number of sections before the one of predictions, which is none of measurements and has no number.
_AFTER_ANSWERS = 2

_OnDrawn = Callable[[Drawing], None]


def report_page(sections: Sequence[BundleSection], on_drawn: _OnDrawn = lambda _: None) -> str:
    """Return the complete document; ``on_drawn`` is called after each figure."""
    single = len(sections) == 1
    titles = [_title(section) for section in sections]
    header = element(
        "header",
        element("p", f"edge-bench report · {_dates(sections)}", class_="kind"),
        element("h1", titles[0] if single else "Results of several models or data sets"),
        None
        if single
        else element(
            "p",
            "These Runs measured different models or different data, so each has its own chapter. To compare models on "
            "the same images, use edge-bench compare.",
        ),
    )
    body = [
        element("article", *_article(section, f"c{number}", single, on_drawn), class_="chapter")
        for number, section in enumerate(sections, start=1)
    ]
    footer = element("footer", element("p", f"Made by edge-bench {__version__}. {_HOW_TO_READ}", class_="small"))
    return page(titles[0] if single else "edge-bench report", STYLE, element("main", header, *body, footer))


_HOW_TO_READ = (
    "Intervals have 95 % confidence and cover several fresh processes. Faster or slower: the whole interval of the "
    "ratio of times is beyond ±2 %. Same: all of it is within ±2 %. Undecided: anything else. ~ marks what rests on "
    "times that are not reliable. Accuracies are compared on the same images. Emulated times are never compared."
)


def _title(section: BundleSection) -> str:
    return f"{section.identity.model} on {section.identity.dataset}"


def _dates(sections: Sequence[BundleSection]) -> str:
    began = [run.began for section in sections for run in section.runs]
    began += [offload.began for section in sections for offload in section.offloads]
    days = sorted({time[:10] for time in began})  # at least one: a page has Runs or Offloads
    return "measured " + " to ".join(_day(day) for day in dict.fromkeys([days[0], days[-1]]))


def _day(text: str) -> str:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def _article(section: BundleSection, prefix: str, single: bool, on_drawn: _OnDrawn) -> Iterator[Html | None]:
    figures = _Figures(prefix, on_drawn)
    contents = [
        ("Comparison", _comparison(section)),
        ("Local or remote", offload_section(section, lambda drawing: figures.draw([drawing]))),
        ("Accuracy and time" if section.task == CLASSIFY else "Quality and time", _accuracy_and_time(section, figures)),
        ("Where the time goes", profile_section(section, figures.draw)),
        ("Sustained load", sustained_section(section, figures.draw)),
        ("Trials and latency", figures.draw([*section.trials, section.latency])),
        (
            "Mistakes and disagreements",
            fragment(figures.draw([section.confusion]), disagreements(section), task_disagreements(section)),
        ),
        ("Training", figures.draw([section.training])),
        ("Machines", machines_table(section) if section.runs else None),
        ("All measurements", _measurements(section)),
        ("Reliability", trust_section(section) if section.runs else None),
        ("How to repeat it", reproduce_section(section)),
    ]
    named = [(title, f"{prefix}-s{number}", content) for number, (title, content) in enumerate(contents)]
    named.insert(_AFTER_ANSWERS, ("Which Pi should I buy?", f"{prefix}-boards", boards_section(section)))
    present = [(title, name, content) for title, name, content in named if content]
    if not single:
        yield element("h1", _title(section))
    if section.identity.note:
        yield element("p", element("b", section.identity.note))
    if section.runs:
        yield answer(section)
        yield machine_answers(section)
    yield element(
        "nav",
        element("ul", *(element("li", element("a", title, href=f"#{name}")) for title, name, _ in present)),
        aria_label="Contents",
    )
    for title, name, content in present:
        yield element("section", element("h2", title), content, id=name)


class _Figures:
    """Draws figures and numbers them."""

    def __init__(self, prefix: str, on_drawn: _OnDrawn) -> None:
        self._prefix, self._on_drawn, self._count = prefix, on_drawn, 0

    def draw(self, drawings: Sequence[Drawing | None]) -> Html:
        """Return the figures in their order, without those that are None."""
        return fragment(*(self._draw_one(drawing) for drawing in drawings if drawing))

    def _draw_one(self, drawing: Drawing) -> Html:
        self._count += 1
        figure = figure_element(drawing, self._count, f"{self._prefix}-f{self._count}")
        self._on_drawn(drawing)
        return figure


def _comparison(section: BundleSection) -> Html | None:
    if section.comparison is None:
        return None
    comparison = _fastest_first(section.comparison)
    table = comparison_table(comparison, slacks=False)
    return fragment(
        element("p", f"All configurations {table.title}, the fastest first.", class_="small"),
        html_table(table, omit=_OMITTED_COLUMNS),
        _with_heading(across_table(comparison)),
        break_even(comparison),
        _with_heading(attribution_table(comparison)),
    )


def _fastest_first(comparison: Comparison) -> Comparison:
    """Return the comparison with the rows of each Run by time; those without a time are last."""
    runs = dict.fromkeys(row.run_id for row in comparison.rows)
    rows: list[Row] = []
    for run_id in runs:
        own = [row for row in comparison.rows if row.run_id == run_id]
        rows += [*by_time(own), *(row for row in own if not row.time)]
    return msgspec.structs.replace(comparison, rows=rows)


def _with_heading(table: Table | None) -> Html | None:
    """Return a table below its own heading, without its notes, which only repeat its cells."""
    if table is None:
        return None
    return fragment(element("h3", f"{table.title[:1].upper()}{table.title[1:]}"), html_table(table, notes=False))


def _accuracy_and_time(section: BundleSection, figures: _Figures) -> Html:
    drawn, total = len(section.drawn_entries), len(section.entries)
    remark = (
        f"The figures show {drawn:,} of {counted(total, 'configuration')}: the fastest of each machine, "
        f"variant and runtime "
        f"first. The tables have all of them, up to {MAX_ROWS:,}."
    )
    return fragment(
        element("p", remark) if drawn < total else None, figures.draw([section.accuracy_and_time, section.trade_off])
    )


def _measurements(section: BundleSection) -> Html:
    """Return one table per Run, without the notes, which are in the section on reliability.

    Repeats of a Run have one table of all complete ones, and one of the Run that the figures show.
    """
    parts: list[Html] = []
    for group, (name, shown) in zip(section.groups, section.shown_runs.items(), strict=True):
        complete = [run for run in group if run.complete]
        if len(group) > 1 and complete:
            parts += _titled("", repeats_table(complete))
        parts += _titled(f"{name}: " if len(group) > 1 else "", run_table(shown))
    return fragment(*parts)


def _titled(prefix: str, table: Table) -> list[Html]:
    heading = element("h3", with_badges(f"{prefix}{table.title}"))
    return [heading, html_table(table, notes=False, omit=_OMITTED_COLUMNS)]
