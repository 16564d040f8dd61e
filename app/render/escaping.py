"""Names that others chose, as text and nothing more: what a terminal would obey, or hide, is written out."""

import re

__all__ = ["one_line", "visible"]

#: Control characters (C0 but tab and newline, DEL, C1, whose U+009B begins a command in many terminals), separators,
#: marks that turn the direction of what follows, and halves of characters, which no encoding has.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with every character that is obeyed rather than shown as ``\\u001b``, which JSON reads back."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """The same, where a new line would pass for one of edge-bench's own."""
    return visible(text).replace("\n", " ").replace("\t", " ")
