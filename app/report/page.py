"""The page: the answer first, then what it rests on, then what it takes to repeat it."""

import datetime
from collections.abc import Callable, Iterator, Sequence

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.svg import figure_element
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import Table
from edge_bench.app.report.chapter import Chapter
from edge_bench.app.report.disagreements import disagreements
from edge_bench.app.report.headline import answer_sentence, no_answer
from edge_bench.app.report.machines import machines_table
from edge_bench.app.report.offload import here_or_there
from edge_bench.app.report.reproduce import how_to_repeat
from edge_bench.app.report.trust import trust_record
from edge_bench.app.tables.runs.attribution import attribution_table
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.cross_machine import across_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.version import __version__

__all__ = ["report_page"]

#: The page draws every trial, so its tables need no small bars of them.
_DRAWN = ("trials in order\n± farthest",)

Drawn = Callable[[Drawing], None]


def report_page(chapters: Sequence[Chapter], drawn: Drawn = lambda _: None) -> str:
    """The whole document; ``drawn`` is told each picture that has been drawn."""
    alone = len(chapters) == 1
    titles = [_title(chapter) for chapter in chapters]
    header = element(
        "header",
        element("p", f"edge-bench report · {_dates(chapters)}", class_="kind"),
        element("h1", titles[0] if alone else "Results on different bundles, side by side"),
        None
        if alone
        else element(
            "p",
            "These Runs are of different bundles: other models or other data. They are shown apart, never compared.",
        ),
    )
    body = [
        element("article", *_chapter(chapter, f"c{number}", alone, drawn), class_="chapter")
        for number, chapter in enumerate(chapters, start=1)
    ]
    footer = element("footer", element("p", f"Made by edge-bench {__version__}. {_READING}", class_="small"))
    return page(titles[0] if alone else "edge-bench report", STYLE, element("main", header, *body, footer))


_READING = (
    "Intervals have 95 % confidence. A time is called faster or slower only where the whole interval of its ratio, "
    "over fresh processes, is beyond ±2 %, the same only where it is within; anything else is undecided. Accuracies "
    "are compared on the same images. Times under an emulator are compared with nothing."
)


def _title(chapter: Chapter) -> str:
    return f"{chapter.identity.model} on {chapter.identity.dataset}"


def _dates(chapters: Sequence[Chapter]) -> str:
    began = [run.began for chapter in chapters for run in chapter.runs]
    began += [offload.began for chapter in chapters for offload in chapter.offloads]
    days = sorted({moment[:10] for moment in began})
    written = [_day(day) for day in dict.fromkeys([days[0], days[-1]])]
    return "measured " + " to ".join(written)


def _day(text: str) -> str:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def _chapter(chapter: Chapter, prefix: str, alone: bool, drawn: Drawn) -> Iterator[Html | None]:
    pictures = _Pictures(prefix, drawn)
    sections = [
        ("Comparison", _comparison(chapter)),
        ("Here or there", here_or_there(chapter, lambda drawing: pictures.all([drawing]))),
        ("Accuracy and time", _results(chapter, pictures)),
        ("Inside the measurement", pictures.all([*chapter.trials, chapter.latency])),
        ("Mistakes and disagreements", _mistakes(chapter, pictures)),
        ("Training", pictures.all([chapter.training])),
        ("Machines", machines_table(chapter) if chapter.runs else None),
        ("All measurements", _measurements(chapter)),
        ("What to believe", trust_record(chapter) if chapter.runs else None),
        ("To repeat it", how_to_repeat(chapter)),
    ]
    there = [(title, f"{prefix}-s{number}", content) for number, (title, content) in enumerate(sections) if content]
    if not alone:
        yield element("h1", _title(chapter))
    if chapter.identity.note:
        yield element("p", element("b", chapter.identity.note))
    if chapter.runs:
        yield _answers(chapter)
    yield element(
        "nav",
        element("ul", *(element("li", element("a", title, href=f"#{name}")) for title, name, _ in there)),
        aria_label="Contents",
    )
    for title, name, content in there:
        yield element("section", element("h2", title), content, id=name)


class _Pictures:
    """Draws and counts them."""

    def __init__(self, prefix: str, drawn: Drawn) -> None:
        self._prefix, self._drawn, self._count = prefix, drawn, 0

    def all(self, drawings: Sequence[Drawing | None]) -> Html:
        """Those that there are, one below the other."""
        return fragment(*(self._one(drawing) for drawing in drawings if drawing))

    def _one(self, drawing: Drawing) -> Html:
        self._count += 1
        figure = figure_element(drawing, self._count, f"{self._prefix}-f{self._count}")
        self._drawn(drawing)
        return figure


def _answers(chapter: Chapter) -> Html:
    sentences = [
        answer_sentence(answer, chapter.machines[answer.base_run.run_id], chapter.machines[answer.light_run.run_id])
        for answer in chapter.headlines
    ]
    return element(
        "ul",
        *(element("li", with_badges(sentence)) for sentence in sentences or [no_answer(bool(chapter.entries))]),
        class_="answers",
    )


def _comparison(chapter: Chapter) -> Html | None:
    if chapter.comparison is None:
        return None
    table = comparison_table(chapter.comparison)
    about = element("p", f"Every configuration {table.title}.", class_="small")
    return fragment(
        about,
        html_table(table, without=_DRAWN),
        _titled(across_table(chapter.comparison)),
        _titled(attribution_table(chapter.comparison)),
    )


def _titled(table: Table | None) -> Html | None:
    """A table below its own heading; its notes say what its cells say."""
    if table is None:
        return None
    return fragment(element("h3", f"{table.title[:1].upper()}{table.title[1:]}"), html_table(table, notes=False))


def _results(chapter: Chapter, pictures: _Pictures) -> Html:
    left = len(chapter.entries) - len(chapter.shown)
    remark = (
        f"The pictures show {len(chapter.shown):,} of {len(chapter.entries):,} configurations, the fastest of each "
        "machine, variant and runtime first; the tables have all."
    )
    return fragment(
        element("p", remark) if left else None, pictures.all([chapter.accuracy_and_time, chapter.trade_off])
    )


def _mistakes(chapter: Chapter, pictures: _Pictures) -> Html:
    return fragment(pictures.all([chapter.confusion]), disagreements(chapter))


def _measurements(chapter: Chapter) -> Html:
    """Without the notes: "What to believe" has them."""
    parts: list[Html] = []
    for run in chapter.runs:
        table = run_table(run)
        parts += [element("h3", with_badges(table.title)), html_table(table, notes=False, without=_DRAWN)]
    return fragment(*parts)
