"""The table of a Run: one row per configuration, with its times or its failure."""

from typing import Any

import msgspec
import numpy as np

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import counted, marked, percent, significant, size, with_interval
from edge_bench.app.tables.delegates import delegate_record
from edge_bench.app.tables.energy import ENERGY_HEADINGS, energy_cells, energy_record
from edge_bench.app.tables.profiles.table import profile_record
from edge_bench.app.tables.runs.notes import run_notes
from edge_bench.app.tables.runs.quality import quality_cell, quality_heading, quality_notes, quality_record
from edge_bench.app.tables.runs.tails import (
    percentile_cell,
    percentile_notes,
    postprocess_ms,
    tail_record,
)
from edge_bench.app.tables.shared import (
    CONFIGURATION_KEYS,
    DELEGATE,
    configuration_cells,
    has_delegates,
)
from edge_bench.app.tables.sustained_fields import sustained_record
from edge_bench.bench.analysis.comparison.best_configuration import best_of_sweeps
from edge_bench.bench.analysis.energy.joules import NONE, energy_of, source_of
from edge_bench.bench.analysis.fastest.search import Search, search_of
from edge_bench.bench.analysis.quality.scored import measures_of
from edge_bench.bench.analysis.sustained.load import loads_of
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.analysis.times.reliability import is_unstable, reliability_of, trusted
from edge_bench.bench.records.run import CLASSIFY, Configuration, Result, Run
from edge_bench.bench.stats.intervals import median_interval_over_processes, wilson
from edge_bench.bench.stats.latency import histogram

__all__ = ["run_table"]

_BEST_NOTE = "* most {unit}s/s of its variant, runtime and delegate, or not significantly fewer"

#: With fewer classes, five guesses contain the true label too often to distinguish models. JSON has it from six on.
_MIN_TOP_5_CLASSES = 20

_ACCURACY, _TOP_5 = "accuracy, %\n[95 %]", "top-5, %\n[95 %]"
#: Fields of a row that need trials, in the order of `_figures`.
_FIGURES = (
    "pass_mean_s", "pass_sd_s", "pass_median_s", "pass_median_low_s", "pass_median_high_s", "images_a_second",
    "accuracy", "accuracy_low", "accuracy_high", "memory_peak_bytes", "load_ms", "first_ms",
)  # fmt: skip
#: Headings that differ with --resample.
_RESAMPLED = {_ACCURACY: "accuracy, %\n± sd over trials [95 %]"}
_HEADER = (
    *CONFIGURATION_KEYS, "ms/image\nmedian [95 %]", "ms/image\nmean ± sd",
    "trials in order\n± largest",
    "one invocation, ms/image\np50 / p90 / p99 / max", "images/s", *ENERGY_HEADINGS, _ACCURACY, _TOP_5, "size",
    "peak\nmemory", "load\nms",
)  # fmt: skip


def run_table(run: Run) -> Table:
    """Return the table that ``run`` prints; latencies are measured within its passes."""
    images, best, search = run.images_per_pass, best_of_sweeps(run), search_of(run)
    loads = {load.configuration: load for load in loads_of(run)}
    emulated = "EMULATED: " if run.emulated else ""
    trials = max((len(result.trials) for result in run.results), default=0)
    scored = [result for result in run.results_with_trials if run.scored(result)]
    measures = {str(result.configuration): measures_of(run, result) for result in run.results_with_trials}
    quality = quality_heading(each[0] for each in measures.values() if each)
    omitted = set() if quality else {_ACCURACY}  # for example for random inputs
    if not (delegates := has_delegates(result.configuration for result in run.results)):
        omitted.add(DELEGATE)
    if len(run.bundle.classes) < _MIN_TOP_5_CLASSES or not any(result.in_top_5 for result in scored):
        omitted.add(_TOP_5)
    if source_of(run).source == NONE:
        omitted.update(ENERGY_HEADINGS)
    columns = [number for number, name in enumerate(_HEADER) if name not in omitted]
    return Table(
        title=f"{emulated}{run.bundle.model} on {run.bundle.dataset}, {counted(images, run.unit)} per pass, "
        f"{counted(trials, 'trial')}, {run_place(run)}",
        header=[_heading(_HEADER[column], run, quality) for column in columns],
        rows=Lazy(lambda result: list(map(_row(result, run, best).__getitem__, columns)), run.results),
        keys=4 + delegates,
        notes=[
            *([_BEST_NOTE.format(unit=run.unit)] if best else []),
            *quality_notes(run.task, run.images.indices.length, measures.items()),
            *run_notes(run, percentile_notes(run.results_with_trials, run.unit)),
        ],
        records=Lazy(
            lambda result: _record(result, run, best, search) | sustained_record(loads.get(result.configuration)),
            run.results,
        ),
    )


