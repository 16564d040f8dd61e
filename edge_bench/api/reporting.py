"""Reports of Runs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from edge_bench.api.loading import AnyPath, paths_of
from edge_bench.api.messages import progress_view
from edge_bench.api.runs import Run

__all__ = ["report"]


def report(
    runs: Run | Iterable[Run],
    output: AnyPath | None = None,
    *,
    formats: str | Sequence[str] = "html",
    bundles: AnyPath | Iterable[AnyPath] = (),
    data: AnyPath | Iterable[AnyPath] = (),
    size: str = "column",
    progress: bool = False,
) -> list[Path]:
    """Write the page of ``edge-bench report``, or single figures; return the paths of the files.

    output: the page (report.html), or, without html in ``formats``, the folder of the figures
    formats: html, png, svg, pdf
    bundles: the measured bundles, for their training and images; data: folders of the images of other Runs
    size: column or page, the width of single figures
    Raise BadInput for an unknown format and for a bundle or folder without Runs, MissingDependency without matplotlib.
    """
    from edge_bench.app.render.formats import Layout
    from edge_bench.app.report.write import report_formats, write_report
    from edge_bench.bench.measure.options.values import names, one_of

    one_of(size, "--size", [each.value for each in Layout])
    records = [run.record for run in ([runs] if isinstance(runs, Run) else runs)]
    return write_report(
        records,
        paths_of(bundles),
        None if output is None else Path(output),
        report_formats(names(formats)),
        Layout(size),
        progress_view(shown=progress),
        (),
        paths_of(data),
    )
