"""Escape characters of untrusted text that a terminal would interpret or hide."""

import re

from edge_bench.bench.io.names import escape_surrogates

__all__ = ["one_line", "visible"]

#: Control characters (C0 except tab and newline, DEL, and C1, whose U+009B starts a command in many terminals),
#: separators of lines and paragraphs, and marks that change the text direction.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return the text with every unsafe character as an escape such as ``\\u001b``, which JSON reads back.

    Bytes of names that are not UTF-8 become escapes such as ``\\xf1``; no JSON contains any.
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", escape_surrogates(text))


def one_line(text: str) -> str:
    """Return the escaped text on one line, so that a newline in it cannot imitate a message of edge-bench."""
    return visible(text).replace("\n", " ").replace("\t", " ")
