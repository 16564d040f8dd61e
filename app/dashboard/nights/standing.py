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
from edge_bench.bench.analysis.over_time.found_in_nights import is_change
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
        for each in filter(is_change, night.findings):
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
    """Return whether later Runs show that a change has ended, or that its configuration is no longer measured.

    A change of times ends with the next one, or with another model: the times of that one are another series.
    """
    runs = _runs([night for night in nights if night.number >= finding.since_night], finding)
    if not runs:
        return False
    if _is_left_out(runs[-1], finding):
        return True
    since = [level for each in runs if (level := _level(each, finding))]
    if finding.verdict == FAILS:
        return bool(since)
    if finding.verdict != LESS_ACCURATE:
        bundles = [each.bundle_sha256 for each in runs if each.bundle_sha256]
        return bool(bundles) and bundles[-1] != bundles[0]
    good = _last_good(_runs([night for night in nights if night.number < finding.since_night], finding), finding)
    old, new = (_correct(good) if good else None), (_correct(since[-1]) if since else None)
    return old is not None and new is not None and new >= old


def _runs(nights: Sequence[Night], finding: Finding) -> list[Measurement]:
    """Return the measurements of the model on the engine that have a Run."""
    return [
        each
        for night in nights
        for each in night.measurements
        if (each.model, each.engine) == (finding.model, finding.engine) and each.run_id
    ]


def _last_good(runs: Sequence[Measurement], finding: Finding) -> Level | None:
    """Return the configuration in the last good Run, or in the last one before the change if that is not known."""
    good = [each for each in runs if each.run_id == finding.last_good_run] or runs
    return next((level for each in reversed(good) if (level := _level(each, finding))), None)


def _level(run: Measurement, finding: Finding) -> Level | None:
    return next((level for level in run.levels if level.configuration == finding.configuration), None)


def _is_left_out(run: Measurement, finding: Finding) -> bool:
    """Return whether a Run was not asked to measure the configuration; False if that is not known."""
    return run.failed is not None and finding.configuration not in run.failed and _level(run, finding) is None


def _correct(level: Level) -> float | None:
    return level.correct / level.seen if level.correct is not None and level.seen else None
