"""Records that can be read back: texts from outside are shortened to the limits of their fields.

Files, other machines and libraries give names and messages of any length. A record with one that is too long could be
written, but not read back. To keep the measurement, the text is shortened instead. Nothing else is ever changed: no
numbers, and no lengths of lists except lists of texts.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from edge_bench.bench.io.names import encode_json, escape_surrogates

__all__ = ["readable", "readable_json"]

RecordType = TypeVar("RecordType", bound=msgspec.Struct)
#: Fields that the finding about shortened texts names.
_NAMED = 5
#: Characters that are kept of a shortened text. A record with many such texts must not become too large.
_KEPT = 4000


def readable(record: RecordType, kind: Any = None) -> RecordType:
    """Return a record that can be read back: with shortened texts, and a finding about them if it has findings.

    ``kind`` is the type it will be read as, its own by default. Raise ValueError if it still cannot be read.
    """
    return readable_json(record, kind)[0]


def readable_json(record: RecordType, kind: Any = None) -> tuple[RecordType, bytes]:
    """Return a record that can be read back, as `readable` does, and its JSON."""
    kind = kind or type(record)
    data = encode_json(record)
    try:
        msgspec.json.decode(data, type=kind)
        return record, data
    except msgspec.DecodeError:
        places: list[str] = []
        record = _fitted(record, inspect.type_info(type(record)), "", places)
    record = _with_finding(record, places)
    data = encode_json(record)
    try:
        msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as cause:
        raise ValueError(str(cause)) from None
    return record, data


def _fitted(value: Any, kind: inspect.Type, place: str, places: list[str]) -> Any:
    """Return a value in which all texts fit their types. Append the places of shortened texts to ``places``."""
    own = _kind_of(value, kind)
    if isinstance(own, inspect.StrType):
        return _shortened(value, own.max_length, place, places)
    if isinstance(own, inspect.StructType):
        before = {field.name: getattr(value, field.name) for field in own.fields}
        after = {
            field.name: _fitted(before[field.name], field.type, f"{place}.{field.name}".lstrip("."), places)
            for field in own.fields
        }
        changed = {name: part for name, part in after.items() if part is not before[name]}
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(own, inspect.ListType):
        items = [_fitted(item, own.item_type, f"{place}[{number}]", places) for number, item in enumerate(value)]
        return _fewer_texts(items, own.max_length, place, places)
    if isinstance(own, inspect.DictType):
        return dict(_fitted_items(value, own, place, places))
    return value


def _fitted_items(
    value: dict[Any, Any], kind: inspect.DictType, place: str, places: list[str]
) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items():
        yield _fitted(key, kind.key_type, place, places), _fitted(item, kind.value_type, f"{place}[…]", places)


def _kind_of(value: Any, kind: inspect.Type) -> inspect.Type | None:
    """Return the type of a text, record, list or dictionary among those it may have; None for other values."""
    if isinstance(kind, inspect.Metadata):
        return _kind_of(value, kind.type)
    if isinstance(kind, inspect.UnionType):
        return next((found for each in kind.types if (found := _kind_of(value, each))), None)
    kinds = {inspect.StrType: str, inspect.ListType: list, inspect.DictType: dict}
    of = kind.cls if isinstance(kind, inspect.StructType) else kinds.get(type(kind), ())
    return kind if isinstance(value, of) else None


def _shortened(text: str, limit: int | None, place: str, places: list[str]) -> str:
    written = escape_surrogates(text)  # as in the JSON
    if limit is None or len(written) <= limit:
        return text
    places.append(place)
    kept = max(0, min(limit - 40, _KEPT))
    return f"{written[:kept]}… ({len(written) - kept:,} more characters)"[:limit]


def _fewer_texts(items: list[Any], limit: int | None, place: str, places: list[str]) -> list[Any]:
    if limit is None or len(items) <= limit or not all(isinstance(item, str) for item in items):
        return items
    places.append(place)
    return [*items[: limit - 1], f"and {len(items) - limit + 1:,} more"]


def _with_finding(record: RecordType, places: list[str]) -> RecordType:
    """Return the record with a finding about the shortened texts, if it has findings and room for one."""
    field = next((field for field in msgspec.structs.fields(record) if field.name == "findings"), None)
    if field is None or not places:
        return record
    kind = inspect.type_info(field.type)
    assert isinstance(kind, inspect.ListType)  # noqa: S101
    assert isinstance(kind.item_type, inspect.StructType)  # noqa: S101
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    finding = kind.item_type.cls(
        what=f"texts were too long for this record and were shortened: {', '.join(places[:_NAMED])}{more}",
        remedy="check the source of these names or messages",
        spoils=False,
    )
    most = kind.max_length or len(record.findings) + 1  # type: ignore[attr-defined]
    return msgspec.structs.replace(record, findings=[*record.findings[: most - 1], finding])  # type: ignore[attr-defined]
