"""The names of output formats and sizes, apart from what makes them, so that --help needs no libraries."""

from enum import StrEnum

__all__ = ["Format", "Layout"]


class Format(StrEnum):
    """How a table is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


class Layout(StrEnum):
    """Two sizes of every picture: a paper's column or a telephone, a paper's page or a screen."""

    COLUMN = "column"
    PAGE = "page"

    @property
    def width(self) -> float:
        """Inches. Source: IEEE's author guide: a column has 3.5 in, two have 7.16 in."""
        return 3.5 if self is Layout.COLUMN else 7.16

    @property
    def narrow(self) -> bool:
        """Whether panels stand below rather than beside each other."""
        return self is Layout.COLUMN
