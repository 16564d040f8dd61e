"""Changes of tonight, before they are measured again."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_bench.app.nightly.judging.explain import changed_since
from edge_bench.app.nightly.judging.series import NightRun, series_of
from edge_bench.bench.analysis.over_time.changes import Change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.nights.night import Finding, Night, Rule, TimeRatio
from edge_bench.bench.stats.chart_records import RULES
from edge_bench.bench.stats.comparisons.early_step import early_step
from edge_bench.bench.stats.ratios import Ratio, Verdict

__all__ = ["Candidate", "Place", "all_series", "candidates_of", "time_ratio"]

#: A change that the history's rules found in one of this many nights is reported, if it was not reported then.
_RECENT = 3


class Place(NamedTuple):
    """Where and when the Runs of a series were made."""

    model: str
    engine: str
    night: int  # tonight
    earlier: Sequence[Night]
    slower: float  # smallest change that counts, as a fraction of the time


@dataclass(frozen=True)
class Candidate:
    """A change, and what it takes to measure it again."""

    finding: Finding
    logs_before: Sequence[float] = ()  # of the times in the nights before the change
    new: NightRun | None = None
    old: NightRun | None = None  # the last good night


def candidates_of(entries: Sequence[NightRun], place: Place, every: Sequence[Series]) -> list[Candidate]:
    """Return the changes of time of each configuration since the last night, that no earlier night reported.

    ``entries`` are the Runs of a model on an engine in the order of the nights, and ``every`` their `all_series`.
    """
    nights = {entry.measured.run_id: entry for entry in entries}
    found = [_candidate(series, place, nights) for series in every]
    return [each for each in found if each is not None and not _known(each.finding, place)]


def all_series(entries: Sequence[NightRun], place: Place) -> list[Series]:
    """Return the series of each configuration of tonight's Run, which is the last of ``entries``.

    After a step that the early test found, a series starts again with that night: the history's rules would use the
    nights before it as part of the reference.
    """
    return list(_all_series(entries, place)) if entries and entries[-1].night == place.night else []


def _all_series(entries: Sequence[NightRun], place: Place) -> Iterator[Series]:
    starts = {
        finding.configuration: finding.since_night
        for night in place.earlier
        for finding in night.findings
        if finding.reported and finding.rule is Rule.EARLY and (finding.model, finding.engine) == place[:2]
    }
    for start in sorted({1, *starts.values()}):
        for series in series_of([entry for entry in entries if entry.night >= start]):
            if starts.get(series.configuration, 1) == start:
                yield series


def _candidate(series: Series, place: Place, nights: dict[str, NightRun]) -> Candidate | None:
    logs = [math.log(point.median) for point in series.points]
    if len(logs) <= RULES.minimum:  # the history has no limits for the last one
        step = early_step(logs)
        if step is None:
            return None
        verdict = Verdict.SLOWER if step.ratio.value > 1 else Verdict.FASTER
        first, ratio, counts = step.first, step.ratio, (step.first, len(logs) - step.first)
        rule, p_value, before = Rule.EARLY, step.p_value, logs[: step.first]
    else:
        change = _recent_change(series)
        if change is None:
            return None
        verdict, first, ratio, p_value = change.verdict, change.index, change.ratio, None
        rule, counts = Rule.HISTORY, (change.runs_before, change.runs_after)
        before = logs[max(0, first - RULES.trailing) : first]
    limit = 1 + place.slower
    if not (ratio.value > limit or ratio.value < 1 / limit):
        return None
    return _made(series, place, nights, (str(verdict), rule, first, ratio, p_value, counts), before)


def _recent_change(series: Series) -> Change | None:
    """Return the last change if it lasts and was found in one of the last nights."""
    change = next((each for each in reversed(series.changes) if each.lasts), None)
    if change is None or change.found < len(series.points) - _RECENT:
        return None
    return change


def _made(
    series: Series,
    place: Place,
    nights: dict[str, NightRun],
    parts: tuple[str, Rule, int, Ratio, float | None, tuple[int, int]],
    before: Sequence[float],
) -> Candidate:
    verdict, rule, first, ratio, p_value, counts = parts
    new, old = (nights[series.points[index].run_id] for index in (first, max(first - 1, 0)))
    last = nights[series.points[-1].run_id]
    finding = Finding(
        model=place.model,
        engine=place.engine,
        machine=series.machine,
        configuration=series.configuration,
        verdict=verdict,
        rule=rule,
        since_night=new.night,
        since=new.measured.began,
        ratio=time_ratio(ratio),
        nights_before=counts[0],
        nights_after=counts[1],
        p_value=p_value,
        last_good_run=old.measured.run_id,
        run_id=new.measured.run_id,
        differences=changed_since(old.run, last.run, series.configuration),
    )
    return Candidate(finding, before, last, old)


def time_ratio(ratio: Ratio) -> TimeRatio:
    """Return a ratio as it is recorded."""
    interval = ratio.interval
    return TimeRatio(ratio.value, interval.low if interval else None, interval.high if interval else None)


def _known(finding: Finding, place: Place) -> bool:
    """Return whether an earlier night has reported the change: the last report of the series is the same change."""
    for night in reversed(place.earlier):
        for other in night.findings:
            if _same_series(finding, other) and (other.reported or other.verdict == Verdict.FASTER):
                return other.verdict == finding.verdict and abs(other.since_night - finding.since_night) <= RULES.window
    return False


def _same_series(finding: Finding, other: Finding) -> bool:
    names = ("model", "engine", "configuration")
    by_time = finding.verdict in (Verdict.SLOWER, Verdict.FASTER) and other.verdict in (Verdict.SLOWER, Verdict.FASTER)
    return by_time and all(getattr(finding, name) == getattr(other, name) for name in names)
