"""What is wrong now, from the records of nights: the last change of each configuration, and silent engines.

A notification reports a change once, in the night in which it is found. This module collects the reported changes that
have not ended since. It makes no judgement of its own on times.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_bench.app.nightly.judging.against_last import FAILS, LESS_ACCURATE
from edge_bench.app.nightly.notify.message import by_severity
from edge_bench.app.nightly.notify.send import NIGHTS_AGAIN
from edge_bench.bench.records.nights.night import (
    Finding,
    Level,
    Measurement,
    MeasurementState,
    Night,
    NightState,
    SilentEngine,
)
from edge_bench.bench.records.settings.configuration import Configuration
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["Found", "Standing", "not_sent", "silent_now", "standing"]

_TIMES = "times"


class Found(NamedTuple):
    """A change, and the number of the night in which it was found."""

    finding: Finding
    night: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong now."""

    last: Night
    running: bool  # whether the last night has not ended
    found: list[Found]  # the worst first
    silent: list[SilentEngine]
    gone: dict[str, int]  # engines that are in no settings any more, with their last night
    warnings: list[str]  # of the last judged night
    unsent: list[Night]  # of the last nights, those whose notification was not sent

    @property
    def findings(self) -> list[Finding]:
        """The changes, the worst first."""
        return [each.finding for each in self.found]


def standing(nights: Sequence[Night]) -> Standing | None:
    """Return what is wrong after these nights, which are in their order; None without any."""
    if not nights:
        return None
    judged = next((night for night in reversed(nights) if night.judged), None)
    engines = {each.engine for each in nights[-1].measurements}
    last_nights = {each.engine: night.number for night in nights for each in night.measurements}
    return Standing(
        last=nights[-1],
        running=nights[-1].state is NightState.RUNNING,
        found=_found(nights),
        silent=silent_now(nights),
        gone={engine: number for engine, number in last_nights.items() if engine not in engines},
        warnings=list(judged.warnings) if judged else [],
        unsent=[night for night in nights[-NIGHTS_AGAIN:] if not_sent(night)],
    )


def silent_now(nights: Sequence[Night]) -> list[SilentEngine]:
    """Return the silent engines of the last judged night, without those that delivered a Run since."""
    judged = next((index for index in reversed(range(len(nights))) if nights[index].judged), None)
    if judged is None:
        return []
    delivered = {
        each.engine
        for night in nights[judged:]
        for each in night.measurements
        if each.state is MeasurementState.DELIVERED
    }
    engines = {each.engine for each in nights[-1].measurements}
    return [each for each in nights[judged].silent if each.engine in engines and each.engine not in delivered]


def not_sent(night: Night) -> str:
    """Return why a notification of a night was not sent; empty if all were, or there was none to send."""
    if night.unsent:
        return "; ".join(f"{each.channel}: {each.reason}" for each in night.unsent)
    return "the night was interrupted" if night.was_cut_off and not night.deliveries else ""


def _found(nights: Sequence[Night]) -> list[Found]:
    """Return the last change of each configuration that was reported or is faster, if it has not ended."""
    last: dict[tuple[str, str, Configuration, str], Found] = {}
    for night in nights:
        for each in night.findings:
            if each.reported or each.verdict == Verdict.FASTER:
                kind = each.verdict if each.verdict in (FAILS, LESS_ACCURATE) else _TIMES
                last[each.model, each.engine, each.configuration, kind] = Found(each, night.number)
    measured = {(each.model, each.engine) for each in nights[-1].measurements}
    standing = {
        id(each.finding): each
        for each in last.values()
        if (each.finding.model, each.finding.engine) in measured and not _ended(each.finding, nights)
    }
    return [standing[id(finding)] for finding in by_severity([each.finding for each in standing.values()])]


def _ended(finding: Finding, nights: Sequence[Night]) -> bool:
    """Return whether later nights show that a change has ended. A change of times ends with the next one only."""
    since = [level for night in nights if night.number >= finding.since_night if (level := _level(night, finding))]
    if finding.verdict == FAILS:
        return bool(since)
    if finding.verdict != LESS_ACCURATE or not since:
        return False
    before = [level for night in nights if night.number < finding.since_night if (level := _level(night, finding))]
    old, new = (_correct(before[-1]) if before else None), _correct(since[-1])
    return old is not None and new is not None and new >= old


def _level(night: Night, finding: Finding) -> Level | None:
    for each in night.measurements:
        if _is_of(each, finding):
            return next((level for level in each.levels if level.configuration == finding.configuration), None)
    return None


def _is_of(measurement: Measurement, finding: Finding) -> bool:
    return (measurement.model, measurement.engine) == (finding.model, finding.engine)


def _correct(level: Level) -> float | None:
    return level.correct / level.seen if level.correct is not None and level.seen else None
