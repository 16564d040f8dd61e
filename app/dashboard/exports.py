"""The rows of `edge-bench history` as files, in pieces: all rows of 10,000 Runs would take 800 MB of memory."""

import itertools
from collections.abc import Iterator, Sequence

from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import rendered_lines
from edge_bench.app.tables.runs.history import history_table
from edge_bench.bench.analysis.over_time.history import Series

__all__ = ["MEDIA_TYPES", "export"]

MEDIA_TYPES = {Format.JSONL: "application/jsonl", Format.CSV: "text/csv"}
#: Lines in a piece, each of about 1 kB.
_LINES = 500


def export(all_series: Sequence[Series], form: Format) -> Iterator[bytes]:
    """Yield the file in pieces of whole lines. A row is the same as that of `history --format`."""
    lines = rendered_lines(history_table(all_series), form)
    while piece := list(itertools.islice(lines, _LINES)):
        yield "".join(f"{line}\n" for line in piece).encode("utf-8", "replace")
