"""The first sentences of the pages about nights. What changed, and how certain it is, is worded by the notification."""

import datetime
from collections.abc import Sequence

from edge_bench.app.dashboard.ages import age, seconds_since
from edge_bench.app.dashboard.elements import listed
from edge_bench.app.dashboard.nights.standing import Standing, not_sent
from edge_bench.app.nightly.notify.message import by_severity, change_line, engine_line, finding_line, shown_ratio
from edge_bench.app.render.escaping import one_line, shortened
from edge_bench.app.render.units import significant
from edge_bench.bench.records.nights.night import Finding, MeasurementState, Night, SilentEngine
from edge_bench.bench.wording import counted

__all__ = ["delivered_runs", "headline", "night_headline", "notification", "standing_lines"]

#: Most parts of the headline, and characters of each.
_PARTS, _PART = 3, 200
#: Most sentences of one kind below it.
_LINES = 20


def headline(standing: Standing, now: datetime.datetime, silent_after_s: float) -> str:
    """Return the answer: engines that are slower or silent and since when, or that nothing changed."""
    parts = [*_overdue(standing.last, now, silent_after_s), *_groups(standing.findings), *_silent(standing.silent)]
    if not parts:
        return f"No change up to night {standing.last.number}: {delivered_runs(standing.last)} delivered"
    return _joined(parts)


def standing_lines(standing: Standing) -> list[tuple[str, int | None]]:
    """Return a sentence for each change and silent engine as the notification has it, then those on the last night.

    Beside each is the night whose page has more.
    """
    last = standing.last
    lines: list[tuple[str, int | None]] = [
        *_some([(finding_line(each.finding), each.night) for each in standing.found], "change"),
        *_some([(engine_line(each), each.since_night) for each in standing.silent], "silent engine"),
        *((each, None) for each in standing.warnings),
    ]
    if standing.running:
        lines.append((f"Night {last.number} has not ended yet: {delivered_runs(last)} so far.", last.number))
    for night in standing.unsent:
        lines.append((f"The notification of night {night.number} was not sent: {not_sent(night)}.", night.number))
    for engine, number in standing.gone.items():
        lines.append((f"{engine} was last part of night {number}: it is no longer in the settings.", number))
    return lines


def night_headline(night: Night) -> str:
    """Return what a night found, without how certain it is."""
    parts = [*_groups(by_severity(night.reported)), *_silent(night.silent)]
    if parts:
        return _joined(parts)
    state = "no change" if night.judged else "not compared yet" if not night.ended else "interrupted, not compared"
    return f"Night {night.number}: {state}, {delivered_runs(night)} delivered"


def delivered_runs(night: Night) -> str:
    """Return ``2 of 3 Runs``."""
    count = sum(each.state is MeasurementState.DELIVERED for each in night.measurements)
    return f"{count} of {counted(len(night.measurements), 'Run')}"


def notification(night: Night) -> str:
    """Return whether the notification of a night was sent."""
    if reason := not_sent(night):
        return f"not sent: {reason}"
    if night.deliveries:
        return f"sent by {', '.join(each.channel for each in night.deliveries)}"
    if not night.judged:
        return "none"
    return "no channel is set up" if night.worth_reporting else "nothing to report"


def _joined(parts: Sequence[str]) -> str:
    more = f" (and {len(parts) - _PARTS} more)" if len(parts) > _PARTS else ""
    return ". ".join(shortened(one_line(part), _PART) for part in parts[:_PARTS]) + more


def _some(lines: Sequence[tuple[str, int]], noun: str) -> list[tuple[str, int | None]]:
    more = len(lines) - _LINES
    return [*lines[:_LINES], *([(f"and {counted(more, noun)} more", None)] if more > 0 else [])]


def _overdue(last: Night, now: datetime.datetime, silent_after_s: float) -> list[str]:
    """Return that nights have stopped, since everything else is then out of date."""
    seconds = seconds_since(last.began, now)
    if seconds is None or seconds <= silent_after_s:
        return []
    return [f"No night since {last.began[:10]} (night {last.number}), {age(last.began, now)}"]


def _groups(findings: Sequence[Finding]) -> list[str]:
    """Return a part for all changes of one kind since the same night."""
    groups: dict[tuple[str, int, str], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.verdict, each.since_night, each.since[:10]), []).append(each)
    return [change_line(group[0]) if len(group) == 1 else _group(group) for group in groups.values()]


def _group(group: Sequence[Finding]) -> str:
    first = group[0]
    ratios = sorted(ratio.value for each in group if (ratio := shown_ratio(each)))
    size = " to ".join(dict.fromkeys(f"{significant(each)}×" for each in (ratios[:1] + ratios[-1:])))
    what = f"{counted(len(group), 'configuration')}{f', {size} the time' if size else ''}"
    engines = listed(list(dict.fromkeys(each.engine for each in group)))
    return f"{first.verdict.capitalize()} on {engines} since {first.since[:10]} (night {first.since_night}): {what}"


def _silent(silent: Sequence[SilentEngine]) -> list[str]:
    """Return a part for the engines that are silent since the same night."""
    groups: dict[tuple[bool, int, str], list[str]] = {}
    for each in silent:
        groups.setdefault((each.answers, each.since_night, each.since[:10]), []).append(each.engine)
    return [
        f"{'Failed' if answers else 'Silent'} since {date} (night {number}): {listed(names)}"
        for (answers, number, date), names in groups.items()
    ]
