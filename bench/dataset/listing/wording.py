"""Counts and lists of names in messages."""

from collections.abc import Sequence

__all__ = ["abbreviate", "counted"]


def abbreviate(names: Sequence[str]) -> str:
    """Return up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number and its noun, such as ``1 image`` or ``2 images``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
