"""A Run as a table: one row a configuration, or the reason why it has none."""

import re
from typing import Any

import msgspec
import numpy as np

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import percent, significant, size, with_interval
from edge_bench.bench.analysis.best_configuration import best_of_sweeps
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.stats.intervals import median_interval_over_processes, wilson
from edge_bench.bench.stats.latency import histogram, percentiles

__all__ = ["run_table"]

_BEST = "* the most images a second of its variant and runtime, or not slower than that beyond doubt"

#: With fewer classes a guess of five is right too often to tell models apart; JSON has it from six on.
_TOP_5_CLASSES = 20
_MAY_GO = re.compile("accuracy|top-5")

_HEADER = (
    "variant", "runtime", "threads", "batch", "pass, s\nmean ± sd", "pass, s\nmedian [95 %]",
    "trials in order\n± farthest", "ms an image\np50 / p90 / p99 / max", "images\na second", "accuracy, %\n[95 %]",
    "top-5, %\n[95 %]", "size", "peak\nmemory", "load\nms",
)  # fmt: skip


def run_table(run: Run) -> Table:
    """The table that `run` prints; latencies are those within this run's passes."""
    images, best = run.images_per_pass, best_of_sweeps(run)
    emulated = "EMULATED: " if run.emulated else ""
    trials = max((len(result.trials) for result in run.results), default=0)
    rows = [_row(result, run, best) for result in run.results]
    # what no row has (top-5 of few classes, accuracy of random inputs) needs no column
    shown = [place for place, name in enumerate(_HEADER) if not _MAY_GO.match(name) or any(row[place] for row in rows)]
    return Table(
        title=f"{emulated}{run.bundle.model} on {run.bundle.dataset}, {images:,} images a pass, "
        f"{trials} trials, {run.machine.label}",
        header=[_HEADER[place] for place in shown],
        rows=[[row[place] for place in shown] for row in rows],
        keys=4,
        notes=[*([_BEST] if best else []), *_notes(run)],
        records=[_record(result, run, best) for result in run.results],
    )


def _row(result: Result, run: Run, best: set[Configuration]) -> list[str]:
    configuration, images = result.configuration, run.images_per_pass
    keys = [
        configuration.variant,
        configuration.runtime,
        str(configuration.threads),
        str(configuration.batch_size),
    ]
    if not result.trials:
        kind = result.failure.kind if result.failure else "not measured"
        return [*keys, f"{kind} (below)", *[""] * 6, size(result.bytes), "", ""]
    seconds = result.pass_seconds()
    median = float(np.median(seconds))
    spread = f" ± {significant(float(seconds.std(ddof=1)), 2)}" if len(seconds) > 1 else ""
    latencies = result.latencies_ms_per_image()
    shown = [*percentiles(latencies), float(latencies.max())]
    return [
        *keys,
        f"{significant(float(seconds.mean()))}{spread}",
        with_interval(median, median_interval_over_processes(result.seconds_by_process())),
        "" if run.emulated else sparkline(result.pass_seconds().tolist()),  # no picture of emulated times
        " / ".join("–" if value is None else significant(value) for value in shown),
        f"{significant(images / median)}{' *' if configuration in best else ''}",
        _accuracy(result, run),
        _top_5(result, run),
        size(result.bytes),
        _peak(result),
        significant(_milliseconds(result, "load_ns")) if result.processes else "",
    ]


def _accuracy(result: Result, run: Run) -> str:
    """Empty where the images have no true labels."""
    if not run.scored(result):
        return ""
    correct, images = run.correct(result)
    interval = wilson(correct, images)
    spread = _accuracy_spread(result, run)
    within = f"± {percent(spread)} " if spread is not None else ""
    return f"{percent(correct / images)} {within}[{percent(interval.low, 1)}, {percent(interval.high, 1)}]"


def _top_5(result: Result, run: Run) -> str:
    """Only where there are enough classes for it to say something."""
    counted = run.correct_in_top_5(result) if len(run.bundle.classes) >= _TOP_5_CLASSES else None
    if counted is None:
        return ""
    interval = wilson(*counted)
    return f"{percent(counted[0] / counted[1])} [{percent(interval.low, 1)}, {percent(interval.high, 1)}]"


