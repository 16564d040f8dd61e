"""The answer in words: one sentence a machine pair."""

import re

from edge_bench.app.render.units import percent, seconds, size, with_interval
from edge_bench.bench.analysis.comparison import Slack
from edge_bench.bench.analysis.headline import Headline
from edge_bench.bench.records.bundle import ORIGINAL
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["answer_sentence", "no_answer"]


def answer_sentence(answer: Headline, base_machine: str, light_machine: str) -> str:
    """What the light model costs in accuracy, gains in time and size, and where running it is the faster choice."""
    light, base = answer.light.configuration, answer.base.configuration
    original = "the original" if base.variant == ORIGINAL else f"the {base.variant} variant"
    against = f"{original} ({base.runtime}{f' on {base_machine}' if answer.across else ''})"
    gains = [_accuracy(answer, against), "" if answer.emulated else _time(answer), _size(answer)]
    *first, last = [gain for gain in gains if gain]
    sentence = f"On {light_machine}, the light model ({light.variant} on {light.runtime}) "
    sentence += f"{', '.join(first)}, and {last}" if first else last
    if answer.emulated:
        sentence += "; as times here are EMULATED, how fast it is and where to run it get no answer"
    elif answer.slack:
        sentence += f"; {_choice(answer.slack, f'on {light_machine}' if answer.across else 'here')}"
    return _unbroken(f"{sentence}.")


def _unbroken(sentence: str) -> str:
    """Keeps an interval, and a number and its unit, on one line."""
    sentence = re.sub(r"\[[^]]*\]", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), sentence)
    return re.sub(r"(?<=\d) (?=%|s |µs|ms|[KM]iB|\[)", "\N{NO-BREAK SPACE}", sentence)


def no_answer(measured: bool) -> str:
    """Why there is no sentence."""
    if measured:
        return "No answer: it takes a light variant and the original, and these Runs do not have both."
    return "No answer: every configuration failed. The reasons are below."


def _bytes(answer: Headline, *, light: bool) -> int:
    run, row = (answer.light_run, answer.light) if light else (answer.base_run, answer.base)
    return next(result.bytes for result in run.results if result.configuration == row.configuration)


def _accuracy(answer: Headline, against: str) -> str:
    difference, agreement = answer.light.accuracy_difference, answer.light.agreement
    if difference is None:
        if agreement is None or not agreement.total:
            return f"has classified no images in common with {against}"
        return f"gives the label of {against} to {percent(agreement.same / agreement.total)} % of the images"
    low, high = 100 * difference.interval.low, 100 * difference.interval.high
    if difference.value == 0:
        within = f"[{low:+.2f}, {high:+.2f}]".replace("-", "−")
        return f"is exactly as accurate as {against}, within {within} percentage points"
    if difference.value < 0:
        low, high = -high, -low
    interval = f"[{low:.2f}, {high:.2f}]".replace("-", "−")
    points = f"{abs(100 * difference.value):.2f} {interval} percentage points"
    chance = ", which may be chance" if low <= 0 <= high else ""
    return f"is {points} {'more' if difference.value > 0 else 'less'} accurate than {against}{chance}"


def _size(answer: Headline) -> str:
    if not answer.light.size_ratio:
        return ""
    sizes = f"{size(_bytes(answer, light=True))} instead of {size(_bytes(answer, light=False))}"
    return f"has {percent(answer.light.size_ratio, 0)} % of its size ({sizes})"


def _time(answer: Headline) -> str:
    ratio, verdict = answer.light.ratio, answer.light.verdict
    if ratio is None:
        return ""
    as_long = f"{with_interval(ratio.value, ratio.interval)} times as long"
    if verdict is Verdict.FASTER and ratio.interval:
        turned = Interval(1 / ratio.interval.high, 1 / ratio.interval.low)
        return f"is {with_interval(1 / ratio.value, turned)} times as fast"
    if verdict is Verdict.SLOWER:
        return f"takes {as_long}"
    if verdict is Verdict.SAME:
        return f"takes the same time ({as_long})"
    return f"takes {as_long}, which leaves undecided whether it is faster"


def _choice(slack: Slack, here: str) -> str:
    """Up to which delay of an offload running the light model is the slower choice."""
    if slack.interval is None:
        return "where to run it is undecided, because one process gives no interval"
    if slack.interval.high <= 0:
        return f"running it {here} is the faster choice whatever an offload costs"
    if slack.interval.low <= 0:
        return f"where to run it is undecided: {here} it is as fast as the original within what was measured"
    figure = with_interval(slack.seconds, slack.interval)
    each = seconds(slack.seconds / slack.images)
    return (
        f"running it {here} is the faster choice once an offload costs more than {figure} s a pass of "
        f"{slack.images:,} images ({each} an image), and offloading the original up to that"
    )
