"""TOML of records, always with the same bytes. Python has a reader of TOML, but no writer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["toml_text"]

_WIDTH = 120


def toml_text(record: Mapping[str, Any]) -> str:
    """Return a mapping as TOML; lists of mappings become arrays of tables, at the end."""
    plain = {key: value for key, value in record.items() if not _is_tables(value)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, tables in record.items():
        if _is_tables(tables):
            for table in tables:
                lines += ["", f"[[{key}]]", *(f"{name} = {_value(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_string(str(key))} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return _list(value)
    raise TypeError(f"no TOML for {type(value).__name__}")


def _list(values: Sequence[object]) -> str:
    texts = [_value(each) for each in values]
    line = "[" + ", ".join(texts) + "]"
    if not any(isinstance(each, list) for each in values) and (len(line) <= _WIDTH or not isinstance(values[0], str)):
        return line
    return "[\n" + "".join(f"  {text},\n" for text in texts) + "]"


def _number(value: float) -> str:
    """Return six significant digits of a float, which reads back as a float."""
    text = f"{value:.6g}"
    return text if any(sign in text for sign in ".en") else f"{text}.0"


def _string(value: str) -> str:
    # JSON's escapes are those of TOML's basic strings, except for the delete character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