def _accuracy_spread(result: Result, run: Run) -> float | None:
    """Standard deviation of the accuracy over trials that each drew their own images; None where all saw the same."""
    if not run.settings.resample or len(result.trials) < 2 or not run.scored(result):
        return None
    return float(np.std([trial.correct / run.images_per_pass for trial in result.trials], ddof=1))


def _peak(result: Result) -> str:
    """Empty where no worker came to its end, which is when it says."""
    peak = max((process.memory_peak_bytes for process in result.processes), default=0)
    return size(peak) if peak else ""


def _notes(run: Run) -> list[str]:
    notes = [f"NOTE: {run.bundle.note}"] if run.bundle.note else []
    notes += [f"- {note}" for note in run.images.notes]
    if run.images.indices.length < run.images.total_images:
        notes.append(
            f"{run.images.indices.length:,} of {run.images.total_images:,} test images, drawn evenly over classes"
        )
    if run.settings.resample:
        notes.append(f"each trial drew {run.images_per_pass:,} images of its own: ± of the accuracy is over trials")
    if run.trusted is not None and run.measured:
        notes.append("trusted: yes" if run.trusted else "trusted: no, because of what is marked ! below")
    if not run.labelled:
        notes.append("the images have no true labels: there is agreement, but no accuracy")
    if not run.complete:
        notes.append("! INTERRUPTED: these are the trials made until then")
    notes += [f"{'!' if finding.spoils else '-'} {finding.what}: {finding.remedy}" for finding in run.findings]
    notes += _failures(run)
    for result in run.results:
        notes += [f"- {result.configuration}: {warning}" for warning in result.warnings]
    return notes


def _failures(run: Run) -> list[str]:
    """One line a reason, with all configurations it stopped."""
    stopped: dict[str, list[str]] = {}
    for result in run.results:
        if result.failure:
            remedy = f" ({result.failure.remedy})" if result.failure.remedy else ""
            made = f" after {len(result.trials)} trials" if result.trials else ""
            reason = f"{result.failure.kind}{made}: {result.failure.message}{remedy}"
            stopped.setdefault(reason, []).append(str(result.configuration))
    return [f"! {'; '.join(names)}: {reason}" for reason, names in stopped.items()]


def _record(result: Result, run: Run, best: set[Configuration]) -> dict[str, Any]:
    """The row's bare numbers: seconds, bytes, shares of one."""
    configuration, images = result.configuration, run.images_per_pass
    record: dict[str, Any] = {
        "machine": run.machine.hostname,
        "architecture": run.machine.architecture,
        "emulated": run.emulated,
        "trusted": run.trusted,
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "runtime_version": result.runtime_version,
        "delegate": result.delegate,
        "threads": configuration.threads,
        "batch_size": configuration.batch_size,
        "images": images,
        "trials": len(result.trials),
        "bytes": result.bytes,
    }
    names = (
        "pass_mean_s", "pass_sd_s", "pass_median_s", "pass_median_low_s", "pass_median_high_s", "latency_p50_ms",
        "latency_p90_ms", "latency_p99_ms", "latency_max_ms", "images_a_second", "accuracy", "accuracy_low",
        "accuracy_high", "memory_peak_bytes", "load_ms", "first_ms",
    )  # fmt: skip
    record |= dict(zip(names, _figures(result, run), strict=True)) if result.trials else dict.fromkeys(names)
    return record | {
        "best": configuration in best,
        "accuracy_sd": _accuracy_spread(result, run),
        "top_5_accuracy": top_5[0] / top_5[1] if (top_5 := run.correct_in_top_5(result)) else None,
        "latency_histogram": msgspec.to_builtins(histogram(result.latencies_ms_per_image())) if result.trials else None,
        "failure": result.failure.message if result.failure else None,
    }


def _figures(result: Result, run: Run) -> list[float | None]:
    seconds, images = result.pass_seconds(), run.images_per_pass
    median, interval = float(np.median(seconds)), median_interval_over_processes(result.seconds_by_process())
    latencies = result.latencies_ms_per_image()
    return [
        float(seconds.mean()),
        float(seconds.std(ddof=1)) if len(seconds) > 1 else None,
        median,
        interval.low if interval else None,
        interval.high if interval else None,
        *percentiles(latencies),
        float(latencies.max()),
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
    """The median over worker processes of a duration that each of them stated once."""
    return float(np.median([getattr(process, field) for process in result.processes])) / 1e6
