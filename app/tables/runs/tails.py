"""Cells and notes on slow times of a Run: percentiles, slow trials, and processes that differ."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_bench.app.render.units import significant, with_interval
from edge_bench.bench.analysis.times.processes import process_luck, slow_trials
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.latency import PERCENTILES, Percentile, percentiles

__all__ = ["percentile_cell", "percentile_notes", "postprocess_ms", "postprocess_notes", "tail_notes", "tail_record"]

#: Recommended number of processes if processes differ.
_RECOMMENDED_PROCESSES = 10


def percentile_cell(result: Result) -> str:
    """Return the percentiles and the maximum of the latencies, in ms per image."""
    latencies = result.latencies_ms_by_process()
    values = [*(each.value for each in percentiles(latencies)), float(max(each.max() for each in latencies))]
    return " / ".join("–" if value is None else significant(value) for value in values)


def postprocess_notes(run: Run) -> list[str]:
    """Return one note on the time of decoding outputs; empty without --with-postprocess."""
    if not run.settings.with_postprocess:
        return []
    timed = [(result, found) for result in run.results if (found := postprocess_ms(result)) is not None]
    if not timed:
        return ["--with-postprocess: nothing to time, as the model decodes its outputs or the task needs no decoding"]
    shown = "; ".join(f"{result.configuration}: {significant(found)}" for result, found in timed)
    return [
        f"decoding of outputs, median ms/{run.unit} in one thread, measured separately and not included in the times: "
        f"{shown}"
    ]


def postprocess_ms(result: Result) -> float | None:
    """Return the median duration of decoding one example's outputs in ms; None if it was not timed."""
    return None if result.postprocess is None else float(np.median(unpack(result.postprocess))) / 1e6


def tail_record(result: Result) -> dict[str, Any]:
    """Return the unformatted values: milliseconds per image, counts, and shares; None without trials."""
    record: dict[str, Any] = {}
    latencies = result.latencies_ms_by_process()
    for each in percentiles(latencies):
        name = f"latency_p{each.percentile:g}"
        interval = each.interval
        record[f"{name}_ms"] = each.value
        record[f"{name}_low_ms"] = interval.low if interval else None
        record[f"{name}_high_ms"] = interval.high if interval else None
    slow = slow_trials(result.pass_seconds()) if result.trials else None
    luck = process_luck(result.seconds_by_process())
    return record | {
        "latency_max_ms": max((float(each.max()) for each in latencies), default=None),
        "slow_trials": slow.count if slow else None,
        "slowest_trial_excess": slow.slowest if slow else None,
        "process_spread": luck.spread if luck else None,
        "process_luck": (luck is not None and luck.of_processes) if result.trials else None,
    }


def tail_notes(run: Run) -> list[str]:
    """Return at most one note each on slow trials and on processes that differ; none for emulated Runs.

    There is none for a sustained load, whose times may change, either.
    """
    if run.emulated or run.settings.sustained:
        return []
    results = run.results_with_trials
    notes = list[str]()
    slow = [(result.configuration, slow_trials(result.pass_seconds())) for result in results]
    texts = [
        f"{name}: {each.count} of {each.trials}, by up to {each.slowest:.0%}" for name, each in slow if each.slowest
    ]
    if texts:
        notes.append(f"- slow trials, over 10 % slower than the median trial: {'; '.join(texts)}")
    return notes + _process_notes(results)


def percentile_notes(results: Sequence[Result], unit: str = "image") -> list[str]:
    """Return notes on the intervals of the percentiles in `percentile_cell`, where missing percentiles are dashes."""
    intervals, single = list[str](), list[str]()
    for result in results:
        name = str(result.configuration)
        found = percentiles(result.latencies_ms_by_process())
        if found[0].processes == 1:
            single.append(name)
        elif highest := _highest(found):
            value = with_interval(highest.value or 0, highest.interval)
            intervals.append(f"{name}: p{highest.percentile:g} {value}")
    notes = list[str]()
    if intervals:
        notes.append(f"percentiles are estimates; ms/{unit} [95 % over processes]: {'; '.join(intervals)}")
    if single:
        notes.append(f"percentiles are estimates from one process, without an interval: {'; '.join(single)}")
    return notes


def _highest(found: Sequence[Percentile]) -> Percentile | None:
    """Return the highest of p90 and p99 that has an interval."""
    return next((each for each in reversed(found[PERCENTILES.index(90) :]) if each.interval), None)


def _process_notes(results: Sequence[Result]) -> list[str]:
    lucky, disturbed, most = list[str](), list[str](), 0
    for result in results:
        if luck := process_luck(result.seconds_by_process()):
            (lucky if luck.of_processes else disturbed).append(f"{result.configuration}: by {luck.spread:.1%}")
            most = max(most, len(result.by_process()))
    remedy = f"use --processes {max(_RECOMMENDED_PROCESSES, 2 * most)}"
    notes = list[str]()
    if lucky:
        notes.append(
            f"- process luck: each process kept its own speed, for example because of its memory layout: {remedy}; "
            f"{'; '.join(lucky)}"
        )
    if disturbed:
        notes.append(
            f"- processes differ by more than 3 %, but so do the trials within them, for example because of other "
            f"load: {remedy}; {'; '.join(disturbed)}"
        )
    return notes
