"""Names of output formats and figure sizes, separate from the renderers so that --help imports no libraries."""

from enum import StrEnum

__all__ = ["FOR_PROGRAMS", "Format", "Layout"]


class Format(StrEnum):
    """Output format of a table."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"


#: Formats that programs parse: they contain only the first table, without notes.
FOR_PROGRAMS = frozenset({Format.JSON, Format.JSONL, Format.CSV})


class Layout(StrEnum):
    """Width of a figure: a paper's column (or a phone), or a paper's page (or a larger screen)."""

    COLUMN = "column"
    PAGE = "page"

    @property
    def width(self) -> float:
        """Width in inches. Source: IEEE's author guide: one column is 3.5 in wide, two columns 7.16 in."""
        return 3.5 if self is Layout.COLUMN else 7.16

    @property
    def narrow(self) -> bool:
        """Whether panels are stacked instead of placed side by side."""
        return self is Layout.COLUMN
