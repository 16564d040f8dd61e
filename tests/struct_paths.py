"""Every text in a record, and the record with another one in its place."""

import dataclasses
from typing import Any

import msgspec

__all__ = ["replaced", "texts", "with_every_text"]

Place = tuple[Any, ...]


def texts(value: Any, place: Place = ()) -> list[Place]:
    """Return the places of all texts: names of fields, numbers in lists, keys of dictionaries.

    Only the first item of each list is looked at.
    """
    if isinstance(value, str):
        return [place]
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, msgspec.Struct):
        parts = [(name, getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, list):
        parts = list(enumerate(value[:1]))
    elif isinstance(value, dict):
        parts = list(value.items())
    return [found for key, part in parts for found in texts(part, (*place, key))]


def replaced(value: Any, place: Place, text: str) -> Any:
    """Return the value with ``text`` at a place."""
    if not place:
        return type(value)(text) if not isinstance(value, str) else text
    key, *rest = place
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **{key: replaced(getattr(value, key), tuple(rest), text)})
    changed = value.copy()
    changed[key] = replaced(value[key], tuple(rest), text)
    return changed


def with_every_text(value: Any, text: str, *, but: tuple[str, ...] = ()) -> Any:
    """Return the value with ``text`` in every text, also in keys, except for fields named ``but``."""
    if isinstance(value, str):
        return text
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: part if name in but else with_every_text(part, text, but=but) for name, part in fields.items()}
        return msgspec.structs.replace(value, **changed)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.init and field.name not in but]
        changed = {name: with_every_text(getattr(value, name), text, but=but) for name in names}
        return dataclasses.replace(value, **changed)
    if isinstance(value, list | tuple):
        items = [with_every_text(item, text, but=but) for item in value]
        return type(value)(items) if type(value) in (list, tuple) else type(value)(*items)  # a NamedTuple
    if isinstance(value, dict):
        return {with_every_text(key, text): with_every_text(item, text, but=but) for key, item in value.items()}
    return value
