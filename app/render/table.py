"""The ``Table`` record, which is rendered as text, HTML, CSV or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """A table: formatted cells for people, and ``records`` with unformatted numbers for programs."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int  # number of leading columns that identify a row
    notes: Sequence[str] = ()
    records: Sequence[dict[str, Any]] = field(default_factory=list)
    groups: Sequence[str] = ()  # the heading of each row's group; only HTML shows them, so notes repeat them
