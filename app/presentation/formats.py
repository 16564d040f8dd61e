"""The names of output formats, apart from what makes them, so that --help needs no libraries."""

from enum import StrEnum

__all__ = ["Format"]


class Format(StrEnum):
    """How a table is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
