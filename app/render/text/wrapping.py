"""Text in a given width: words are never broken, and long names are shortened in the middle."""

import textwrap
from collections.abc import Sequence

from edge_bench.app.render.escaping import one_line

__all__ = ["clipped", "first_that_fits", "middle_shortened", "wrapped"]

#: Longer texts are shortened to this many characters before they are wrapped.
_MAX_TEXT = 4000


def wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    """Return the lines of a text with a hanging indent."""
    return textwrap.wrap(
        one_line(text, _MAX_TEXT), width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def clipped(text: str, width: int, lines: int = 2) -> list[str]:
    """Return at most ``lines`` lines of a text; the last one ends with ``…`` if text is omitted."""
    found = wrapped(text, width)
    if len(found) <= lines:
        return found
    last = found[lines - 1]
    while len(last) > width - 2 and " " in last.strip():
        last = last.rsplit(" ", 1)[0]
    return [*found[: lines - 1], f"{last} …"]


def first_that_fits(width: int, texts: Sequence[str]) -> str:
    """Return the first of these texts with at most ``width`` characters, or the last one."""
    lines = [one_line(text, _MAX_TEXT) for text in texts]
    return next((line for line in lines if len(line) <= width), lines[-1])


def middle_shortened(text: str, limit: int) -> str:
    """Return the text on one line, its middle replaced by ``…`` if it has more than ``limit`` characters."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    kept = max(limit - 1, 2)
    return f"{line[: (kept + 1) // 2]}…{line[len(line) - kept // 2 :]}"
