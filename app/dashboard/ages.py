"""Ages of Runs and nights, by the clock of this machine."""

import datetime

__all__ = ["CLOCK_TOLERANCE_S", "age", "seconds_since"]

#: Seconds by which the clocks of two machines may differ.
CLOCK_TOLERANCE_S = 60.0


def seconds_since(began: str, now: datetime.datetime) -> float | None:
    """Return the age in seconds; None if ``began`` is no time."""
    try:
        then = datetime.datetime.fromisoformat(began)
    except ValueError:
        return None
    return (now - (then if then.tzinfo else then.replace(tzinfo=datetime.UTC))).total_seconds()


def age(began: str, now: datetime.datetime) -> str:
    """Return how long ago a Run began: ``3 h ago``; that a clock is wrong, if it began in the future."""
    seconds = seconds_since(began, now)
    if seconds is None:
        return "unknown"
    if seconds < -CLOCK_TOLERANCE_S:
        return "in the future: its clock is wrong"
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"
