"""Changes of series that `edge-bench nightly` measures: those that its records have, so that both never disagree."""

from collections.abc import Iterable, Sequence

import msgspec

from edge_bench.bench.analysis.over_time.changes import Change, Kind
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.nights.night import Finding, Night, Rule
from edge_bench.bench.records.settings.configuration import Configuration
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.stats.ratios import Ratio, Verdict

__all__ = ["is_change", "with_changes_of_nights"]

_VERDICTS = {str(each): each for each in (Verdict.SLOWER, Verdict.FASTER)}
_Found = dict[tuple[str, Configuration], list[tuple[int, Finding]]]


def with_changes_of_nights(all_series: Sequence[Series], nights: Iterable[Night]) -> list[Series]:
    """Return the series. If the newest Run of one is of a night, its changes are those in the records of the nights.

    They are the changes of time that were reported, and those to faster ones, which are not reported. A change that the
    second measurement did not confirm is none.
    """
    found: _Found = {}
    for night in sorted(nights, key=lambda each: each.number):
        for finding in filter(_counts, night.findings):
            found.setdefault((finding.run_id, finding.configuration), []).append((night.number, finding))
    return [_judged(series, found) if series.points[-1].night is not None else series for series in all_series]


def is_change(finding: Finding) -> bool:
    """Return whether a finding counts: if it was reported, or is faster, which is never reported.

    A faster one does not count if the second measurement of its night did not show it.
    """
    rejected = finding.confirmation is not None and finding.confirmation.confirmed is False
    return finding.reported or (finding.verdict == Verdict.FASTER and not rejected)


def _counts(finding: Finding) -> bool:
    """Return whether a finding is a change within a series: a new model begins another one."""
    return finding.rule in (Rule.HISTORY, Rule.EARLY) and finding.verdict in _VERDICTS and is_change(finding)


def _judged(series: Series, found: _Found) -> Series:
    """Return a series with the changes that begin with one of its Runs."""
    positions = {point.night: index for index, point in enumerate(series.points)}
    here = [
        (number, index, finding)
        for index, point in enumerate(series.points)
        for number, finding in found.get((point.run_id, series.configuration), ())
    ]
    here.sort(key=lambda each: each[0])
    changes = [
        _change(finding, index, positions.get(number, index), lasts=finding is here[-1][2])
        for number, index, finding in here
    ]
    verdicts = {change.index: change.verdict for change in changes}
    points = [point.with_change(verdicts.get(index)) for index, point in enumerate(series.points)]
    return msgspec.structs.replace(series, points=points, changes=changes, total=None, of_nights=True)


def _change(finding: Finding, index: int, found: int, *, lasts: bool) -> Change:
    ratio = finding.ratio
    known = ratio is not None and ratio.low is not None and ratio.high is not None
    interval = Interval(ratio.low, ratio.high) if known else None  # type: ignore[union-attr,arg-type]
    return Change(
        kind=Kind.STEP,
        verdict=_VERDICTS[finding.verdict],
        index=index,
        found=found,
        run_id=finding.run_id,
        began=finding.since,
        ratio=Ratio(ratio.value if ratio else 1.0, interval),
        runs_before=finding.nights_before,
        runs_after=finding.nights_after,
        lasts=lasts,
        differences=list(finding.differences),
        night=finding.since_night,
    )
