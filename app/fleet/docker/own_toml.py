"""TOML files that can start programs: only the user's own are read."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import foreign_writer, read_bounded, why_unreadable

__all__ = ["read_own_toml", "require_own"]

_MAX_FILE_BYTES, _MAX_DOTS = 256 << 10, 64
Kind = TypeVar("Kind")


def read_own_toml(
    path: Path,
    kind: type[Kind],
    noun: str,
    otherwise: str,
    example: str,
    examples: Mapping[str, str] = {},
    owner: int | None = None,
) -> Kind:
    """Return the content of a TOML file as a record.

    Raise BadInput if it is invalid, or if another user may have written it. ``noun`` is what it should be, such as "a
    fleet file", and ``otherwise`` what to do if it cannot be read. The message names the line and the key.
    ``examples`` has those of single keys, by their places, such as ``run.trials``; ``owner``: see `foreign_writer`.
    """
    text = ""
    try:
        require_own(path, owner)
        content = read_bounded(path, _MAX_FILE_BYTES)
        if max(line.count(b".") for line in content.split(b"\n")) > _MAX_DOTS:
            raise ValueError(f"a line has more than {_MAX_DOTS} dots")  # the time of tomllib grows with their square
        text = content.decode()
        return msgspec.convert(tomllib.loads(text), kind)
    except OSError as cause:
        raise BadInput(f"{path}: cannot be read: {cause.strerror}", otherwise) from None
    except RecursionError:
        raise BadInput(f"{path}: not {noun}: it is nested too deeply", example) from None
    except msgspec.ValidationError as cause:
        raise BadInput(
            f"{path}: not {noun}: {_with_line(why_unreadable(cause), text)}", examples.get(_place(str(cause)), example)
        ) from None
    except ValueError as cause:
        raise BadInput(f"{path}: not {noun}: {why_unreadable(cause)}", example) from None


def require_own(path: Path, owner: int | None = None) -> None:
    """Raise BadInput if another user may have written a file that can start programs."""
    if reason := foreign_writer(path, owner):
        raise BadInput(
            f"{path}: not used, because {reason} and it can start programs",
            f"check its content, then run `chown $USER {path}` and `chmod go-w {path}`",
        )


def _place(message: str) -> str:
    """Return the place that a message of msgspec is about, such as ``run.trials``; empty if it names none."""
    return message.rpartition("`$.")[2].partition("`")[0] if "`$." in message else ""


def _with_line(message: str, text: str) -> str:
    """Return msgspec's message with the number of the first line that has the key it is about, if there is one.

    The message ends in the place, such as ``$.run.trials``, or names an unknown field in quotation marks.
    """
    unknown = message.split("`")
    names = [part.split("[")[0] for part in _place(message).split(".")]
    if "unknown field" in message and len(unknown) > 1:
        names.append(unknown[1])
    for number, line in enumerate(text.splitlines(), 1):
        key = line.split("=")[0].strip().strip("[]\"' ")
        if names and names[-1] and key.split(".")[-1].strip("\"' ") == names[-1]:
            return f"line {number}: {message}"
    return message
