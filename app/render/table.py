"""The ``Table`` record: what is printed as text, HTML, CSV or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """Cells as a person reads them, and ``records`` with the bare numbers for programs."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int  # so many columns at the left say what a row is
    notes: Sequence[str] = ()
    records: Sequence[dict[str, Any]] = field(default_factory=list)
    groups: Sequence[str] = ()  # one a row: headings for where there is room; what they say is in the notes, too
