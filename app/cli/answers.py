"""Print what Runs answer: in a terminal the answer, a short table and few notes, in other formats all figures."""

import importlib.util
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.cli import console
from edge_bench.app.render.formats import Format, MeasuredFormat
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.terminal import DEFAULT_WIDTH, columns

if TYPE_CHECKING:
    from edge_bench.app.tables.exports import Exported
    from edge_bench.bench.analysis.comparison.comparison import Comparison
    from edge_bench.bench.records.run import Run

__all__ = [
    "Shown",
    "makes_reports",
    "print_answer",
    "print_answered",
    "print_export",
    "print_exported",
    "print_next",
    "print_saved",
    "print_sustained",
    "report_command",
    "width",
]

#: Minimum width of tables.
_MIN_WIDTH = 40
#: How the commands that measure show the same Run again.
AGAIN = "repeat the command with --once --why; all columns: --once --wide"


@dataclass(frozen=True)
class Shown:
    """How results are printed; ``wide`` and ``why`` are for a terminal only."""

    form: Format = Format.TABLE
    wide: bool = False  # tables with all columns
    why: bool = False  # all notes, and where time differences come from
    exported: bool = False  # in place of tables, in the format of a service


def print_answer(
    runs: "Sequence[Run]",
    comparison: "Comparison | None",
    tables: Sequence[Table],
    shown: Shown,
    more: str = AGAIN,
    explained: Sequence[str] = (),
) -> None:
    """Print the answer of Runs with their tables.

    comparison: None if nothing was measured
    more: a command for all columns and notes
    explained: sentences about operators
    """
    from edge_bench.app.tables.answer.text import Answered, answer_sentences, answer_text

    subject = Answered(runs, comparison, tables, more, explained)
    print_answered(
        tables,
        lambda: answer_sentences(subject),
        lambda **how: answer_text(subject, width(), **how),
        shown,
    )


def print_sustained(run: "Run", tables: Sequence[Table], shown: Shown) -> None:
    """Print whether each configuration of a sustained load stays as fast.

    tables: that of the Run with all columns first, which is for programs, too
    """
    from edge_bench.app.tables.sustained.sentences import sustained_sentences
    from edge_bench.app.tables.sustained.table import sustained_tables
    from edge_bench.app.tables.sustained.text import sustained_text
    from edge_bench.bench.analysis.sustained.load import loads_of

    loads = loads_of(run)
    print_answered(
        [
            tables[0],
            *sustained_tables(run, loads),
            *tables[1:],
        ],  # formats for programs have the first only
        lambda: sustained_sentences(run, loads),
        lambda **how: sustained_text(run, loads, tables, width(), AGAIN, **how),
        shown,
    )


def print_answered(
    tables: Sequence[Table], sentences: Callable[[], Sequence[str]], text: Callable[..., str], shown: Shown
) -> None:
    """Print an answer and its tables in any format.

    sentences: returns the lines of the answer, not shortened
    text: returns what a terminal shows; takes ``wide``, ``why``, and ``limit``: whether tables have to fit the terminal
    """
    from edge_bench.app.render.escaping import markdown_text

    match shown.form:
        case Format.TABLE:
            lines = text(wide=shown.wide, why=shown.why, limit=sys.stdout.isatty())
            console.print_text(lines, verdicts=True)
        case Format.HTML:
            console.print_page(tables, sentences())
        case Format.MARKDOWN:
            console.print_text("\n\n".join([*map(markdown_text, sentences()), ""]))
            console.print_tables(tables, shown.form)
        case _:
            console.print_tables(tables, shown.form)


def print_export(found: "Sequence[Exported]", form: MeasuredFormat) -> None:
    """Print Runs in the format of a service; times that are left out are notes. Raise NotTrusted if all are."""
    from edge_bench.app.tables.exports import export

    text, notes = export(found, form)
    console.note_unless_shown(notes, Format.JSON)
    console.print_text(text)


def print_exported(runs: "Sequence[Run]", form: MeasuredFormat) -> None:
    """Print the newest values of Runs in the format of a service."""
    from edge_bench.app.tables.exports import exported_runs
    from edge_bench.bench.analysis.comparison.comparison import compare

    print_export(exported_runs(compare(runs)), form)


def width() -> int:
    """Return the width of the terminal, at least 40; 80 if stdout is none."""
    return max(columns(sys.stdout) or DEFAULT_WIDTH, _MIN_WIDTH) if sys.stdout.isatty() else DEFAULT_WIDTH


def print_saved(path: Path, form: Format) -> None:
    """Print where a Run is, and the command that makes a report of it; to stderr if a program parses stdout."""
    from edge_bench.app.render.escaping import one_line

    lines = [f"saved: {path}"]
    if makes_reports():
        lines.append(f"next: {report_command([path.parent])}")
        if sum(map(len, lines)) + 6 <= width():
            lines = ["      ".join(lines)]
    console.print_text("\n".join(map(one_line, lines)), to_stderr=form is not Format.TABLE)


def print_next(paths: Sequence[Path], form: Format) -> None:
    """Print the command that makes a report of these Runs, in a terminal only."""
    if form is Format.TABLE and makes_reports():
        console.print_path(Path(f"next: {report_command(paths)}"))


def makes_reports() -> bool:
    """Return whether this installation makes reports: without the extra `host` and in the edge image it does not."""
    return importlib.util.find_spec("matplotlib") is not None


def report_command(paths: Sequence[Path]) -> str:
    """Return the command that makes a report of these Runs."""
    return f"edge-bench report {shlex.join(map(str, paths))}"
