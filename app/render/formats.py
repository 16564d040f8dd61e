"""Names of output formats and figure sizes, separate from the renderers so that --help imports no libraries."""

from enum import StrEnum

__all__ = ["FOR_PROGRAMS", "Format", "Layout", "MeasuredFormat"]


class Format(StrEnum):
    """Output format of a table."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    HTML = "html"


class MeasuredFormat(StrEnum):
    """Output format of Runs: one of tables, or of a service that records benchmarks."""

    TABLE = Format.TABLE.value
    MARKDOWN = Format.MARKDOWN.value
    JSON = Format.JSON.value
    JSONL = Format.JSONL.value
    CSV = Format.CSV.value
    HTML = Format.HTML.value
    GITHUB_ACTION_BENCHMARK = "github-action-benchmark"
    BENCHER = "bencher"

    @property
    def is_export(self) -> bool:
        """Whether it is the format of a service."""
        return self in (MeasuredFormat.GITHUB_ACTION_BENCHMARK, MeasuredFormat.BENCHER)

    @property
    def of_tables(self) -> Format:
        """The format of tables; that of services is JSON."""
        return Format.JSON if self.is_export else Format(self.value)


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
