"""The answer of ``history``: what has changed, by how much, and whether the times are reliable."""

from collections.abc import Sequence

from edge_bench.app.render.text.wrapping import first_that_fits, wrapped
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.answer.reliability import EMULATED_TIMES, MEASURE_ON_DEVICE
from edge_bench.app.tables.over_time.names import lasting_change, series_name, series_runs
from edge_bench.app.tables.shared import UNRELIABLE, since_text
from edge_bench.bench.analysis.over_time.changes import Change, Kind
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.wording import counted

__all__ = ["history_lines"]


def history_lines(all_series: Sequence[Series], width: int) -> list[str]:
    """Return the answer in about three lines of ``width`` characters."""
    if not all_series:
        return wrapped("No answer: no Run has times", width)
    real = [series for series in all_series if not series.emulated]
    if not real:
        return [line for text in (EMULATED_TIMES, MEASURE_ON_DEVICE) for line in wrapped(text, width)]
    texts = [_first(real), _second(real), [_reliability(real)]]
    return [line for each in texts for line in wrapped(first_that_fits(width, each), width)]


def _first(real: Sequence[Series]) -> list[str]:
    judged = [series for series in real if series.judged]
    if not judged:
        longest = max(real, key=lambda series: len(series.points))
        return [f"Too few Runs for a verdict: {len(longest.points)} of at least {longest.least}"]
    changed = [(series, change) for series in judged if (change := lasting_change(series))]
    few = len(real) - len(judged)
    rest = f"; {counted(few, 'configuration')} with too few Runs" if few else ""
    of_all = f" of {counted(len(judged), 'configuration')}" if len(real) > 1 else ""
    if not changed:
        return [f"No change in {counted(len(series_runs(judged)), 'Run')}{of_all}{rest}"]
    if len(changed) == 1:
        series, change = changed[0]
        start = f"{_since(change)}{_doubt(series, change)}: {series_name(series, real)}"
        return [f"{start}, {_times(change)}{rest}", f"{start}, {_times(change)}", start]
    starts = {_since(change) for _, change in changed}
    if len(starts) == 1:
        ends = sorted(change.ratio.value for _, change in changed)
        shown = " to ".join(dict.fromkeys(f"{significant(each)}×" for each in (ends[0], ends[-1])))
        return [f"{starts.pop()}: {len(changed)}{of_all}, {shown} the time{rest}"]
    counts = [
        f"{counted(len(found), 'configuration')} {verdict}"
        for verdict in dict.fromkeys(change.verdict for _, change in changed)
        if (found := [each for each in changed if each[1].verdict is verdict])
    ]
    return [f"Changed: {', '.join(counts)}{of_all}{rest}", f"Changed: {', '.join(counts)}{of_all}"]


def _second(real: Sequence[Series]) -> list[str]:
    began = list(series_runs(real).values())
    days = dict.fromkeys(each[:10] for each in (began[0], began[-1]))
    text = f"{counted(len(began), 'Run')} of {counted(len(real), 'configuration')}, {' to '.join(days)}"
    changed = [(series, change) for series in real if (change := lasting_change(series))]
    if len(changed) < 2:
        return [text]
    series, change = max(changed, key=lambda each: max(each[1].ratio.value, 1 / each[1].ratio.value))
    most = f"largest change: {series_name(series, real)}, {_times(change)}"
    return [f"{most}, since {since_text(change)}; {text}", f"{most}; {counted(len(began), 'Run')}", most]


def _reliability(real: Sequence[Series]) -> str:
    trusted: dict[str, list[bool | None]] = {}
    unstable = set[str]()
    for series in real:
        for point in series.points:
            trusted.setdefault(point.run_id, []).append(point.trusted)
            unstable |= {point.run_id} if point.unstable else set()
    runs = counted(len(trusted), "Run")
    if doubtful := sum(False in each for each in trusted.values()):
        return f"! Times of {doubtful} of {runs} are not reliable (~). `edge-bench compare RUN` names the reason."
    if unstable:
        return f"! Times vary by 10 % or more within {len(unstable)} of {runs} (~). Stop other programs."
    if unknown := sum(None in each for each in trusted.values()):
        return f"Unknown whether times are reliable: {unknown} of {runs} do not record it."
    return f"Times are reliable in all {runs}." if len(trusted) > 1 else "Times are reliable."


def _since(change: Change) -> str:
    if change.kind is Kind.CREEP:
        return f"Gradually {change.verdict}"
    return f"{str(change.verdict).capitalize()} since {since_text(change)}"


def _times(change: Change) -> str:
    value = with_interval(change.ratio.value, change.ratio.interval).split(" ", 1)
    return " ".join([f"{value[0]}× the time", *value[1:]])


def _doubt(series: Series, change: Change) -> str:
    return UNRELIABLE if series.points[change.index].verdict_reliable is False else ""
