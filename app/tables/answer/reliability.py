"""The sentence that says whether times are reliable, and what to do if not."""

from typing import NamedTuple

from edge_bench.app.render.text.wrapping import first_that_fits
from edge_bench.bench.analysis.times.reliability import Reason

__all__ = ["EMULATED_TIMES", "MEASURE_ON_DEVICE", "Reliable", "reason_is_whole", "reliability_texts"]

#: The answer if all times are emulated.
EMULATED_TIMES = "No verdict on speed: the times are EMULATED. Predictions are valid."
#: Instead of that sentence, if all times are emulated.
MEASURE_ON_DEVICE = "! Measure times on the real device."


class Reliable(NamedTuple):
    """Whether times are reliable, and how many of them vary."""

    trusted: bool | None  # None: not known
    reason: Reason | None  # the most important one why they are not
    unstable: int  # whose times vary by 10 % or more
    measured: int
    noun: str  # of the measured configurations or machines, in the singular
    where: str = ""  # machine that has the reason, if there are several


def reliability_texts(times: Reliable) -> list[str]:
    """Return whether times are reliable and the one thing to do if not, from the longest text to the shortest."""
    vary = f"{times.unstable} of {times.measured}"
    noun = f"{times.noun}{'' if times.measured == 1 else 's'}"
    by = f"{'varies' if times.unstable == 1 else 'vary'} by 10 % or more (~)"
    spread = f"{vary} {noun} {by}", f"{vary} {by}"
    if times.trusted:
        return ["Times are reliable: nothing was found that disturbed them.", "Times are reliable."]
    if times.reason is None:
        if not times.unstable:
            return ["Unknown whether times are reliable: the Run does not record it."] if times.trusted is None else []
        return [f"! Times are not reliable: {each}. Stop other programs." for each in spread]
    where = f" on {times.where}" if times.where else ""
    start, *short = (f"! {words} reliable{where}" for words in ("Times are not", "Times not", "Not"))
    remedy = _sentence(_clause(times.reason.remedy))
    if times.reason.spread:
        return [
            *(f"{start}: {each}. {remedy}" for each in spread),
            *(f"{each}: {spread[1]}. {remedy}" for each in short),
        ]
    what = _clause(times.reason.what)
    texts = [f"{start}: {what}; {spread[1]}. {remedy}"] if times.unstable else []
    return [*texts, *(f"{each}: {what}. {remedy}" for each in (start, *short)), f"{start}: {what}."]


def reason_is_whole(times: Reliable | None, width: int) -> bool:
    """Return whether the reliability sentence has the reason's remedy, so that no note needs to repeat it."""
    if times is None or times.reason is None or times.reason.spread:
        return True
    texts = reliability_texts(times)
    return len(texts) == 1 or first_that_fits(width, texts) != texts[-1]


def _clause(text: str) -> str:
    """Return the first clause of a finding."""
    for separator in (": ", "; ", ", so ", ", "):
        text = text.split(separator, maxsplit=1)[0]
    return text


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
