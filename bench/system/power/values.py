"""Values of sensor files in sysfs."""

from collections.abc import Callable
from pathlib import Path

__all__ = ["ReadText", "micro", "micro_or_none", "why_unreadable"]

#: Returns the text of a file, or raises OSError. Tests advance a counter with it.
ReadText = Callable[[Path], str]


def micro(path: Path, read: ReadText) -> float:
    """Return the value of a file in millionths, as joules or watts. Raise OSError or ValueError if it has none."""
    text = read(path).strip("\0 \n")
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError("not a number")
    return int(text) / 1e6


def micro_or_none(path: Path, read: ReadText) -> float | None:
    """Return the value of `micro`, or None if it cannot be read."""
    try:
        return micro(path, read)
    except (OSError, ValueError):
        return None


def why_unreadable(path: Path, read: ReadText) -> str:
    """Return why a file has no value that can be read; empty if it has one."""
    try:
        micro(path, read)
    except OSError as cause:
        return cause.strerror or str(cause)
    except ValueError as cause:
        return str(cause)
    return ""
