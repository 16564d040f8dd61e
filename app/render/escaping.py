"""Escape untrusted text: one function per output format, which every writer uses.

Names of models, classes, hosts and files, findings and messages may come from untrusted files. They could contain
terminal commands, markup and links in HTML or Markdown, or formulas in a spreadsheet.

========== ===================================================================================
terminal   ``one_line``, or ``visible`` for text of several lines
HTML, SVG  ``html_text``: content of elements, and values of attributes in double quotes
Markdown   ``markdown_text``: cells of a table, paragraphs
CSV        ``csv_line``
JSON       ``json_text``, or ``json_line`` for one line of JSON Lines
========== ===================================================================================

There is no TeX output. ``shortened`` limits the length of a name on a line.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from edge_bench.bench.io.names import encode_json, escape_surrogates

__all__ = [
    "csv_line",
    "html_text",
    "json_array_lines",
    "json_line",
    "json_text",
    "markdown_text",
    "one_line",
    "shortened",
    "visible",
]

_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n\t]")
#: Unicode's controls, format characters (text direction, zero width, tags), and separators of lines and paragraphs.
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Zl", "Zp"}
#: Other characters without a glyph, and those that XML forbids. Source: Default_Ignorable_Code_Point in Unicode 15.
_UNSAFE = set("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\ufffe\uffff")


def visible(text: str) -> str:
    """Return the text with every unsafe character as an escape such as ``\\u001b``, which JSON reads back.

    Newlines and tabs are kept. Bytes that are not valid UTF-8 become escapes such as ``\\xf1``, which are not JSON.
    """
    if text.isascii() and text.isprintable():
        return text
    return _NOT_PLAIN.sub(_escaped, escape_surrogates(text))


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES and character not in _UNSAFE:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def one_line(text: str, limit: int | None = None) -> str:
    """Return the escaped text on one line, so that a newline in it cannot imitate a message of edge-bench.

    The text is first shortened to ``limit`` characters, if given.
    """
    return visible(text if limit is None else shortened(text, limit)).replace("\n", " ").replace("\t", " ")


def shortened(text: str, limit: int) -> str:
    """Return the text with at most ``limit`` characters; a shortened text ends with the number of omitted ones."""
    kept = max(0, limit - len("… (1,000,000 more characters)"))
    return text if len(text) <= limit else f"{text[:kept]}… ({len(text) - kept:,} more characters)"


def html_text(text: str) -> str:
    """Return the text for the content of an element of HTML or SVG, or for an attribute in double quotes."""
    return escape(visible(text))


_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_[]~$@#"}
    # references, because Markdown parsers disagree about a backslash before | in tables
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
)
#: Prefixes that Markdown turns into links without brackets, or into :emoji:.
_AUTOMATIC_LINK = re.compile(r"(?i):(?=//|[\w+-]+:)|(?<=www)\.|(?<=mailto):|(?<=xmpp):")
#: The beginning of a list or the underline of a heading.
_BLOCK_START = re.compile(r"^(\d{0,9})([-+=.)])")


def markdown_text(text: str) -> str:
    """Return the text escaped for a paragraph or table cell of GitHub Flavored Markdown, which shows it literally."""
    # shown as \u001b, like in a terminal: the backslash is escaped too
    escaped = one_line(text).strip().translate(_MARKDOWN)
    return _BLOCK_START.sub(r"\1\\\2", _AUTOMATIC_LINK.sub(lambda match: f"\\{match[0]}", escaped))


#: Characters that start a formula in a spreadsheet. Source: OWASP, "CSV Injection".
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?")
_QUOTED = re.compile(r"[\",;|'\s]")


def csv_line(values: Iterable[Any]) -> str:
    """Return a line of CSV without its newline. None is an empty cell, and numbers are formatted by ``str``.

    Text that a spreadsheet would read as a formula gets a leading apostrophe, which marks it as text.
    Text with a character that separates cells in any locale is quoted.
    """
    return ",".join("" if value is None else _csv_cell(value) for value in values)


def _csv_cell(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    text = one_line(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def json_text(value: Any) -> str:
    """Return indented JSON in which every character is visible, and which reads back as the same value."""
    import msgspec

    return visible(msgspec.json.format(encode_json(value), indent=1).decode())


def json_array_lines(values: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of an array as `json_text` returns it, with one value in memory at a time."""
    last = ""
    for value in values:
        yield f"{last}," if last else "["
        *lines, last = (f" {line}" for line in json_text(value).split("\n"))
        yield from lines
    yield from (last, "]") if last else ("[]",)


def json_line(value: Any) -> str:
    """Return JSON on one line, as `json_text`."""
    return visible(encode_json(value).decode())
