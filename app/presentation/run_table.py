"""A Run as a table: one row a configuration, or the reason why it has none."""

from typing import Any

import numpy as np

from app.presentation.sparkline import sparkline
from app.presentation.tables import Table
from app.presentation.units import percent, significant, size, with_interval
from bench.results import Result, Run
from bench.stats import median_interval, wilson

__all__ = ["run_table"]

_HEADER = (
    "variant", "runtime", "threads", "batch", "pass, s\nmean ± sd", "pass, s\nmedian [95 %]",
    "trials in order\n± farthest", "ms an image\np50 / p90 / p99", "images\na second", "accuracy, %\n[95 %]", "size",
    "peak\nmemory", "load\nms",
)  # fmt: skip


def run_table(run: Run) -> Table:
    """The table that `run` prints; latencies are those within this run's passes."""
    images = run.images_a_pass
    emulated = "EMULATED: " if run.emulated else ""
    trials = max((len(result.trials) for result in run.results), default=0)
    return Table(
        title=f"{emulated}{run.bundle.model} on {run.bundle.dataset}, {images:,} images a pass, "
        f"{trials} trials, {run.machine.label}",
        header=_HEADER,
        rows=[_row(result, run) for result in run.results],
        keys=4,
        notes=_notes(run),
        records=[_record(result, run) for result in run.results],
    )


def _row(result: Result, run: Run) -> list[str]:
    configuration, images = result.configuration, run.images_a_pass
    keys = [
        configuration.variant,
        configuration.runtime,
        str(configuration.threads),
        str(configuration.batch_size),
    ]
    if not result.trials:
        kind = result.failure.kind if result.failure else "not measured"
        return [*keys, f"{kind} (below)", *[""] * 5, size(result.bytes), "", ""]
    seconds = result.pass_seconds()
    median = float(np.median(seconds))
    spread = f" ± {significant(float(seconds.std(ddof=1)), 2)}" if len(seconds) > 1 else ""
    p50, p90, p99 = np.percentile(result.latencies_ms_an_image(), [50, 90, 99])
    return [
        *keys,
        f"{significant(float(seconds.mean()))}{spread}",
        with_interval(median, median_interval(seconds)),
        "" if run.emulated else sparkline(result.pass_seconds().tolist()),  # no picture of emulated times
        f"{significant(p50)} / {significant(p90)} / {significant(p99)}",
        significant(images / median),
        _accuracy(result, run),
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
    return f"{percent(correct / images)} [{percent(interval.low, 1)}, {percent(interval.high, 1)}]"


def _peak(result: Result) -> str:
    """Empty where no worker came to its end, which is when it says."""
    peak = max((process.memory_peak_bytes for process in result.processes), default=0)
    return size(peak) if peak else ""


def _notes(run: Run) -> list[str]:
    notes = [f"NOTE: {run.bundle.note}"] if run.bundle.note else []
    if run.images.indices.length < run.images.of:
        notes.append(f"{run.images.indices.length:,} of {run.images.of:,} test images, drawn evenly over classes")
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


def _record(result: Result, run: Run) -> dict[str, Any]:
    """The row's bare numbers: seconds, bytes, shares of one."""
    configuration, images = result.configuration, run.images_a_pass
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
        "latency_p90_ms", "latency_p99_ms", "images_a_second", "accuracy", "accuracy_low", "accuracy_high",
        "memory_peak_bytes", "load_ms", "first_ms",
    )  # fmt: skip
    record |= dict(zip(names, _figures(result, run), strict=True)) if result.trials else dict.fromkeys(names)
    return record | {"failure": result.failure.message if result.failure else None}


def _figures(result: Result, run: Run) -> list[float | None]:
    seconds, images = result.pass_seconds(), run.images_a_pass
    median, interval = float(np.median(seconds)), median_interval(seconds)
    return [
        float(seconds.mean()),
        float(seconds.std(ddof=1)) if len(seconds) > 1 else None,
        median,
        interval.low if interval else None,
        interval.high if interval else None,
        *(float(value) for value in np.percentile(result.latencies_ms_an_image(), [50, 90, 99])),
        images / median,
        *_accuracy_figures(result, run),
        *(
            (
                max(process.memory_peak_bytes for process in result.processes),
                _milliseconds(result, "load_ns"),
                _milliseconds(result, "first_ns"),
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
