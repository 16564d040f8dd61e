"""Options of ``compare``, ``report`` and ``history``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import list_option, option
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
    "ReportFile",
    "ReportFormats",
]
Baseline = Annotated[
    list[str] | None,
    option(
        "--baseline",
        help="VARIANT[/RUNTIME[/THREADS[/BATCH]]] to compare with, or older Runs' files or folders; may be given for "
        "each.  [default: keras]",
    ),
]
EarlierRunFiles = Annotated[
    list[Path] | None,
    option(
        "--history",
        help="Earlier Runs (files or folders) that show how much the machine varies from run to run; not compared.",
    ),
]
Across = Annotated[
    bool,
    option("--across", help="Judge --baseline Runs of another machine or of other runtime versions all the same."),
]
FailIfSlower = Annotated[
    str | None,
    option(
        "--fail-if-slower",
        help="Exit code 3 if a configuration takes longer than in the --baseline Runs by more than this: 5%.",
    ),
]
FailIfAccuracyDrops = Annotated[
    float | None,
    option(
        "--fail-if-accuracy-drops",
        min=0,
        help="Exit code 3 if a configuration loses more than this number of percentage points of accuracy: 0.5.",
    ),
]
FailIfQualityDrops = Annotated[
    float | None,
    option(
        "--fail-if-quality-drops",
        min=0,
        help="Exit code 3 if a configuration loses more than this number of percentage points of its task's first "
        "measure, such as accuracy, mAP or mean IoU: 0.5. For regress: percent of the baseline's MAE.",
    ),
]

# -- report and history
Bundles = Annotated[
    list[Path] | None,
    option(
        "--bundle",
        "-b",
        help="The bundle that was measured, for its training and its images; may be given once for each.",
    ),
]
ImageFolders = Annotated[
    list[Path] | None,
    option(
        "--data",
        env="REPORT_DATA",
        help="The folder of images that `run --data` had, to show images of Runs of model files; may be given once for "
        "each.",
    ),
]
ReportFile = Annotated[
    Path | None,
    option(
        "--output",
        "-o",
        env="REPORT",
        help="The page, or without html in --format the folder of the pictures.  [default: report.html, figures]",
    ),
]
ReportFormats = Annotated[
    str,
    list_option("--format", "-f", env="REPORT_FORMAT", help="html; single pictures: png,svg,pdf"),
]
FigureSize = Annotated[
    Layout,
    option("--size", env="FIGURE_SIZE", help="Width of single pictures: a paper's column or its whole page."),
]
FigureFile = Annotated[
    Path | None,
    option("--figure", help="Draw it, too: a file named .png, .svg, .pdf or .html."),
]
