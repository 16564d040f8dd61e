"""Options of ``compare``, ``report`` and ``history``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.completion import VARIANTS, one_of
from edge_bench.app.cli.options.declare import Section, list_option, option
from edge_bench.app.render.formats import Layout

__all__ = [
    "Across",
    "Baseline",
    "Bundles",
    "EarlierRunFiles",
    "FailIfAccuracyDrops",
    "FailIfQualityDrops",
    "FailIfSlower",
    "FigureFile",
    "FigureSize",
    "ImageFolders",
    "Newest",
    "ReportFile",
    "ReportFormats",
    "ToMlflow",
]
Baseline = Annotated[
    list[str] | None,
    option(
        "--baseline",
        metavar="NAME|PATH",
        autocompletion=one_of(*VARIANTS),
        help="Baseline of the comparison: VARIANT[/RUNTIME[/THREADS[/BATCH[/DELEGATE]]]], or older Run files or "
        "folders. Paths are repeatable. [default: keras]",
    ),
]
EarlierRunFiles = Annotated[
    list[Path] | None,
    option(
        "--history",
        metavar="PATH",
        help="Earlier Runs (files or folders) from which the variation from run to run is estimated. They are not "
        "compared. Repeatable.",
    ),
]
Newest = Annotated[
    bool,
    option(
        "--newest",
        help="Compare the newest Run with the last one before it of the same machine, model and data. The variation "
        "from run to run is that of the 30 Runs before it, unless --history is set.",
    ),
]
FailIfSlower = Annotated[
    str | None,
    option(
        "--fail-if-slower",
        section=Section.GATE,
        metavar="PERCENT",
        help="Fail if a configuration is slower than in the --baseline Runs by more than this: for example 5%.",
    ),
]
FailIfAccuracyDrops = Annotated[
    float | None,
    option(
        "--fail-if-accuracy-drops",
        section=Section.GATE,
        metavar="POINTS",
        min=0,
        help="Fail if a configuration's accuracy drops by more than this many percentage points, for example 0.5.",
    ),
]
FailIfQualityDrops = Annotated[
    float | None,
    option(
        "--fail-if-quality-drops",
        section=Section.GATE,
        metavar="POINTS",
        min=0,
        help="Fail if the first quality measure of a configuration's task, such as accuracy, mAP or mean IoU, drops by "
        "more than this many percentage points, for example 0.5. For regress: percent of the baseline's MAE.",
    ),
]
Across = Annotated[
    bool,
    option(
        "--across",
        section=Section.GATE,
        help="Also accept --baseline Runs of another machine or of other runtime versions.",
    ),
]

# -- report and history
Bundles = Annotated[
    list[Path] | None,
    option(
        "--bundle",
        "-b",
        metavar="FOLDER",
        help="Measured bundle, to show its training and images. Repeatable.",
    ),
]
ImageFolders = Annotated[
    list[Path] | None,
    option(
        "--data",
        env="REPORT_DATA",
        metavar="FOLDER",
        help="Folder given to `run --data`, to show images of Runs of model files. Repeatable.",
    ),
]
ReportFile = Annotated[
    Path | None,
    option(
        "--output",
        "-o",
        env="REPORT",
        metavar="PATH",
        help="File for the page; without html in --format, folder for the figures. [default: report.html, figures]",
    ),
]
ReportFormats = Annotated[
    str,
    list_option("--format", "-f", env="REPORT_FORMAT", help="html for a page; png,svg,pdf for separate figures."),
]
FigureSize = Annotated[
    Layout,
    option(
        "--size",
        env="FIGURE_SIZE",
        metavar="NAME",
        help="Width of separate figures: column or page of a paper.",
    ),
]
FigureFile = Annotated[
    Path | None,
    option("--figure", metavar="FILE", help="Also draw a figure into this .png, .svg, .pdf or .html file."),
]
ToMlflow = Annotated[
    str | None,
    option(
        "--to-mlflow",
        metavar="URI",
        help="Also send each Run and configuration to this MLflow server or database, once. Needs mlflow-skinny.",
    ),
]
