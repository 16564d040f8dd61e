"""Sentences on the paper's slack: the break-even cost of an offload."""

from collections.abc import Mapping

from edge_bench.app.render.units import counted, significant, with_interval
from edge_bench.bench.analysis.comparison.slack import Slack
from edge_bench.bench.records.run import Configuration

__all__ = ["slack_sentence"]


def slack_sentence(slack: Slack, letters: Mapping[str, str] | None = None) -> str:
    """Return the slack of typical times, its meaning, the slack of mean times, and any assumption.

    ``letters`` name the sides of a table with several, by the id of the first Run of a side.
    """
    original = f"the original on {_runtime(slack.original)}"
    name = _model(slack.light)
    if letters:
        name = f"{letters[slack.light_run]}: {name}"
        if slack.original_run != slack.light_run:
            original += f" of {letters[slack.original_run]}"
    name = f"what an offload may cost (slack), {name}"
    if not slack.same_machine:
        name += f" on {slack.light_machine}, against the original on {slack.original_machine}"
    elif not slack.same_run:
        original += " in another run on the same machine"
    value = f"{with_interval(slack.seconds, slack.interval)} s per pass of {counted(slack.images, slack.unit)}"
    clauses = [_meaning(slack, original), _mean(slack)]
    if not slack.same_run:
        included = f", with {significant(100 * slack.variation, 2)} % run-to-run variation" if slack.variation else ""
        clauses.append(f"between separate runs{included}")
    return f"{name}: {value}: {'; '.join(clauses)}"


def _meaning(slack: Slack, original: str) -> str:
    if slack.interval is None:
        return f"against {original}; one process, so no interval"
    if slack.interval.high <= 0:
        return f"running it locally is faster than {original}, whatever an offload costs"
    if slack.interval.low <= 0:
        return f"undecided, because the interval includes 0: it may be as fast as {original}"
    return f"running it locally is faster than {original} only if an offload costs more than that"


def _mean(slack: Slack) -> str:
    text = f"by mean times {with_interval(slack.mean_seconds, slack.mean_interval)} s"
    if slack.mean_rests_on_outlier:
        return f"{text}, without an interval because an outlier dominates a mean"
    return text


def _model(configuration: Configuration) -> str:
    return f"{configuration.variant} on {_runtime(configuration)}"


def _runtime(configuration: Configuration) -> str:
    """Return the runtime, with threads and batch size if they are not 1, and the delegate if it is set."""
    threads = f", {configuration.threads} threads" if configuration.threads > 1 else ""
    batch = f", batch {configuration.batch_size}" if configuration.batch_size > 1 else ""
    delegate = f", delegate {configuration.delegate}" if configuration.delegate else ""
    return f"{configuration.runtime}{threads}{batch}{delegate}"
