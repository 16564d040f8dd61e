"""From Runs to the files of a report: the page, and single pictures in a paper's size."""

from collections.abc import Sequence
from pathlib import Path

from edge_bench.app.figures.drawing.canvas import render
from edge_bench.app.render.formats import Layout
from edge_bench.app.report.chapter import chapters_of
from edge_bench.app.report.history_page import history_drawings, history_page
from edge_bench.app.report.page import report_page
from edge_bench.bench.analysis.history import Series
from edge_bench.bench.errors import BadInput, MissingDependency, ResultsError
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run

__all__ = ["REPORT_FORMATS", "report_formats", "write_history", "write_report"]

REPORT_FORMATS = ("html", "png", "svg", "pdf")


def report_formats(names: Sequence[str]) -> list[str]:
    """The names, each once; BadInput for one that nobody knows."""
    unknown = [name for name in names if name not in REPORT_FORMATS]
    if unknown or not names:
        raise BadInput(
            f"--format {','.join(unknown) or 'nothing'}: not a report's format", "choose of html,png,svg,pdf"
        )
    return list(dict.fromkeys(names))


def write_report(
    runs: Sequence[Run],
    bundles: Sequence[Path],
    output: Path | None,
    formats: Sequence[str],
    layout: Layout,
    progress: Progress,
    offloads: Sequence[Offload] = (),
) -> list[Path]:
    """Writes ``output`` (report.html) and, for the other formats, one file a picture; the paths written.

    Pictures go to the folder ``output``, or beside the page to ``<its name>-figures``. Raises BadInput for a bundle
    that none of the Runs measured, MissingDependency without matplotlib, ResultsError where nothing can be written.
    """
    _needs_matplotlib()
    chapters = chapters_of(runs, [Bundle.open(folder) for folder in bundles], offloads)
    single = [form for form in formats if form != "html"]
    count = sum(len(chapter.pictures) for chapter in chapters)
    progress.start("drawing", count * (len(single) + ("html" in formats)))
    files: dict[Path, bytes] = {}
    folder = output or Path("figures")
    if "html" in formats:
        target = output or Path("report.html")
        folder = target.with_name(f"{target.stem}-figures")
        text = report_page(chapters, lambda drawing: progress.advance(1, drawing.title))
        # a file name may hold bytes that are no UTF-8, and a machine's name comes from outside, too
        files[target] = text.encode("utf-8", "replace")
    for chapter in chapters:
        prefix = f"{chapter.identity.sha256[:8]}-" if len(chapters) > 1 else ""
        for drawing in chapter.pictures:
            for form in single:
                files[folder / f"{prefix}{drawing.name}.{form}"] = render(drawing, layout, form)
                progress.advance(1, drawing.title)
    for path, content in files.items():
        _write(path, content)
    progress.finish(f"{len(files)} files")
    return list(files)


def write_history(series: Sequence[Series], path: Path) -> list[Path]:
    """Draws the series into ``path``, or, for several machines or bundles, into one file each; the paths written.

    Raises BadInput for an ending that is not a report's format, or where all times are an emulator's.
    """
    form = path.suffix.removeprefix(".")
    if form not in REPORT_FORMATS:
        raise BadInput(f"--picture {path}: not the name of a picture", "end it with .html, .png, .svg or .pdf")
    _needs_matplotlib()
    if form == "html":
        _write(path, history_page(series).encode("utf-8", "replace"))
        return [path]
    drawings = history_drawings(series)
    if not drawings:
        raise BadInput("nothing to draw: nothing was measured, or only under an emulator", "name real Runs")
    paths = [path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, len(drawings) + 1))]
    for target, drawing in zip(paths, drawings, strict=True):
        _write(target, render(drawing, Layout.PAGE, form))
    return paths


def _needs_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingDependency(
            "a report needs matplotlib, which is not installed", "pip install 'edge-bench[host]', or use the host image"
        ) from None


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as cause:
        raise ResultsError(
            f"{path}: cannot be written: {cause.strerror}", "name a place that you may write to"
        ) from None
