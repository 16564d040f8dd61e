"""Changes of tonight, before they are measured again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge_bench.app.nightly.judging.explain import changed_since
from edge_bench.app.nightly.judging.series import NightRun, series_of
from edge_bench.bench.analysis.over_time.changes import Change, Kind
from edge_bench.bench.analysis.over_time.found_in_nights import is_change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.nights.night import Finding, Night, Rule, TimeRatio
from edge_bench.bench.records.settings.configuration import Configuration
from edge_bench.bench.stats.chart_records import RULES
from edge_bench.bench.stats.comparisons.early_step import EARLY_RULES, early_return, early_step
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


class _Step(NamedTuple):
    """A change in a series, however it was found."""

    verdict: Verdict
    rule: Rule
    first: int  # index of the first night after it
    ratio: Ratio
    counts: tuple[int, int]  # of nights before and after it
    before: Sequence[float]  # logarithms
    p_value: float | None = None
    creeps: bool = False


def candidates_of(entries: Sequence[NightRun], place: Place, every: Sequence[Series]) -> list[Candidate]:
    """Return the changes of time of each configuration since the last night, that no earlier night reported.

    ``entries`` are the Runs of a model on an engine in the order of the nights, and ``every`` their `all_series`.
    """
    nights = {entry.measured.run_id: entry for entry in entries}
    starts, limit = _starts(place), 1 + place.slower
    found = []
    for series in every:
        step = _step(series, entries, starts)
        if step is None or not (step.ratio.value > limit or step.ratio.value < 1 / limit):
            continue
        candidate = _made(series, place, nights, step)
        if not _known(candidate.finding, place, creeps=step.creeps):
            found.append(candidate)
    return found


def all_series(entries: Sequence[NightRun], place: Place) -> list[Series]:
    """Return the series of each configuration of tonight's Run, which is the last of ``entries``.

    After a step that the early test found, a series starts again with that night: the history's rules would use the
    nights before it as part of the reference.
    """
    return list(_all_series(entries, place)) if entries and entries[-1].night == place.night else []


def _all_series(entries: Sequence[NightRun], place: Place) -> Iterator[Series]:
    starts = {configuration: finding.since_night for configuration, finding in _starts(place).items()}
    for start in sorted({1, *starts.values()}):
        for series in series_of([entry for entry in entries if entry.night >= start]):
            if starts.get(series.configuration, 1) == start:
                yield series


def _starts(place: Place) -> dict[Configuration, Finding]:
    """Return the last step of each configuration that the early test found: a series starts again with it."""
    return {
        finding.configuration: finding
        for night in place.earlier
        for finding in night.findings
        if is_change(finding) and finding.rule is Rule.EARLY and (finding.model, finding.engine) == place[:2]
    }


def _step(series: Series, entries: Sequence[NightRun], starts: Mapping[Configuration, Finding]) -> _Step | None:
    logs = [math.log(point.median) for point in series.points]
    if len(logs) > RULES.minimum:
        return _recent_change(series, logs)
    # the history has no limits for the last one
    step = early_step(logs)
    if step is None and (start := starts.get(series.configuration)):
        step = early_return(_before(series, entries, start), logs)
    if step is None:
        return None
    verdict = Verdict.SLOWER if step.ratio.value > 1 else Verdict.FASTER
    counts = step.first, len(logs) - step.first
    return _Step(verdict, Rule.EARLY, step.first, step.ratio, counts, logs[: step.first], step.p_value)


def _before(series: Series, entries: Sequence[NightRun], start: Finding) -> list[float]:
    """Return the logarithms of the times before a slowdown with which a short series starts again.

    They are empty for a step to faster times: the way back would be a slowdown in comparison with one or two nights.
    """
    if start.verdict != Verdict.SLOWER or len(series.points) >= EARLY_RULES.before + EARLY_RULES.after:
        return []
    same = series.configuration, series.estimator
    whole = next((each for each in series_of(entries) if (each.configuration, each.estimator) == same), series)
    earlier = whole.points[: -len(series.points)][-start.nights_before :]
    return [math.log(point.median) for point in earlier]


def _recent_change(series: Series, logs: Sequence[float]) -> _Step | None:
    """Return the last change that the history's rules found, if it lasts and was found in one of the last nights."""
    change: Change | None = next((each for each in reversed(series.changes) if each.lasts), None)
    if change is None or change.found < len(series.points) - _RECENT:
        return None
    counts, creeps = (change.runs_before, change.runs_after), change.kind is Kind.CREEP
    before = logs[max(0, change.index - RULES.trailing) : change.index]
    if creeps:  # the nights just before it was found are part of it
        steps = [each.index for each in series.changes if each.kind is Kind.STEP and each.index < change.index]
        first = max([0, *steps])
        before = logs[first : first + change.runs_before]
    return _Step(change.verdict, Rule.HISTORY, change.index, change.ratio, counts, before, creeps=creeps)


def _made(series: Series, place: Place, nights: Mapping[str, NightRun], step: _Step) -> Candidate:
    new, old = (nights[series.points[index].run_id] for index in (step.first, max(step.first - 1, 0)))
    last = nights[series.points[-1].run_id]
    finding = Finding(
        model=place.model,
        engine=place.engine,
        machine=series.machine,
        configuration=series.configuration,
        verdict=str(step.verdict),
        rule=step.rule,
        since_night=new.night,
        since=new.measured.began,
        ratio=time_ratio(step.ratio),
        nights_before=step.counts[0],
        nights_after=step.counts[1],
        p_value=step.p_value,
        last_good_run=old.measured.run_id,
        run_id=new.measured.run_id,
        differences=changed_since(old.run, last.run, series.configuration),
    )
    return Candidate(finding, step.before, last, old)


def time_ratio(ratio: Ratio) -> TimeRatio:
    """Return a ratio as it is recorded."""
    interval = ratio.interval
    return TimeRatio(ratio.value, interval.low if interval else None, interval.high if interval else None)


def _known(finding: Finding, place: Place, *, creeps: bool) -> bool:
    """Return whether an earlier night has reported the change.

    The last report of the series is the same change if its verdict is the same, and the change began before that
    report. A creep begins with the night in which it is found. This may move, since the nights that are compared do.
    """
    later = RULES.window if creeps else 0
    for night in reversed(place.earlier):
        for other in night.findings:
            if _same_series(finding, other) and is_change(other):
                return other.verdict == finding.verdict and finding.since_night <= night.number + later
    return False


def _same_series(finding: Finding, other: Finding) -> bool:
    names = ("model", "engine", "configuration")
    by_time = finding.verdict in (Verdict.SLOWER, Verdict.FASTER) and other.verdict in (Verdict.SLOWER, Verdict.FASTER)
    return by_time and all(getattr(finding, name) == getattr(other, name) for name in names)
