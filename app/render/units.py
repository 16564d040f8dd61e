"""Format numbers for people: significant digits, intervals, percentages, durations and sizes."""

from collections.abc import Sequence

from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.wording import counted, size

__all__ = [
    "counted", "marked", "percent", "points_with_interval", "seconds", "shared_decimals", "significant",
    "size", "with_interval",
]  # fmt: skip


def significant(value: float, digits: int = 3) -> str:
    """Return the number with ``digits`` significant digits and without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - _exponent(value))
    return f"{value:,.{decimals}f}"


def _exponent(value: float) -> int:
    return int(f"{value:e}".split("e")[1])


def shared_decimals(values: Sequence[float], least: int = 3) -> int:
    """Return the number of decimals for the positive values of one column.

    It shows two significant digits of the smallest value, and is at least ``least``.
    """
    return max(least, *(1 - _exponent(value) for value in values if value > 0), 0)


def with_interval(
    value: float, interval: Interval | None, digits: int = 3, scale: float = 1.0, most: int | None = None
) -> str:
    """Return ``1.23 [1.20, 1.27]``, multiplied by ``scale``.

    Value and interval have the same decimals: those of ``digits`` significant digits of the value, at most ``most``.
    """
    value *= scale
    decimals = max(0, digits - 1 - _exponent(value)) if value else digits
    decimals = decimals if most is None else min(decimals, most)
    if interval is None:
        return f"{value:,.{decimals}f}" if value else "0"
    return f"{value:,.{decimals}f} [{interval.low * scale:,.{decimals}f}, {interval.high * scale:,.{decimals}f}]"


def points_with_interval(difference: float, interval: Interval) -> str:
    """Return a difference of shares as percentage points: ``-0.50 [-1.20, +0.20]``."""
    return f"{100 * difference:+.2f} [{100 * interval.low:+.2f}, {100 * interval.high:+.2f}]"


def percent(share: float, decimals: int = 2) -> str:
    """Return a share (0 to 1) as a percentage without the percent sign."""
    return f"{100 * share:.{decimals}f}"


def marked(text: str, *, assumed: bool) -> str:
    """Return the text of an accuracy, marked if it depends on an assumption (docs/interpretation.md)."""
    return f"{text} assumed" if text and assumed else text


def seconds(value: float) -> str:
    """Return a duration, given in seconds, in µs, ms or s."""
    if value < 1e-3:
        return f"{significant(value * 1e6)} µs"
    if value < 1:
        return f"{significant(value * 1e3)} ms"
    return f"{significant(value)} s"
