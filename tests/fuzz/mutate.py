"""Damage files: bytes flipped, cut, doubled and moved; parts of JSON replaced."""

import random
import struct
from typing import Any

import msgspec

__all__ = ["mutated_bytes", "mutated_json", "mutated_tree"]

_NUMBERS: list[Any] = [
    0, 1, -1, 2, 127, 255, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64,
    -(2**63), 10**30, 0.0, -0.0, 1e-300, 1e300, -1e300, 0.5,
]  # fmt: skip
_TEXTS = [
    "", "0", "..", "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "C:\\x", "a\0b",
    "\x1b[2J\x1b]0;x\x07", "\u202egnp",
    "\x9b31m",
    "[/red]", "<script>alert(1)</script>", "${x}", "$\\frac{", "%s%n", "'; --", "é" * 50, "x" * 5000, "\n! fine",
    "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "nan", "1.2", "2.0",
    "uint64", "uint8", "float32", "keras", "dynamic", "tensorflow", "litert", "x.keras", "eJwDAAAAAAE=", "\U0001f4a5",
]  # fmt: skip


def mutated_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return the content with one to eight small changes; readers get far into such files."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        size = len(data)
        place = draw.randrange(size + 1)
        match draw.randrange(9):
            case 0 | 1 if place < size:
                data[place] ^= 1 << draw.randrange(8)
            case 2 if place < size:
                data[place] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
            case 3:  # overwrite a number
                value = draw.choice((0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, draw.randrange(1 << 16)))
                data[place : place + 4] = struct.pack("<I", value)
            case 4:
                del data[place:]
            case 5:
                del data[place : place + draw.randrange(1, 64)]
            case 6:
                data[place:place] = draw.randbytes(draw.randrange(1, 32))
            case 7:
                start = draw.randrange(size + 1)
                data[place:place] = data[start : start + draw.randrange(1, 256)]
            case _:
                start = draw.randrange(size + 1)
                data[place : place + 16] = data[start : start + 16]
    return bytes(data)


def mutated_json(content: bytes, draw: random.Random) -> bytes:
    """Return changed JSON, sometimes deeply nested, with invalid numbers or with other damage."""
    encoded = msgspec.json.encode(mutated_tree(msgspec.json.decode(content), draw))
    match draw.randrange(40):
        case 0:
            return mutated_bytes(encoded, draw)
        case 1:
            return b"[" * draw.choice((100, 5_000, 200_000))
        case 2:
            deep = b'{"a":' * (depth := draw.choice((50, 900, 50_000)))
            return encoded[:-1] + b',"more":' + deep + b"1" + b"}" * depth + b"}"
        case 3:
            return encoded.replace(b"0", draw.choice((b"1e999", b"NaN", b"-0", b"9" * 5_000)), 1)
        case 4:
            return encoded.replace(b'"', b'"\xff\xfe', draw.randrange(1, 5))
        case _:
            return encoded


def mutated_tree(tree: Any, draw: random.Random) -> Any:
    """Replace, remove, repeat or exchange one to four parts of a tree."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        places = list(_places(tree))
        if not places:
            return _something(draw, None)
        holder, key = draw.choice(places)
        match draw.randrange(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder += [holder[key]] * draw.choice((1, 3, 300))
            case 2:
                other, other_key = draw.choice(places)
                holder[key] = _copied(other[other_key])
            case _:
                holder[key] = _something(draw, holder[key])
    return tree


def _copied(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found, waiting = list[tuple[Any, Any]](), [tree]
    while waiting:
        holder = waiting.pop()
        keys: Any = (
            holder.keys() if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        )
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _something(draw: random.Random, was: Any) -> Any:
    """Return a new value, mostly of the same type as the old one, so that type checks pass."""
    if draw.random() < 0.25:
        return draw.choice([None, True, [], {}, [[]], {"": ""}, draw.choice(_NUMBERS), draw.choice(_TEXTS)])
    match was:
        case bool():
            return not was
        case int() | float() if draw.random() < 0.4:
            return was + draw.choice((-1, 1, 10, 1000))
        case int() | float():
            return draw.choice(_NUMBERS)
        case str() if draw.random() < 0.3:
            return was + draw.choice(_TEXTS)
        case str():
            return draw.choice(_TEXTS)
        case list():
            return was * draw.choice((0, 2, 50))
        case _:
            return draw.choice([*_NUMBERS, *_TEXTS])
