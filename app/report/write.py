"""Write the files of a report: the page, and single figures in a paper's size."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from edge_bench.app.figures.drawing.canvas import render
from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.history_page import history_drawings, history_page
from edge_bench.app.report.page import report_page
from edge_bench.app.report.profiles import profile_drawings, profile_page
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Run
from edge_bench.bench.wording import counted

__all__ = ["REPORT_FORMATS", "figure_form", "report_formats", "write_history", "write_profiles", "write_report"]

REPORT_FORMATS = ("html", "png", "svg", "pdf")


def report_formats(names: Sequence[str]) -> list[str]:
    """Return the names without duplicates. Raise BadInput for an unknown name."""
    unknown = [name for name in names if name not in REPORT_FORMATS]
    if unknown or not names:
        raise BadInput(f"--format {','.join(unknown) or 'nothing'}: not a report format", "use html, png, svg or pdf")
    return list(dict.fromkeys(names))


def write_report(
    runs: Sequence[Run],
    bundles: Sequence[Path],
    output: Path | None,
    formats: Sequence[str],
    layout: Layout,
    progress: Progress,
    offloads: Sequence[Offload] = (),
    data: Sequence[Path] = (),
) -> list[Path]:
    """Write ``output`` (report.html) and, in the other formats, one file per figure; return the paths written.

    Figures are written to the folder ``output``, or with a page to the folder ``<page>-figures`` next to it.
    data: folders of the images of Runs of model files. Raise BadInput for a bundle or folder without Runs,
    MissingDependency without matplotlib, ResultsError if a file cannot be written.
    """
    _require_matplotlib()
    sections = bundle_sections(runs, [Bundle.open(folder) for folder in bundles], offloads, data)
    figure_formats = [form for form in formats if form != "html"]
    count = sum(len(section.drawings) for section in sections)
    progress.start("drawing", count * (len(figure_formats) + ("html" in formats)))
    files: dict[Path, bytes] = {}
    folder = output or Path("figures")
    if "html" in formats:
        target = output or Path("report.html")
        folder = target.with_name(f"{target.stem}-figures")
        text = report_page(sections, lambda drawing: progress.advance(1, drawing.title))
        # names of files and machines may contain bytes that are not UTF-8
        files[target] = text.encode("utf-8", "replace")
    bundles_before: Counter[str] = Counter()
    for section in sections:
        digest = section.identity.sha256
        bundles_before[digest] += 1
        number = f"-{bundles_before[digest]}" if bundles_before[digest] > 1 else ""
        prefix = f"{digest[:8]}{number}-" if len(sections) > 1 else ""
        for drawing in section.drawings:
            for form in figure_formats:
                files[folder / f"{prefix}{drawing.name}.{form}"] = render(drawing, layout, form)
                progress.advance(1, drawing.title)
    for path, content in files.items():
        _write(path, content)
    progress.finish(f"{counted(len(files), 'file')}")
    return list(files)


def write_history(all_series: Sequence[Series], path: Path) -> list[Path]:
    """Draw the series into ``path``, or into one file per machine and bundle; return the paths written.

    Raise BadInput for a suffix that is not a report format, or if all times are emulated, MissingDependency without
    matplotlib, ResultsError if a file cannot be written.
    """
    form = figure_form(path)
    if form == "html":
        _write(path, history_page(all_series).encode("utf-8", "replace"))
        return [path]
    drawings = history_drawings(all_series)
    if not drawings:
        raise BadInput("nothing to draw: the Runs have no times, or only emulated ones", "use Runs of a real device")
    paths = [path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, len(drawings) + 1))]
    for target, drawing in zip(paths, drawings, strict=True):
        _write(target, render(drawing, Layout.PAGE, form))
    return paths


def write_profiles(profiles: Sequence[Profile], path: Path) -> Path:
    """Draw the roofline of one profile or of the first two that are compared into ``path``, and return it.

    A .html file also has the times and the tables of the operators. Raise BadInput for a suffix that is not a report
    format, or if peaks are not known, MissingDependency without matplotlib, ResultsError if the file cannot be written.
    """
    form = figure_form(path)
    drawings = profile_drawings(profiles)
    if form == "html":
        _write(path, profile_page(profiles).encode("utf-8", "replace"))
    elif drawings[1:]:
        _write(path, render(drawings[1], Layout.PAGE, form))
    else:
        raise BadInput(
            "no roofline to draw: no operator has a known number of multiply-accumulates, or this machine has no peaks",
            "use --figure with .html for the times of the operators",
        )
    return path


def figure_form(path: Path) -> str:
    """Return the format of a figure's file. Raise BadInput for an unknown one, MissingDependency without matplotlib."""
    form = path.suffix.removeprefix(".")
    if form not in REPORT_FORMATS:
        raise BadInput(f"--figure {path}: unknown suffix", "use .html, .png, .svg or .pdf")
    _require_matplotlib()
    return form


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "matplotlib is not installed, and reports need it", "pip install 'edge-bench[host]', or use the host image"
        ) from None


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as cause:
        raise unwritable(path, cause, "choose a writable path") from None
