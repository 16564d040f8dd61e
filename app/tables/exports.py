"""Runs in the formats of services that record benchmarks: github-action-benchmark and Bencher.

Sources: the type BenchmarkResult in src/extract.ts of benchmark-action/github-action-benchmark, and the JSON schema of
the Bencher Metric Format (bencher.dev/bmf.json). Tests validate both.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge_bench.app.render.escaping import json_text
from edge_bench.app.render.formats import MeasuredFormat
from edge_bench.app.render.units import significant
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.over_time.history import Point, Series
from edge_bench.bench.errors import NotTrusted
from edge_bench.bench.records.run import Configuration
from edge_bench.bench.stats.intervals import Interval, wilson
from edge_bench.bench.tasks.measures import Measure

__all__ = ["Exported", "export", "exported_history", "exported_runs"]

#: Fewest significant digits of a service's table and its alerts.
_DIGITS = 4


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """The newest values of one configuration. Times that are not reliable are None, with the reason."""

    name: str
    run_id: str
    machine: str
    unit: str  # one example: image, or inference
    milliseconds: float | None  # per example
    interval: Interval | None  # of ``milliseconds``, 95 %
    why_no_time: str = ""
    quality: Measure | None = None  # the first measure of the task; None: unknown, or based on an assumption
    bytes: int | None = None  # of the model file; None: unknown


def exported_runs(comparison: Comparison) -> list[Exported]:
    """Return the newest values of each configuration of each machine; configurations without trials are left out."""
    rows = [row for row in comparison.rows if row.time]
    newest = {(row.machine, row.configuration): row for row in sorted(rows, key=lambda each: each.began)}
    several = len({row.machine for row in rows}) > 1
    chosen = {id(row) for row in newest.values()}
    causes = {
        run_id: each.reasons[0].what for each in comparison.reliability if each.reasons for run_id in each.run_ids
    }
    return [
        _of_row(row, comparison.unit, causes.get(row.run_id, ""), several=several) for row in rows if id(row) in chosen
    ]


def _of_row(row: Row, unit: str, cause: str, *, several: bool) -> Exported:
    """Return the values of a row; ``cause``: why the times of its Run are not reliable."""
    time = row.time
    if time is None:
        raise ValueError("only rows with a time are exported")
    why = _why_not(
        emulated=row.emulated,
        trusted=row.trusted,
        unstable=row.unstable,
        failure=row.failure,
        interval=time.interval,
        cause=cause,
    )
    return Exported(
        name=_name(row.configuration, row.machine, several=several),
        run_id=row.run_id,
        machine=row.machine,
        unit=unit,
        milliseconds=None if why else time.milliseconds,
        interval=None if why else time.interval,
        why_no_time=why,
        quality=None if row.accuracy_assumed else next(iter(row.quality), None),
        bytes=row.bytes or None,
    )


def exported_history(series: Sequence[Series]) -> list[Exported]:
    """Return the newest Run of each series."""
    several = len({each.machine for each in series}) > 1
    found = []
    for each in series:
        point = each.points[-1]
        interval = point.interval if point.processes > 1 else None
        why = _why_not(
            emulated=each.emulated,
            trusted=point.trusted,
            unstable=point.unstable,
            failure=point.failure,
            interval=interval,
        )
        scaled = interval and Interval(1e3 * interval.low, 1e3 * interval.high)
        found.append(
            Exported(
                name=_name(each.configuration, each.machine, several=several),
                run_id=point.run_id,
                machine=each.machine,
                unit=each.unit,
                milliseconds=None if why else 1e3 * point.median,
                interval=None if why else scaled,
                why_no_time=why,
                quality=None if point.accuracy_assumed else _quality(point),
            )
        )
    return found


def _quality(point: Point) -> Measure | None:
    """Return the first measure of a Run. Points have no interval of it, but that of an accuracy is known."""
    if point.quality is None or point.correct is None or not point.seen:
        return point.quality
    return msgspec.structs.replace(point.quality, interval=wilson(point.correct, point.seen))


def _why_not(
    *, emulated: bool, trusted: bool | None, unstable: bool, failure: str, interval: Interval | None, cause: str = ""
) -> str:
    """Return why a time is not reliable; empty if it is. ``cause``: why its Run is not."""
    reasons = {
        "it is EMULATED": emulated,
        f"its configuration failed: {failure}": bool(failure),
        f"its Run is not reliable{cause and ': '}{cause}": trusted is False,
        "its Run does not say whether it is reliable": trusted is None,
        "it varies by 10 % or more": unstable,
        "one process gives no interval": interval is None,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _name(configuration: Configuration, machine: str, *, several: bool) -> str:
    return f"{configuration}{f', {machine}' if several else ''}"


def export(found: Sequence[Exported], form: MeasuredFormat) -> tuple[str, list[str]]:
    """Return the text for a service, and notes on values that are left out.

    Raise NotTrusted if no time is reliable: a service would show nothing, or a change that is none.
    """
    notes = [f"no time exported of {each.name}: {each.why_no_time}" for each in found if each.why_no_time]
    if not any(each.milliseconds is not None for each in found):
        reasons = dict.fromkeys(each.why_no_time for each in found)
        raise NotTrusted(
            f"nothing to export: no time is reliable ({'; '.join(reasons) or 'nothing was measured'})",
            "measure on a real and otherwise idle machine, with at least two processes",
        )
    writers: dict[MeasuredFormat, Callable[[Sequence[Exported]], Any]] = {
        MeasuredFormat.BENCHER: _bencher,
        MeasuredFormat.GITHUB_ACTION_BENCHMARK: _github_action_benchmark,
    }
    return json_text(writers[form](found)), notes


def _bencher(found: Sequence[Exported]) -> dict[str, dict[str, dict[str, float]]]:
    """Return Bencher Metric Format: latency in ns, file-size in bytes, and the first measure of quality."""
    return {each.name: measures for each in found if (measures := _bencher_measures(each))}


def _bencher_measures(each: Exported) -> dict[str, dict[str, float]]:
    measures = dict[str, dict[str, float]]()
    if each.milliseconds is not None:
        measures["latency"] = _metric(each.milliseconds, each.interval, 1e6)
    if each.quality and each.quality.value is not None:
        slug = each.quality.name.lower().replace(" ", "-")
        measures[slug] = _metric(each.quality.value, each.quality.interval, 100 if each.quality.percent else 1)
    if each.bytes:
        measures["file-size"] = {"value": each.bytes}
    return measures


def _metric(value: float, interval: Interval | None, scale: float) -> dict[str, float]:
    bounds = {"lower_value": scale * interval.low, "upper_value": scale * interval.high} if interval else {}
    return {"value": scale * value, **bounds}


def _github_action_benchmark(found: Sequence[Exported]) -> list[dict[str, Any]]:
    """Return entries of customSmallerIsBetter: times, sizes, and errors in place of accuracies."""
    entries = []
    for each in found:
        about = {"extra": f"run {each.run_id[:8]}, {each.machine}"}
        if each.milliseconds is not None and each.interval:
            entries.append(_entry(each.name, each.milliseconds, f"ms/{each.unit}", each.interval, 1) | about)
        if (
            each.quality
            and each.quality.value is not None
            and (each.quality.percent or not each.quality.higher_is_better)
        ):
            entries.append(_error(each.name, each.quality) | about)
        if each.bytes:
            entries.append({"name": f"{each.name}: size", "unit": "bytes", "value": each.bytes} | about)
    return entries


def _error(name: str, measure: Measure) -> dict[str, Any]:
    """Return a measure for which less is better; a share of which more is better becomes what is missing to 100 %."""
    value, interval = measure.value or 0.0, measure.interval
    if not measure.higher_is_better:
        return _entry(f"{name}: {measure.name}", value, "%" if measure.percent else "", interval,
                      100 if measure.percent else 1)  # fmt: skip
    missing = interval and Interval(1 - interval.high, 1 - interval.low)
    return _entry(f"{name}: 100 % − {measure.name}", 1 - value, "%", missing, 100)


def _entry(name: str, value: float, unit: str, interval: Interval | None, scale: float) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "unit": unit, "value": scale * value}
    if interval:
        low, high = (significant(scale * each, _DIGITS) for each in (interval.low, interval.high))
        entry["range"] = f"[{low}, {high}]"
    return entry
