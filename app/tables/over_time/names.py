"""Short names of series, and what they have in common."""

from collections.abc import Sequence

from edge_bench.app.render.text.wrapping import middle_shortened
from edge_bench.app.tables.runs.history import group_letters, group_names
from edge_bench.bench.analysis.over_time.changes import Change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.delegate import shown_delegate
from edge_bench.bench.wording import counted

__all__ = ["lasting_change", "series_name", "series_runs"]

_MAX_NAME = 24


def lasting_change(series: Series) -> Change | None:
    """Return the last change that still lasts; None if there is none."""
    return next((change for change in reversed(series.changes) if change.lasts), None)


def series_runs(all_series: Sequence[Series]) -> dict[str, str]:
    """Return ``{run_id: began}`` of all Runs of these series, the oldest first."""
    began = {point.run_id: point.began for series in all_series for point in series.points}
    return dict(sorted(began.items(), key=lambda each: each[1]))


def series_name(series: Series, all_series: Sequence[Series]) -> str:
    """Return ``dynamic on litert``, with what else it takes to tell the series from the others."""
    configuration = series.configuration
    name = " on ".join(middle_shortened(text, _MAX_NAME) for text in (configuration.variant, configuration.runtime))
    same = [
        each
        for each in all_series
        if (each.configuration.variant, each.configuration.runtime) == (configuration.variant, configuration.runtime)
    ]
    if len({each.configuration.threads for each in same}) > 1:
        name += f", {counted(configuration.threads, 'thread')}"
    if len({each.configuration.batch_size for each in same}) > 1:
        name += f", batch {configuration.batch_size}"
    if configuration.delegate or len({each.configuration.delegate for each in same}) > 1:
        name += f", delegate {middle_shortened(shown_delegate(configuration.delegate), _MAX_NAME)}"
    if len({(each.images, each.resample) for each in same}) > 1:
        name += f", {counted(series.images, series.unit)}"
    letters = group_letters(group_names(all_series))
    return f"{name} ({letters[group_names([series])[0]]})" if letters else name
