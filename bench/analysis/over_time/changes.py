"""Changes of a series' times: confirmed steps and creep, with their sizes."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from edge_bench.bench.analysis.over_time.measured import Measurement
from edge_bench.bench.stats.chart_records import RULES, Creep, Mark, Step
from edge_bench.bench.stats.control_chart import ControlChart
from edge_bench.bench.stats.intervals import welch_error
from edge_bench.bench.stats.ratios import Ratio, Verdict, ratio_from

__all__ = ["Change", "Kind", "changes", "total_change"]


class Kind(StrEnum):
    """How the time changed."""

    STEP = "step"
    CREEP = "creep"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a series' times between Runs."""

    kind: Kind
    verdict: Verdict  # faster or slower
    index: int  # position in the series: the first Run after a step, or the Run with which a creep was found
    found: int  # position of the Run with which it was found
    run_id: str
    began: str  # of that Run; UTC, ISO 8601
    ratio: Ratio  # after to before, with Welch's 95 % interval over Runs
    runs_before: int  # number of Runs before the change in ``ratio``
    runs_after: int  # number of Runs after the change in ``ratio``
    lasts: bool  # a step: no later one; a creep: the last Runs are still slower or faster
    differences: list[str]  # between the Runs before and after, as text; see `_reason_range`
    night: int | None = None  # number of the night with which it began, if `edge-bench nightly` found it


def changes(control: ControlChart, logs: Sequence[float], measurements: Sequence[Measurement]) -> list[Change]:
    """Return the steps and creeps of a series in the order in which they were found.

    ``logs`` are logarithms of seconds per image, which ``control`` has judged, one for each of ``measurements``.
    """
    found = []
    firsts = [step.first for step in control.steps]
    for number, step in enumerate(control.steps):
        end = firsts[number + 1] if step is not control.steps[-1] else len(logs)
        usual = _usual(control, logs, step.first, end)
        parts = (step.side, step.first, measurements, step.before, usual, _reason_range(step, firsts[:number]))
        found.append(
            (step.confirmed, _change(Kind.STEP, *parts, found=step.confirmed, lasts=step is control.steps[-1]))
        )
    for creep in control.creeps:
        parts = (creep.side, creep.found, measurements, creep.before, creep.after, _reason_range(creep, firsts))
        found.append((creep.found, _change(Kind.CREEP, *parts, found=creep.found, lasts=creep.ended is None)))
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]


def total_change(control: ControlChart, logs: Sequence[float]) -> Ratio | None:
    """Return the ratio of the last Runs to those before the first change; None unless there are several changes.

    The last Runs are those since the last step. During a creep, they are the last seven of them, without outliers.
    """
    if not control.steps or len(control.steps) + len(control.creeps) < 2:
        return None
    befores = [(step.confirmed, step.before) for step in control.steps[:1]]
    befores += [(creep.found, creep.before) for creep in control.creeps[:1]]
    _, before = min(befores, key=lambda pair: pair[0])
    last = _usual(control, logs, control.steps[-1].first, len(logs))
    creeps = bool(control.creeps) and control.creeps[-1].ended is None
    return _ratio(last[-RULES.window :] if creeps else last, before)


def _reason_range(change: Step | Creep, firsts: Sequence[int]) -> tuple[int, int]:
    """Return the indices of the Runs between which the reason of a change may lie.

    For a step, they are seven Runs before it, because it may by chance begin later than its reason, and the Run that
    confirmed it. For a creep, they are the first Run since the last step, and the Run with which it was found.
    ``firsts`` are the indices of the earlier steps.
    """
    if isinstance(change, Step):
        return max([0, change.first - RULES.window, *firsts]), change.confirmed
    return max([0, *(first for first in firsts if first < change.found)]), change.found


def _usual(control: ControlChart, logs: Sequence[float], first: int, end: int) -> list[float]:
    unusual = (Mark.OUTLIER, Mark.UNCONFIRMED)
    return [logs[index] for index in range(first, end) if control.marks[index] not in unusual]


def _ratio(after: Sequence[float], before: Sequence[float]) -> Ratio:
    later, earlier = np.array(after), np.array(before)
    error, freedom = welch_error(later, earlier) or (None, None)
    return ratio_from(float(later.mean() - earlier.mean()), error, freedom)


def _change(
    kind: Kind,
    side: int,
    index: int,
    measurements: Sequence[Measurement],
    before: Sequence[float],
    after: Sequence[float],
    around: tuple[int, int],
    *,
    found: int,
    lasts: bool,
) -> Change:
    run = measurements[index].run
    return Change(
        kind=kind,
        verdict=Verdict.SLOWER if side > 0 else Verdict.FASTER,
        index=index,
        found=found,
        run_id=run.run_id,
        began=run.began,
        ratio=_ratio(after, before),
        runs_before=len(before),
        runs_after=len(after),
        lasts=lasts,
        differences=measurements[around[0]].differences_to(measurements[around[1]]),
    )
