"""Counts and lists of names in messages."""

from collections.abc import Sequence

__all__ = ["abbreviate", "counted"]


def counted(count: int, one: str, several: str = "") -> str:
    """Return ``1 image``, ``1,000 images``, ``5 processes`` or ``2 categories``; ``several`` is an irregular plural."""
    return f"{count:,} {one if count == 1 else several or _plural(one)}"


def _plural(noun: str) -> str:
    if noun.endswith("is"):
        return f"{noun[:-2]}es"
    if noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch"):  # spoken with a k
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def abbreviate(names: Sequence[str]) -> str:
    """Return up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
