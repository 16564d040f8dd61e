"""The table of slacks: what an offload may cost before running the light model locally is faster."""

from collections.abc import Sequence

from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import html_table
from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.answer.names import Sides, configuration_name
from edge_bench.bench.analysis.comparison.comparison import Comparison, Slack
from edge_bench.bench.records.run import Configuration

__all__ = ["break_even", "break_even_text"]

_MEANING = (
    "Slack: the time of the light model minus that of the original. An offload of the original pays if everything but "
    "the computation costs less than the slack. Never: the light model is faster without any offload. Undecided: the "
    "interval contains 0."
)
#: Follows a slack between two Runs.
_SEPARATE = " *"


def break_even(comparison: Comparison) -> Html | None:
    """Return a heading and a table with a row per slack, in ms per example; None without any."""
    if not comparison.slacks:
        return None
    unit, sides = comparison.unit, Sides(comparison.rows)
    header = [
        "light model",
        "an offload\npays",
        f"slack, ms/{unit}\n[95 %]",
        f"by mean times,\nms/{unit} [95 %]",
        "original",
    ]
    table = Table(
        "Break-even cost of an offload",
        header,
        [_row(slack, comparison, sides) for slack in comparison.slacks],
        keys=1,
        notes=[_MEANING, *_between_runs(comparison.slacks)],
    )
    return fragment(element("h3", table.title), html_table(table))


def break_even_text(slack: Slack) -> str:
    """Return ``below 30.0 ms/image``, the cost at which an offload of the original pays; ``never`` or ``undecided``."""
    if slack.interval is None:
        return "no interval"
    if slack.interval.high <= 0:
        return "never"
    if slack.interval.low <= 0:
        return "undecided"
    return f"below {significant(1e3 * slack.seconds / slack.images)} ms/{slack.unit}"


def _row(slack: Slack, comparison: Comparison, sides: Sides) -> list[str]:
    def name(configuration: Configuration, run_id: str) -> str:
        text = configuration_name(configuration, comparison.rows)
        return f"{text} ({sides.name(run_id)})" if sides.several else text

    scale = 1e3 / slack.images
    typical = with_interval(slack.seconds, slack.interval, scale=scale)
    mean = with_interval(slack.mean_seconds, slack.mean_interval, scale=scale)
    return [
        name(slack.light, slack.light_run),
        break_even_text(slack),
        typical if slack.same_run else f"{typical}{_SEPARATE}",
        f"{mean}, no interval: one outlier decides" if slack.mean_rests_on_outlier else mean,
        name(slack.original, slack.original_run),
    ]


def _between_runs(slacks: Sequence[Slack]) -> list[str]:
    """Return what the intervals of slacks between separate Runs include."""
    separate = [slack for slack in slacks if not slack.same_run]
    known = sorted({slack.variation for slack in separate if slack.variation})
    if not known:
        return ["* Between separate runs."] if separate else []
    ends = " to ".join(dict.fromkeys(significant(100 * each, 2) for each in (known[0], known[-1])))
    return [f"* Between separate runs: the interval includes {ends} % variation from run to run."]
