"""Checks whether the order of Runs by their clocks can be trusted."""

import datetime
from collections.abc import Sequence

from edge_bench.bench.analysis.over_time.measured import MeasuredRun

__all__ = ["in_order", "order_notes"]


def in_order(runs: Sequence[MeasuredRun]) -> list[MeasuredRun]:
    """Return the Runs in the order in which they began, by their machines' clocks, or by that of their nights."""
    return sorted(runs, key=lambda run: (datetime.datetime.fromisoformat(run.order or run.began), run.run_id))


def order_notes(runs: Sequence[MeasuredRun], now: datetime.datetime) -> list[str]:
    """Return a note for each kind of Run whose position in the order is doubtful because of its clock.

    A clock change between two Runs cannot be detected if the Runs do not overlap.
    """
    earlier: dict[tuple[str, ...], MeasuredRun] = {}  # for each machine, the Run that ended last
    backwards, overlapping, future = list[MeasuredRun](), list[MeasuredRun](), list[MeasuredRun]()
    for run in in_order(runs):
        began, ended = datetime.datetime.fromisoformat(run.began), _ended(run)
        if began > now:
            future.append(run)
        if ended < began:
            backwards.append(run)
        key = (*run.description.machine_key, run.description.hostname)
        before = earlier.setdefault(key, run)
        if before is not run and began < _ended(before) and not run.order:
            overlapping.append(run)
        if ended > _ended(before):
            earlier[key] = run
    reasons = [
        (backwards, "ended before it began, so the clock was set back"),
        (overlapping, "began before an earlier Run of its machine ended: they overlapped, or the clock was set back"),
        (future, "began in the future, so a clock is wrong"),
    ]
    return [f"{_named(found)} {reason}; the order of the Runs may be wrong" for found, reason in reasons if found]


def _ended(run: MeasuredRun) -> datetime.datetime:
    """Return when the Run ended, or when it began if its end is unknown."""
    try:
        ended = datetime.datetime.fromisoformat(run.ended)
    except ValueError:
        return datetime.datetime.fromisoformat(run.began)
    return ended if ended.tzinfo else ended.replace(tzinfo=datetime.UTC)


def _named(runs: Sequence[MeasuredRun]) -> str:
    more = f" (and {len(runs) - 1} more)" if len(runs) > 1 else ""
    return f"run {runs[0].run_id[:8]} of {runs[0].began[:16].replace('T', ' ')}{more}"
