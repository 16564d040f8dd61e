"""Common results of every task: measures of quality, their differences, and agreement."""

from typing import Any

import msgspec

from edge_bench.bench.stats.bootstrap import Estimate
from edge_bench.bench.stats.intervals import Interval

__all__ = ["Measure", "MeasureDifference", "TaskAgreement", "difference_of", "measure_of", "not_comparable"]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of quality of one configuration."""

    name: str  # such as mAP
    value: float | None  # None: undefined here, for the reason in ``remark``
    interval: Interval | None = None
    percent: bool = True  # shown as a percentage; otherwise a number in the unit of the true values
    higher_is_better: bool = True
    remark: str = ""


class MeasureDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of a configuration minus that of the baseline, on the same examples."""

    name: str
    value: float | None
    interval: Interval | None = None
    percent: bool = True  # shown in percentage points
    higher_is_better: bool = True
    differing: int | None = None  # examples with different outputs; with few of them, the interval is not reliable
    baseline: float | None = None  # the baseline's value on the same examples
    remark: str = ""


class TaskAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of two configurations' outputs."""

    share: float | None  # 0 to 1, as described by ``text``; None: nothing to compare
    text: str  # one phrase, such as "412 of 430 boxes, mean overlap 0.97"
    examples: int  # that both have
    identical: int | None  # examples with equal outputs; None: unknown
    worst: list[int] = []  # positions of common examples with the largest disagreement, the largest first


def measure_of(name: str, estimate: Estimate | None, remark: str, **kind: Any) -> Measure:
    """Return a measure; ``remark`` says why there is no estimate, ``kind`` is percent and higher_is_better."""
    if estimate is None:
        return Measure(name=name, value=None, remark=remark, **kind)
    return Measure(name=name, value=estimate.value, interval=estimate.interval, **kind)


def difference_of(name: str, estimate: Estimate | None, remark: str, **about: Any) -> MeasureDifference:
    """Return a difference; ``remark`` says why there is no estimate, ``about`` are further fields."""
    if estimate is None:
        return MeasureDifference(name=name, value=None, remark=remark, **about)
    return MeasureDifference(name=name, value=estimate.value, interval=estimate.interval, **about)


def not_comparable(examples: int, reason: object) -> TaskAgreement:
    """Return the agreement of outputs that cannot be compared, with the reason as its text."""
    return TaskAgreement(share=None, text=f"not comparable: {reason}", examples=examples, identical=None)
