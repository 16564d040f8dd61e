"""Numbers as people read them."""

from edge_bench.bench.stats.intervals import Interval

__all__ = ["mebibytes", "percent", "seconds", "significant", "size", "with_interval"]


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - _exponent(value))
    return f"{value:,.{decimals}f}"


def _exponent(value: float) -> int:
    return int(f"{value:e}".split("e")[1])


def with_interval(value: float, interval: Interval | None, digits: int = 3) -> str:
    """``1.23 [1.20, 1.27]``, all with the decimals of the value."""
    if interval is None:
        return significant(value, digits)
    decimals = max(0, digits - 1 - _exponent(value)) if value else digits
    return f"{value:,.{decimals}f} [{interval.low:,.{decimals}f}, {interval.high:,.{decimals}f}]"


def percent(share: float, decimals: int = 2) -> str:
    """A share of one as a percentage without its sign."""
    return f"{100 * share:.{decimals}f}"


def seconds(value: float) -> str:
    """A duration with a fitting unit."""
    if value < 1e-3:
        return f"{significant(value * 1e6)} µs"
    if value < 1:
        return f"{significant(value * 1e3)} ms"
    return f"{significant(value)} s"


def size(count: int) -> str:
    """Bytes as KiB or MiB."""
    return f"{count / 1024:.0f} KiB" if count < 1 << 20 else mebibytes(count)


def mebibytes(count: int) -> str:
    """Bytes as MiB."""
    return f"{count / (1 << 20):.1f} MiB" if count < 100 << 20 else f"{count / (1 << 20):.0f} MiB"
