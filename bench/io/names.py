"""Names of files as text. Names on Linux are bytes, but records and terminals accept only UTF-8."""

import re
from pathlib import Path
from typing import Any

__all__ = ["encode_json", "escape_surrogates", "folder_name", "is_utf8", "recordable"]

_SURROGATE = re.compile(r"[\ud800-\udfff]")
#: Bytes that are not UTF-8 become U+DC80 to U+DCFF in Python (PEP 383).
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF


def is_utf8(name: str) -> bool:
    """Return whether a name can be encoded as UTF-8."""
    return not _SURROGATE.search(name)


def escape_surrogates(text: str) -> str:
    r"""Return the text with each byte that is not UTF-8 as ``\xf1``, for messages."""
    return _SURROGATE.sub(_escape, text)


def recordable(name: str) -> str:
    r"""Return a name as valid Unicode, for records: ``ni\xf1o.png`` for a name in Latin-1.

    Different names stay different: if a name contains bytes that are not UTF-8, or something that looks like their
    escapes, its backslashes are doubled.
    """
    if is_utf8(name) and r"\x" not in name and r"\\" not in name:
        return name
    return escape_surrogates(name.replace("\\", r"\\"))


def folder_name(folder: Path) -> str:
    """Return a folder with its parent, for records: ``coco/val``, and ``val`` for ``/val``."""
    return recordable("/".join(folder.resolve().parts[1:][-2:]) or "/")


def encode_json(value: Any) -> bytes:
    """Return msgspec's JSON of a value. Strings that are not valid Unicode are escaped."""
    import msgspec  # not needed for a name alone, as in --help

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_escaped(msgspec.to_builtins(value)))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if _FIRST_BYTE <= code <= _LAST_BYTE else f"\\u{code:04x}"


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape_surrogates(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    return value