def _heading(name: str, run: Run, quality: str) -> str:
    if name == _ACCURACY and run.task != CLASSIFY:
        return f"{quality}\n[95 %]"
    if run.settings.resample:
        name = _RESAMPLED.get(name, name)
    return name.replace("image", run.unit)


def _row(result: Result, run: Run, best: set[Configuration]) -> list[str]:
    configuration, images = result.configuration, run.images_per_pass
    keys = configuration_cells(configuration)
    if not result.trials:
        kind, brief = result.failure.kind if result.failure else "not measured", _first_median(result)
        shown = f"first round: {significant(1e3 * brief / images)}" if brief and not result.failure else ""
        return [*keys, shown or f"{kind} (see notes)", *[""] * 9, size(result.bytes), "", ""]
    seconds = result.pass_seconds()
    median = float(np.median(seconds))
    scale = 1e3 / images
    spread = f" ± {significant(scale * float(seconds.std(ddof=1)), 2)}" if len(seconds) > 1 else ""
    return [
        *keys,
        with_interval(median, median_interval_over_processes(result.seconds_by_process()), scale=scale),
        f"{significant(scale * float(seconds.mean()))}{spread}",
        "" if run.emulated else sparkline(seconds.tolist()),
        percentile_cell(result),
        f"{significant(images / median)}{' *' if configuration in best else ''}",
        *energy_cells(energy_of(run, result)),
        _accuracy(result, run),
        _top_5(result, run),
        size(result.bytes),
        _peak_memory(result),
        significant(_milliseconds(result, "load_ns")) if result.processes else "",
    ]


def _first_median(result: Result) -> float | None:
    """Return the median pass of the first round of --find-fastest, in seconds; None without one."""
    seconds = [trial.pass_seconds for trial in result.first_round]
    return float(np.median(seconds)) if seconds else None


def _accuracy(result: Result, run: Run) -> str:
    """Return the quality with its interval and, with --resample, its deviation; empty without true values."""
    if run.task != CLASSIFY:
        return quality_cell(measures_of(run, result), assumed=run.accuracy_assumed)
    if not run.scored(result):
        return ""
    correct, images = run.correct(result)
    interval = wilson(correct, images)
    deviation = _accuracy_deviation(result, run)
    spread = f"± {percent(deviation)} " if deviation is not None else ""
    text = f"{percent(correct / images)} {spread}[{percent(interval.low, 1)}, {percent(interval.high, 1)}]"
    return marked(text, assumed=run.accuracy_assumed)


def _top_5(result: Result, run: Run) -> str:
    """Return the top-5 accuracy with its interval; empty for fewer than ``_MIN_TOP_5_CLASSES`` classes."""
    counts = run.correct_in_top_5(result) if len(run.bundle.classes) >= _MIN_TOP_5_CLASSES else None
    if counts is None:
        return ""
    interval = wilson(*counts)
    text = f"{percent(counts[0] / counts[1])} [{percent(interval.low, 1)}, {percent(interval.high, 1)}]"
    return marked(text, assumed=run.accuracy_assumed)


