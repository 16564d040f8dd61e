"""What a stream can show: its width, and whether it shows colours; messages and tables coloured and wrapped for it.

Colours are added to finished lines, so that they change no width. NO_COLOR, FORCE_COLOR and TERM=dumb are respected.
"""

import os
import re
from typing import IO

from edge_bench.app.render.text.wrapping import wrapped

__all__ = ["DEFAULT_WIDTH", "UNWRAPPED", "coloured", "columns", "message_lines", "shows_colours"]

#: Columns of a stream that is no terminal.
DEFAULT_WIDTH = 80
#: Environment of a process of edge-bench whose messages a program reads, each on one line.
UNWRAPPED = {"COLUMNS": "10000"}
#: Columns of messages that a terminal of fewer columns wraps itself.
_MIN_WIDTH = 40
_RED, _GREEN, _YELLOW, _PLAIN = "\033[31m", "\033[32m", "\033[33m", "\033[39m"
_BOLD, _NOT_BOLD = "\033[1m", "\033[22m"
#: ``11.7× faster`` anywhere, and a cell of a table that is one word.
_VERDICT = re.compile(r"\d[\d.,]*× (?P<ratio>faster|slower)\b|(?<= {2})(?P<cell>faster|slower)(?= {2}|$)")
_UNRELIABLE = re.compile(r"(?<=[ (])~(?=[ ),]|$)")
_WARNING = re.compile(r"!+( |$)|NOTE: |warning: |STAND-IN DATA|EMULATED")


def columns(stream: IO[str] | None) -> int | None:
    """Return the columns of a terminal, or those that COLUMNS states; None for other streams without COLUMNS."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    try:
        if stream is None or not stream.isatty():
            return None
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except (OSError, ValueError):  # closed, or no file
        return DEFAULT_WIDTH


def shows_colours(stream: IO[str] | None) -> bool:
    """Return whether to write colours: to a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR for others.

    Source: no-color.org, force-color.org: both count if they are not empty, and NO_COLOR wins.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def coloured(text: str) -> str:
    """Return escaped lines of tables and notes in colour: verdicts green and red, warnings yellow, best rows bold."""
    lines, warning = [], False
    for line in text.split("\n"):
        warning = bool(_WARNING.match(line)) or (warning and line.startswith("  "))
        if warning:
            lines.append(f"{_YELLOW}{line}{_PLAIN}")
            continue
        shown = _VERDICT.sub(_verdict, _UNRELIABLE.sub(f"{_YELLOW}~{_PLAIN}", line))
        lines.append(f"{_BOLD}{shown}{_NOT_BOLD}" if line.startswith("▸") else shown)
    return "\n".join(lines)


def _verdict(match: re.Match[str]) -> str:
    word = match["ratio"] or match["cell"]
    return f"{_GREEN if word == 'faster' else _RED}{match[0]}{_PLAIN}"


def message_lines(text: str, stream: IO[str] | None, indent: str = "  ") -> list[str]:
    """Return the lines of a message for this stream: wrapped at its width with a hanging indent, and in colour.

    Words are not broken, so that paths and addresses can be copied. ``error:`` is red, a warning yellow.
    """
    lines = wrapped(text, max(columns(stream) or DEFAULT_WIDTH, _MIN_WIDTH), indent) or [""]
    if not shows_colours(stream):
        return lines
    if lines[0].startswith("error:"):
        return [f"{_RED}error:{_PLAIN}{lines[0].removeprefix('error:')}", *lines[1:]]
    return [f"{_YELLOW}{line}{_PLAIN}" for line in lines] if _WARNING.match(lines[0]) else lines
