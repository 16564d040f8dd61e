"""Options of ``compare``, ``report`` and ``history``."""

from pathlib import Path
from typing import Annotated

import typer

from edge_bench.app.render.formats import Layout

__all__ = [
    "Baseline",
    "Bundles",
    "FailIfAccuracyDrops",
    "FailIfSlower",
    "FigureSize",
    "Picture",
    "ReportFile",
    "ReportFormats",
]
Baseline = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_BASELINE",
        help="VARIANT[/RUNTIME[/THREADS[/BATCH]]] to compare with, or an older Run's file.  [default: keras]",
    ),
]
FailIfSlower = Annotated[
    str | None,
    typer.Option(
        envvar="EDGE_BENCH_FAIL_IF_SLOWER",
        help="Exit code 3 where a configuration takes more than 5% (say) longer than in the --baseline Run.",
    ),
]
FailIfAccuracyDrops = Annotated[
    float | None,
    typer.Option(
        min=0,
        envvar="EDGE_BENCH_FAIL_IF_ACCURACY_DROPS",
        help="Exit code 3 where it loses more than so many percentage points of accuracy.",
    ),
]

# -- report and history
Bundles = Annotated[
    list[Path] | None,
    typer.Option(
        "--bundle",
        "-b",
        envvar="EDGE_BENCH_BUNDLE",
        help="The bundle that was measured, for its training and its images; may be given once for each.",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        envvar="EDGE_BENCH_REPORT",
        help="The page, or without html in --format the folder of the pictures.  [default: report.html, figures]",
    ),
]
ReportFormats = Annotated[
    str,
    typer.Option("--format", "-f", envvar="EDGE_BENCH_REPORT_FORMAT", help="html; single pictures: png,svg,pdf"),
]
FigureSize = Annotated[
    Layout,
    typer.Option(
        "--size", envvar="EDGE_BENCH_FIGURE_SIZE", help="Width of single pictures: a paper's column or its whole page."
    ),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--picture",
        envvar="EDGE_BENCH_PICTURE",
        help="Draw it, too: a file named .png, .svg, .pdf or .html.",
    ),
]
