"""The commands ``report`` and ``history``."""

import datetime

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answered, print_export, width
from edge_bench.app.cli.options.analyse import (
    Bundles,
    FigureFile,
    FigureSize,
    ImageFolders,
    ReportFile,
    ReportFormats,
    ToMlflow,
)
from edge_bench.app.cli.options.shared import RunFiles, RunFormat, Why, Wide
from edge_bench.app.render.formats import FOR_PROGRAMS, Format, Layout, MeasuredFormat
from edge_bench.app.render.table import Table

__all__ = ["history", "report"]


def report(
    runs: RunFiles,
    bundle: Bundles = None,
    data: ImageFolders = None,
    output: ReportFile = None,
    report_format: ReportFormats = "html",
    size: FigureSize = Layout.COLUMN,
) -> None:
    """Write an HTML report, or separate figures for a paper.

    The report has the answer, figures, tables and the commands that reproduce it.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.report.write import report_formats, write_report
    from edge_bench.bench.offload.measure.session import read_results

    formats = report_formats(parsing.names(report_format))
    progress = console.progress()
    measured, offloads = read_results(runs, progress)
    for path in write_report(measured, bundle or [], output, formats, size, progress, offloads, data or []):
        console.print_path(path)


def history(
    results: RunFiles,
    figure: FigureFile = None,
    to_mlflow: ToMlflow = None,
    output_format: RunFormat = MeasuredFormat.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Show how times have changed from Run to Run.

    The answer comes first, then a row for each configuration. With --wide, all Runs are shown.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.over_time.text import HistoryAnswered, history_sentences, history_text
    from edge_bench.app.tables.runs.history import answers_table, history_table
    from edge_bench.bench.analysis.over_time.history import not_in_history
    from edge_bench.bench.analysis.over_time.order import order_notes
    from edge_bench.bench.measure.stored.history import read_history

    files, series, damaged = read_history(results, console.progress())
    runs, now = list(files.values()), datetime.datetime.now(datetime.UTC)
    notes = [*damaged, *not_in_history(runs), *order_notes(runs, now)]
    if figure:
        from edge_bench.app.report.write import write_history

        for path in write_history(series, figure):
            console.note(f"written: {path}")
    if to_mlflow:
        from edge_bench.app.dashboard.to_mlflow import to_mlflow as send_to_mlflow

        send_to_mlflow(series, to_mlflow, console.progress())
    form = output_format.of_tables
    console.note_unless_shown(notes, form)
    if output_format.is_export:
        from edge_bench.app.tables.exports import exported_history

        print_export(exported_history(series), output_format)
        return
    shown = Shown(form, wide=wide, why=why)
    tables: list[Table] = []
    if form is not Format.TABLE or wide or why:  # one row per Run, which a short table does not need
        for_people = [] if form in FOR_PROGRAMS else [answers_table(series)]
        tables = [*for_people, history_table(series, notes)]
    subject = HistoryAnswered(series, notes, tables)
    print_answered(
        tables, lambda: history_sentences(subject), lambda **how: history_text(subject, width(), **how), shown
    )
