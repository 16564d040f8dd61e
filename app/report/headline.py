"""The main result in words: one sentence per pair of machines."""

import re

from edge_bench.app.render.units import counted, percent, seconds, size, with_interval
from edge_bench.bench.analysis.comparison.comparison import Row, Slack
from edge_bench.bench.analysis.comparison.headline import Headline
from edge_bench.bench.analysis.labels.same_images import common_positions, comparable_predictions
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.bundle import ORIGINAL
from edge_bench.bench.records.run import CLASSIFY, Run
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Verdict
from edge_bench.bench.tasks.measures import MeasureDifference, TaskAgreement
from edge_bench.bench.tasks.registry import task_named

__all__ = ["answer_sentence", "no_answer"]

#: Of the resamples behind an interval, as in figures.
_SEED = 0


def answer_sentence(headline: Headline, base_machine: str, light_machine: str) -> str:
    """Return the light model's quality, time and size against the original, and where running it is faster."""
    light, base = headline.light.configuration, headline.base.configuration
    model = "the original" if base.variant == ORIGINAL else f"the {base.variant} variant"
    original = f"{model} ({base.runtime}{f' on {base_machine}' if headline.across else ''})"
    clauses = [_accuracy(headline, original), "" if headline.emulated else _time(headline), _size(headline)]
    *first, last = [clause for clause in clauses if clause]
    assumed = headline.light_run.accuracy_assumed or headline.base_run.accuracy_assumed
    sentence = "ASSUMED ACCURACY: " if assumed else ""
    sentence += f"On {light_machine}, the light model ({light.variant} on {light.runtime}) "
    sentence += f"{', '.join(first)}, and {last}" if first else last
    if headline.emulated:
        sentence += "; as times here are EMULATED, how fast it is and where to run it get no answer"
    elif headline.slack:
        sentence += f"; {_offload_choice(headline.slack, f'on {light_machine}' if headline.across else 'here')}"
    return _with_no_break_spaces(f"{sentence}.")


def _with_no_break_spaces(sentence: str) -> str:
    """Return the sentence with no line breaks within an interval, or between a number and its unit."""
    sentence = re.sub(r"\[[^]]*\]", lambda match: match[0].replace(" ", "\N{NO-BREAK SPACE}"), sentence)
    return re.sub(r"(?<=\d) (?=%|s |µs|ms|[KM]iB|\[)", "\N{NO-BREAK SPACE}", sentence)


def no_answer(measured: bool) -> str:
    """Return the reason why there is no main result."""
    if measured:
        return "No answer: it takes a light variant and the original, and these Runs do not have both."
    return "No answer: every configuration failed. The reasons are below."


def _file_size(run: Run, row: Row) -> str:
    return size(next(result.bytes for result in run.results if result.configuration == row.configuration))


def _accuracy(headline: Headline, original: str) -> str:
    if headline.light_run.task != CLASSIFY:
        return _quality(headline, original)
    difference, agreement = headline.light.accuracy_difference, headline.light.agreement
    if difference is None:
        if agreement is None or not agreement.total:
            return f"has classified no images in common with {original}"
        return f"gives the label of {original} to {percent(agreement.same / agreement.total)} % of the images"
    low, high = 100 * difference.interval.low, 100 * difference.interval.high
    if difference.value == 0:
        interval = f"[{low:+.2f}, {high:+.2f}]".replace("-", "−")
        return f"is exactly as accurate as {original}, within {interval} percentage points"
    if difference.value < 0:
        low, high = -high, -low
    interval = f"[{low:.2f}, {high:.2f}]".replace("-", "−")
    points = f"{abs(100 * difference.value):.2f} {interval} percentage points"
    chance = ", which may be chance" if low <= 0 <= high else ""
    return f"is {points} {'more' if difference.value > 0 else 'less'} accurate than {original}{chance}"


def _quality(headline: Headline, original: str) -> str:
    """Return the difference of a task's first measure, or without true values the agreement."""
    difference, agreement = _task_difference(headline)
    if difference is None or difference.value is None:
        known = f": {agreement.text}" if agreement else ""
        return f"has outputs whose quality against {original} is unknown{known}"
    scale = 100.0 if difference.percent else 1.0
    unit = " percentage points" if difference.percent else ""
    if difference.value == 0:
        return f"has exactly the {difference.name} of {original}"
    interval = difference.interval
    shown = Interval(-interval.high, -interval.low) if interval and difference.value < 0 else interval
    chance = ", which may be chance" if interval and interval.low <= 0 <= interval.high else ""
    size_of = with_interval(abs(difference.value), shown, scale=scale).replace("-", "−")
    direction = "higher" if difference.value > 0 else "lower"
    return f"has a {difference.name} that is {size_of}{unit} {direction} than that of {original}{chance}"


def _task_difference(headline: Headline) -> tuple[MeasureDifference | None, TaskAgreement | None]:
    """Return the difference of the first measure and the agreement, light model against original; None if unknown."""
    light, base = (
        next(result for result in run.results if result.configuration == row.configuration)
        for run, row in ((headline.light_run, headline.light), (headline.base_run, headline.base))
    )
    if (
        light.outputs is None
        or base.outputs is None
        or not comparable_predictions(headline.light_run, headline.base_run)
    ):
        return None, None
    run = headline.light_run
    _, first, second = common_positions(run.images, headline.base_run.images)
    try:
        task = task_named(run.task)
        differences = task.differences(light.outputs, base.outputs, run.truth, (first, second), _SEED)
        return next(iter(differences), None), task.agreement(light.outputs, base.outputs, (first, second))
    except (EdgeBenchError, ValueError):  # outputs that cannot be compared, or of a damaged Run
        return None, None


def _size(headline: Headline) -> str:
    if not headline.light.size_ratio:
        return ""
    light, base = _file_size(headline.light_run, headline.light), _file_size(headline.base_run, headline.base)
    return f"has {percent(headline.light.size_ratio, 0)} % of its size ({light} instead of {base})"


def _time(headline: Headline) -> str:
    ratio, verdict = headline.light.ratio, headline.light.verdict
    if ratio is None:
        return ""
    duration = f"{with_interval(ratio.value, ratio.interval)} times as long"
    if verdict is Verdict.FASTER and ratio.interval:
        speed_interval = Interval(1 / ratio.interval.high, 1 / ratio.interval.low)
        return f"is {with_interval(1 / ratio.value, speed_interval)} times as fast"
    if verdict is Verdict.SLOWER:
        return f"takes {duration}"
    if verdict is Verdict.SAME:
        return f"takes the same time ({duration})"
    return f"takes {duration}, which leaves undecided whether it is faster"


def _offload_choice(slack: Slack, place: str) -> str:
    """Return the cost of an offload above which running the light model at ``place`` is faster."""
    if slack.interval is None:
        return "where to run it is undecided, because one process gives no interval"
    if slack.interval.high <= 0:
        return f"running it {place} is the faster choice whatever an offload costs"
    if slack.interval.low <= 0:
        return f"where to run it is undecided: {place} it is as fast as the original within what was measured"
    per_pass = with_interval(slack.seconds, slack.interval)
    per_image = seconds(slack.seconds / slack.images)
    return (
        f"running it {place} is the faster choice once an offload costs more than {per_pass} s a pass of "
        f"{counted(slack.images, slack.unit)} ({per_image} an {slack.unit}), and offloading the original up to that"
    )
