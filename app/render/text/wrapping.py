"""Text in a given width: words are never broken, and long names are shortened in the middle.

Widths are in columns of a terminal. Most characters take one; Chinese, Japanese and Korean ones and emoji take two.
"""

import textwrap
from collections.abc import Sequence

from edge_bench.app.render.escaping import one_line

__all__ = ["clipped", "first_that_fits", "middle_shortened", "text_width", "wrapped"]

#: Longer texts are shortened to this many characters before they are wrapped.
_MAX_TEXT = 4000
#: Second column of a wide character while text is wrapped. Escaped text does not contain it.
_SECOND = "\0"


def text_width(text: str) -> int:
    """Return the columns that a line of escaped text takes."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # tabulate aligns columns by it

    width = wcswidth(text)
    return width if width >= 0 else len(text)


def wrapped(text: str, width: int, indent: str = "  ") -> list[str]:
    """Return the lines of a text with a hanging indent."""
    line = one_line(text, _MAX_TEXT)
    if wide := {character for character in line if text_width(character) > 1}:
        line = "".join(f"{character}{_SECOND}" if character in wide else character for character in line)
    lines = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [each.replace(_SECOND, "") for each in lines] if wide else lines


def clipped(text: str, width: int, lines: int = 2) -> list[str]:
    """Return at most ``lines`` lines of a text; the last one ends with ``…`` if text is omitted."""
    found = wrapped(text, width)
    if len(found) <= lines:
        return found
    last = found[lines - 1]
    while text_width(last) > width - 2 and " " in last.strip():
        last = last.rsplit(" ", 1)[0]
    return [*found[: lines - 1], f"{last} …"]


def first_that_fits(width: int, texts: Sequence[str]) -> str:
    """Return the first of these texts that fits in ``width`` columns, or the last one."""
    lines = [one_line(text, _MAX_TEXT) for text in texts]
    return next((line for line in lines if text_width(line) <= width), lines[-1])


def middle_shortened(text: str, limit: int) -> str:
    """Return the text on one line, its middle replaced by ``…`` if it takes more than ``limit`` columns."""
    line = one_line(text)
    if text_width(line) <= limit:
        return line
    kept = max(limit - 1, 2)
    return f"{_beginning(line, (kept + 1) // 2)}…{_beginning(line[::-1], kept // 2)[::-1]}"


def _beginning(line: str, width: int) -> str:
    """Return the longest beginning of a line that fits in ``width`` columns."""
    end = width
    while text_width(line[:end]) > width:
        end -= 1
    return line[:end]
