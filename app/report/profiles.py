"""Where the time of configurations goes: a section of the report, and the page that ``profile --figure`` writes."""

from collections.abc import Callable, Sequence

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.figures.drawing.svg import figure_element
from edge_bench.app.figures.profiles.operator_times import operator_times
from edge_bench.app.figures.profiles.roofline import roofline
from edge_bench.app.render.html.css import STYLE
from edge_bench.app.render.html.elements import Html, element, fragment, page
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import Table
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.profiles.comparison import ExplainedPair, pairs_of
from edge_bench.app.tables.profiles.difference import profile_names
from edge_bench.app.tables.profiles.sentences import profile_answer
from edge_bench.app.tables.profiles.table import profile_table
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.wording import counted

__all__ = ["profile_drawings", "profile_page", "profile_section"]

TITLE = "Where the time goes"
#: Profiles with a table of all operators.
_MOST_TABLES = 6


def profile_section(section: BundleSection, draw: Callable[[Sequence[Drawing]], Html]) -> Html | None:
    """Return sentences, figures and tables of the profiles; None without any. ``draw`` returns figures as elements."""
    profiles = [each.profile for each in section.profiles]
    return _content(profiles, section.profile_pairs, draw(section.operators)) if profiles else None


def profile_page(profiles: Sequence[Profile]) -> str:
    """Return a page of its own about these profiles."""
    figures = [figure_element(each, number, f"f{number}") for number, each in enumerate(profile_drawings(profiles), 1)]
    content = _content(profiles, pairs_of(profiles), fragment(*figures))
    return page(f"edge-bench: {TITLE.lower()}", STYLE, element("main", element("h1", TITLE), content))


def profile_drawings(profiles: Sequence[Profile]) -> list[Drawing]:
    """Return time and roofline of the operators of one profile, or of the two that are compared first."""
    pairs = pairs_of(profiles)
    shown = pairs[0].profiles if pairs else profiles[:1]
    names = pairs[0].names if pairs else profile_names(shown)
    return [drawing for drawing in (operator_times(shown, names), roofline(shown, names)) if drawing]


def _content(profiles: Sequence[Profile], pairs: Sequence[ExplainedPair], figures: Html) -> Html:
    sentences = [sentence for pair in pairs for sentence in pair.sentences] or [f"{profile_answer(profiles[0])}."]
    tables = [profile_table(profile) for profile in profiles[:_MOST_TABLES]]
    left_out = len(profiles) - len(tables)
    more = f"{counted(left_out, 'more profile')}: see the JSON output."
    return fragment(
        element("ul", *(element("li", with_badges(each)) for each in sentences), class_="answers"),
        figures,
        fragment(*(_titled(pair.table, notes=False) for pair in pairs[:1])),
        fragment(*(_titled(table) for table in tables)),
        element("p", more, class_="small") if left_out else None,
    )


def _titled(table: Table, *, notes: bool = True) -> Html:
    return fragment(element("h3", with_badges(table.title)), html_table(table, notes=notes))
