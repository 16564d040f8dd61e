"""Counts, sizes, articles and lists of names in messages."""

import re
from collections.abc import Sequence

__all__ = ["abbreviate", "counted", "listed", "size", "with_article"]

#: Names that begin with the sound of a vowel: vowels, 8, 11 and 18, x86, and abbreviations spelled out, such as HP.
_AN = re.compile(
    r"[aeio]|un(?!i)|up|8|1[18](?!\d)|x\d|nvidia|msi|(?-i:[FHLMNRSX][B-DF-HJ-NP-TV-XZ]*(?=\d|\b))", re.IGNORECASE
)
#: Exceptions, which begin with the sound of w or y.
_A = re.compile(r"one|once|eu|ew", re.IGNORECASE)


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


def with_article(name: str) -> str:
    """Return a name with its indefinite article: ``a Raspberry Pi 4``, ``an AMD EPYC``, ``an 11th Gen Intel``."""
    return f"an {name}" if _AN.match(name) and not _A.match(name) else f"a {name}"


def size(count: int) -> str:
    """Return a number of bytes in KiB, MiB or GiB: ``135 KiB``, ``1.5 MiB``, ``3.7 GiB``."""
    if count < 1 << 20:
        return f"{count / (1 << 10):.0f} KiB"
    # the next unit begins where rounding would show 1,024 of this one
    unit, name = (1 << 20, "MiB") if count < (1 << 30) - (1 << 19) else (1 << 30, "GiB")
    return f"{count / unit:,.{1 if count < 100 * unit else 0}f} {name}"


def listed(names: Sequence[str]) -> str:
    """Return all names: ``litert``, ``tflite-runtime and litert``, or ``tflite-runtime, litert and openvino``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def abbreviate(names: Sequence[str]) -> str:
    """Return up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3:,} more"