def _accuracy_deviation(result: Result, run: Run) -> float | None:
    """Return the accuracy's standard deviation over trials; None if all trials used the same images."""
    if not run.settings.resample or len(result.trials) < 2 or not run.scored(result):
        return None
    return float(np.std([trial.correct / run.images_per_pass for trial in result.trials], ddof=1))


def _peak_memory(result: Result) -> str:
    """Return the largest peak of all workers. It is empty if no worker finished: workers report it when they end."""
    peak = max((process.memory_peak_bytes for process in result.processes), default=0)
    return size(peak) if peak else ""


def _record(result: Result, run: Run, best: set[Configuration], search: Search | None) -> dict[str, Any]:
    """Return the unformatted values of the row: seconds, bytes, and shares from 0 to 1."""
    configuration = result.configuration
    record: dict[str, Any] = {
        "machine": run.machine.hostname,
        "architecture": run.machine.architecture,
        "emulated": run.emulated,
        "trusted": trusted([run]),
        "not_trusted_because": "; ".join(reason.what for reason in reliability_of([run]).reasons),
        "unstable": is_unstable(result),
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "runtime_version": result.runtime_version,
        "threads": configuration.threads,
        "batch_size": configuration.batch_size,
        **delegate_record(result),
        "images": run.images_per_pass,
        "trials": len(result.trials),
        "bytes": result.bytes,
    }
    record |= dict(zip(_FIGURES, _figures(result, run), strict=True)) if result.trials else dict.fromkeys(_FIGURES)
    return (
        record
        | tail_record(result)
        | energy_record(energy_of(run, result))
        | {
            "postprocess_median_ms": postprocess_ms(result),
            **quality_record(run.task, measures_of(run, result)),
            "unit": run.unit,
            "best": configuration in best,
            **_search_and_profile(result, search),
            "accuracy_assumed": run.accuracy_assumed,
            "accuracy_sd": _accuracy_deviation(result, run),
            "top_5_accuracy": top_5[0] / top_5[1] if (top_5 := run.correct_in_top_5(result)) else None,
            "latency_histogram": msgspec.to_builtins(histogram(result.latencies_ms_per_image()))
            if result.trials
            else None,
            "failure": result.failure.message if result.failure else None,
        }
    )


def _search_and_profile(result: Result, search: Search | None) -> dict[str, Any]:
    """Return the values that only --find-fastest and --profile have."""
    is_lead = search is not None and search.lead == result.configuration
    return {
        "first_round_median_s": _first_median(result),
        "probability_fastest": search.probability if search and is_lead else None,
        "profile": None if result.profile is None else profile_record(result.profile),
    }


def _figures(result: Result, run: Run) -> list[float | None]:
    seconds, images = result.pass_seconds(), run.images_per_pass
    median, interval = float(np.median(seconds)), median_interval_over_processes(result.seconds_by_process())
    return [
        float(seconds.mean()),
        float(seconds.std(ddof=1)) if len(seconds) > 1 else None,
        median,
        interval.low if interval else None,
        interval.high if interval else None,
        images / median,
        *_accuracy_figures(result, run),
        *(
            (
                max(process.memory_peak_bytes for process in result.processes),
                _milliseconds(result, "load_ns"),
                _milliseconds(result, "first_inference_ns"),
            )
            if result.processes
            else (None, None, None)
        ),
    ]


def _accuracy_figures(result: Result, run: Run) -> tuple[float | None, float | None, float | None]:
    if not run.scored(result):
        return None, None, None
    correct, images = run.correct(result)
    accuracy = wilson(correct, images)
    return correct / images, accuracy.low, accuracy.high


def _milliseconds(result: Result, field: str) -> float:
    """Return the median over worker processes of a field in nanoseconds, as milliseconds."""
    return float(np.median([getattr(process, field) for process in result.processes])) / 1e6
