"""The first line of a night in which no change is reported: what was measured, and what was compared."""

from collections.abc import Sequence

from edge_bench.bench.records.nights.night import Level, MeasurementState, Night
from edge_bench.bench.stats.comparisons.early_step import EARLY_RULES
from edge_bench.bench.wording import counted

__all__ = ["answer_line"]


def answer_line(night: Night) -> str:
    """Return whether there is a change that is not reported, or none, or that this cannot be said, and why not."""
    delivered = [each for each in night.measurements if each.state is MeasurementState.DELIVERED]
    runs = f"{len(delivered)} of {counted(len(night.measurements), 'Run')} delivered"
    if not delivered:
        return f"No answer in night {night.number}: {runs}"
    levels = [level for each in delivered for level in each.levels]
    needed = [_needed(level) for level in levels]
    judged = [level for level, nights in zip(levels, needed, strict=True) if nights == 0]
    early = [nights for nights in needed if nights]
    other = len(levels) - len(judged) - len(early)
    others = [f"{counted(other, 'configuration')} not compared (emulated, or see the notes)"] if other else []
    if recorded := list(dict.fromkeys(finding.verdict for finding in night.findings)):
        first = f"No change to report in night {night.number} (recorded: {', '.join(recorded)})"
    elif judged:
        first = f"No change in night {night.number}"
    elif early:
        first = f"Too early to say in night {night.number} whether times changed"
        return f"{first}: {'; '.join([_more(early), *others, runs])}"
    else:
        return f"No answer about times in night {night.number}: {'; '.join([*others, runs])}"
    parts = [f"{counted(len(judged), 'configuration')} compared with {_nights(judged)}"] if judged else []
    parts += [f"too early to say of {counted(len(early), 'configuration')}, {_more(early)}"] if early else []
    return f"{first}: {'; '.join([*parts, *others, runs])}"


def _needed(level: Level) -> int | None:
    """Return how many more nights it takes until a change of time can be found; None if times are not compared."""
    return None if level.nights_before is None else max(0, EARLY_RULES.before - level.nights_before)


def _more(needed: Sequence[int]) -> str:
    least, most = min(needed), max(needed)
    number = counted(most, "more night") if least == most else f"{least} to {counted(most, 'more night')}"
    return f"{number} {'is' if most == 1 else 'are'} needed"


def _nights(judged: Sequence[Level]) -> str:
    numbers = [level.nights_before or 0 for level in judged]
    least, most = min(numbers), max(numbers)
    return counted(most, "earlier night") if least == most else f"{least} to {counted(most, 'earlier night')}"
