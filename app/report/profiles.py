"""The report's section on operators: where the time of a configuration goes, and what explains a difference."""

from collections.abc import Callable, Sequence

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.render.table import Table
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.profiles.comparison import explained_pairs
from edge_bench.app.tables.profiles.difference import profile_names
from edge_bench.app.tables.profiles.operators import operator_table

__all__ = ["profile_section"]

#: Profiles with a table of all operators.
_MOST_TABLES = 6


def profile_section(section: BundleSection, draw: Callable[[Sequence[Drawing]], Html]) -> Html | None:
    """Return sentences, figures and tables of the profiles; None without any. ``draw`` returns figures as elements."""
    profiles = section.profiles
    if not profiles:
        return None
    pairs = explained_pairs(list(section.shown_runs.values()), section.comparison)
    sentences = [sentence for pair in pairs for sentence in pair.sentences]
    names = profile_names([each.profile for each in profiles], [section.machines[each.run.run_id] for each in profiles])
    shown = list(zip(profiles, names, strict=True))[:_MOST_TABLES]
    tables = [operator_table(each.profile, name) for each, name in shown]
    left_out = len(profiles) - len(shown)
    return fragment(
        element("ul", *(element("li", with_badges(each)) for each in sentences), class_="answers") if pairs else None,
        draw(section.operators),
        fragment(*(_titled(pair.table, notes=False) for pair in pairs[:1])),
        fragment(*(_titled(table) for table in tables)),
        element("p", f"{left_out} more profiles have no table here.", class_="small") if left_out else None,
    )


def _titled(table: Table, *, notes: bool = True) -> Html:
    return fragment(element("h3", with_badges(table.title)), html_table(table, notes=notes))
