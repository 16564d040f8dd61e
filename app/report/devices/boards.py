"""The report's section "Which Pi should I buy?": predicted times on Raspberry Pi boards."""

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table, with_badges
from edge_bench.app.report.bundle_section import BundleSection
from edge_bench.app.tables.boards import PREDICTED, boards_table
from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.prediction.answer import subjects

__all__ = ["boards_section"]


def boards_section(section: BundleSection) -> Html | None:
    """Return the predictions of the bundle's variants beside the measurements; None without a bundle.

    The files of the variants are needed, so the bundle must be given with --bundle.
    """
    if section.bundle is None:
        return None
    try:
        models = subjects(section.bundle.folder)
    except (BadInput, MissingDependency):  # no variant is a .tflite file, one was altered, or LiteRT is not installed
        return None
    table = boards_table(models, section.comparison.rows if section.comparison else [], section.machines)
    if table is None:
        return None
    lead = (
        f"{PREDICTED}, not measured: the times of this model on boards that are not at hand. "
        "A board is fast enough if the upper end of its interval is below the time that you need. Before you buy many, "
        "measure on one: "
        "edge-bench run, or edge-bench calibrate for predictions that fit your board."
    )
    return fragment(element("p", with_badges(lead)), html_table(table))
