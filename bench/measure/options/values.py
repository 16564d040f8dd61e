"""Values of options: texts of the command line, such as ``1,2,4``, or Python values."""

import math
import re
from collections.abc import Sequence
from operator import index
from typing import Any

from edge_bench.bench.errors import BadInput

__all__ = ["counts", "duration", "finite", "image_size", "memory", "names", "numbers", "one_of", "size", "within"]

_MAX_COUNT = 10**9
_MAX_SECONDS = 30 * 24 * 3600


def names(value: str | Sequence[str] | None) -> list[str]:
    """Return ``a,b`` as a list, a list unchanged, and an empty list for None."""
    if value is not None and not isinstance(value, str):
        return [str(each) for each in value]
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def counts(value: str | int | Sequence[int] | None, flag: str) -> list[int] | None:
    """Return ``1,2,4`` or a list as positive integers, None for None. Raise BadInput for anything else."""
    if value is None:
        return None
    try:
        found = [int(part) for part in names(value)] if isinstance(value, str) else list(map(index, _sequence(value)))
    except (TypeError, ValueError):
        found = []
    if not found or min(found) < 1 or max(found) > _MAX_COUNT:
        raise BadInput(f"{flag} {_shown(value)}: not a list of positive whole numbers", f"for example {flag} 1,2,4")
    return found


def memory(value: str | int | None, flag: str = "--memory-limit") -> int | None:
    """Return ``512M`` or ``2G``, or a number of bytes, in bytes; None for None.

    Raise BadInput for anything else or less than 1 MiB.
    """
    return None if value is None else size(value, flag, least=1 << 20)


def size(value: str | int, flag: str, *, least: int = 1, most: int = 1 << 60) -> int:
    """Return ``512M`` or ``2G``, or a number of bytes, in bytes. Raise BadInput for anything else."""
    text = str(value)
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    amount = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else 0
    if not least <= amount <= most:
        raise BadInput(f"{flag} {text[:200]!r}: not an amount of memory, or out of range", f"for example {flag} 128M")
    return amount


def duration(value: str | float | None, flag: str = "--budget", least: float = 1.0) -> float | None:
    """Return ``90s``, ``5m``, ``1h``, ``1h30m`` or a number of seconds in seconds; None for None or an empty text.

    Raise BadInput for anything else, for less than ``least`` seconds and for more than 30 days.
    """
    if value is None or value == "":
        return None
    text = re.sub(r"\s", "", str(value)).lower()
    found = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m(?:in)?)?(?:(\d{1,7}(?:\.\d{1,9})?)s?)?", text)
    hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
    total = 3600 * hours + 60 * minutes + seconds
    if not least <= total <= _MAX_SECONDS:
        raise BadInput(
            f"{flag} {_shown(value)}: not a duration between {least:g} s and 30 days",
            f"for example {flag} 5m, 90s or 1h",
        )
    return total


def one_of(value: Any, flag: str, known: Sequence[str]) -> None:
    """Raise BadInput if the value is set but is not one of ``known``."""
    if value is not None and value not in known:
        raise BadInput(f"{flag} {_shown(value)}: unknown value", f"choose from {', '.join(known)}")


def within(value: Any, flag: str, least: float | None, most: float | None) -> None:
    """Raise BadInput if the value is set but is not a number between ``least`` and ``most``."""
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or (least is not None and value < least) or (most is not None and value > most):
        limits = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        raise BadInput(f"{flag} {_shown(value)}: out of range, or not a number", f"use a number {limits}")


def finite(value: float | None, flag: str) -> float | None:
    """Return the value of an option; raise BadInput if it is infinite or not a number."""
    if value is not None and not math.isfinite(value):
        raise BadInput(f"{flag} {value}: not a finite number", "use 0.5 for probabilities, 0 for logits")
    return value


def numbers(value: str | float | Sequence[float] | None, flag: str) -> list[float] | None:
    """Return ``0.5,1``, a number or a list as numbers, None for None. Raise BadInput if one is not finite."""
    if value is None:
        return None
    try:
        found = [float(part) for part in (names(value) if isinstance(value, str) else _sequence(value))]
    except (TypeError, ValueError, OverflowError):
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise BadInput(f"{flag} {_shown(value)}: not finite numbers", f"use {flag} 0.5 or {flag} 0.5,0.5,0.5")
    return found or None


def image_size(value: str | int | Sequence[int] | None) -> tuple[int, int] | None:
    """Return ``224x224``, ``224``, or a height and a width as height and width. Raise BadInput for anything else."""
    if value is None:
        return None
    text = value if isinstance(value, str) else "x".join(str(each) for each in _sequence(value))
    found = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip())
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not height or not width:
        raise BadInput(f"--image-size {_shown(text)}: not a size", "for example --image-size 224x224")
    return height, width


def _sequence(value: Any) -> list[Any]:
    """Return a single value as a list of one."""
    return list(value) if isinstance(value, Sequence) else [value]


def _shown(value: object) -> str:
    return repr(value)[:200]
