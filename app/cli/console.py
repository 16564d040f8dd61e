"""Output that all commands share: tables to stdout, progress, notes and errors to stderr."""

import contextlib
import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.render.escaping import one_line, visible
from edge_bench.app.render.formats import FOR_PROGRAMS, Format
from edge_bench.app.render.progress.lines import progress_on_stderr, stop_bar
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render, rendered_lines
from edge_bench.app.render.text.terminal import DEFAULT_WIDTH, coloured, columns, message_lines, shows_colours
from edge_bench.app.render.text.wrapping import wrapped
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Progress

if TYPE_CHECKING:
    from edge_bench.bench.analysis.comparison.comparison import Comparison

__all__ = [
    "banner",
    "comparison_tables",
    "note",
    "print_error",
    "print_page",
    "print_path",
    "print_table",
    "print_tables",
    "print_text",
    "progress",
    "settings",
]


#: File name in errors of writing to stdout, for which `entry` has a remedy.
_STANDARD_OUTPUT = "standard output"
#: Lines for programs that are printed at once.
_LINES = 500


@dataclass
class Settings:
    """Global flags, set by --quiet and --debug before a command starts."""

    quiet: bool = False
    debug: bool = False


settings = Settings()


def progress() -> Progress:
    """Return progress on stderr, or none with --quiet."""
    return progress_on_stderr(quiet=settings.quiet)


def print_table(table: Table, form: Format) -> None:
    """Print a table to stdout, fitted to the width of the terminal if there is one."""
    if form in FOR_PROGRAMS:
        _print_lines(rendered_lines(table, form))
        return
    width = columns(sys.stdout) if sys.stdout.isatty() else None
    print_text(render(table, form, width), verdicts=form is Format.TABLE)


def _print_lines(lines: Iterator[str]) -> None:
    """Print lines, with a few of them in memory at a time; an empty line if there are none."""
    some = list(itertools.islice(lines, _LINES))
    print_text("\n".join(some))
    while some := list(itertools.islice(lines, _LINES)):
        print_text("\n".join(some))


def print_text(text: str, *, to_stderr: bool = False, verdicts: bool = False) -> None:
    """Print lines that may contain paths: unsafe characters and bytes that are not UTF-8 are escaped.

    Characters that the terminal's encoding lacks become question marks instead of an error. ``verdicts``: in colour.
    """
    stop_bar()
    stream = sys.stderr if to_stderr else sys.stdout
    lines = visible(text)
    try:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # this writes what is buffered
        print(coloured(lines) if verdicts and shows_colours(stream) else lines, file=stream)
    except BrokenPipeError:
        raise
    except OSError as cause:
        if not to_stderr:
            cause.filename = _STANDARD_OUTPUT
        raise


def print_path(path: Path, *, to_stderr: bool = False) -> None:
    """Print a path on a line of its own."""
    print_text(one_line(str(path)), to_stderr=to_stderr)


def print_tables(tables: Sequence[Table], form: Format) -> None:
    """Print several tables as one document. As JSON, JSON Lines or CSV only the first, which a program can parse."""
    if form is Format.HTML:
        print_page(tables)
        return
    for number, table in enumerate(tables[:1] if form in FOR_PROGRAMS else tables):
        if number:
            print_text("")
        print_table(table, form)


def print_page(tables: Sequence[Table], lead: Sequence[str] = ()) -> None:
    """Print several tables as one page, below the sentences of ``lead``."""
    from edge_bench.app.render.html.table import table_page

    print_text(table_page(tables, lead))


def comparison_tables(comparison: "Comparison") -> list[Table]:
    """Return the tables of a comparison: configurations, agreement across machines, attribution of time.

    The JSON records of the first table contain the other two.
    """
    from edge_bench.app.tables.runs.attribution import attribution_table
    from edge_bench.app.tables.runs.comparison import comparison_table
    from edge_bench.app.tables.runs.cross_machine import across_table

    return [
        comparison_table(comparison),
        *filter(None, [across_table(comparison), attribution_table(comparison)]),
    ]


def note_unless_shown(notes: Sequence[str], form: Format) -> None:
    """Print the notes of a table to stderr in the formats that have no place for them."""
    for text in notes if form in FOR_PROGRAMS else ():
        note(f"NOTE: {text}")


def banner(message: str) -> None:
    """Print a framed warning to stderr."""
    width = max((columns(sys.stderr) or DEFAULT_WIDTH) - len("!!  !!"), 1)
    lines = wrapped(message, width, indent="")
    frame = "!" * (max(map(len, lines), default=0) + len("!!  !!"))
    for text in ("", frame, *(f"!! {line:<{len(frame) - len('!!  !!')}} !!" for line in lines), frame, ""):
        note(text)


def note(message: str) -> None:
    """Print a message to stderr, wrapped at its width; a closed stderr is ignored."""
    with contextlib.suppress(OSError):
        print("\n".join(message_lines(message, sys.stderr)), file=sys.stderr, flush=True)


def print_error(error: EdgeBenchError) -> None:
    """Print the problem, and the remedy below it."""
    stop_bar()
    lines = message_lines(f"error: {error.problem}", sys.stderr, indent=" " * len("error: "))
    if error.remedy:
        lines += message_lines(f"  {error.remedy}", sys.stderr, indent=" " * 4)
    print("\n".join(lines), file=sys.stderr)
