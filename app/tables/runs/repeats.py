"""The table of repeated Runs: time of each configuration over all Runs, and its run-to-run variation."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.sparkline import sparkline
from edge_bench.app.render.units import counted, marked, percent, significant
from edge_bench.app.tables.energy import ENERGY_HEADINGS, energy_cells, energy_record
from edge_bench.app.tables.runs.notes import run_notes
from edge_bench.app.tables.shared import (
    CONFIGURATION_KEYS,
    DELEGATE,
    configuration_cells,
    has_delegates,
    once_per_group,
)
from edge_bench.bench.analysis.energy.joules import NONE, Energy, energy_over_runs, source_of
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.analysis.times.reliability import is_unstable, reliability_of, trusted
from edge_bench.bench.analysis.times.repeats import RunToRun, run_to_run
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.stats.intervals import wilson

__all__ = ["repeats_table"]

_ACCURACY = "accuracy, %\n[95 %]"
_HEADER = (
    *CONFIGURATION_KEYS, "runs", "ms/image\nmedian of runs", "ms/image\nfastest – slowest run",
    "sd between\nruns, %", "runs in order\n± largest", "images/s",
    *ENERGY_HEADINGS, _ACCURACY,
)  # fmt: skip
#: The 95 % interval of a standard deviation is 0.69 to 1.83 times its value for 10 runs, 0.60 to 2.87 times for 5.
_ENOUGH_RUNS = 10


def repeats_table(runs: Sequence[Run]) -> Table:
    """Return a table with one row per configuration. ``runs`` are the complete Runs of one group, at least one."""
    first, variations = runs[0], run_to_run(runs)
    scored = any(first.scored(result) for result in first.results)
    delegates = has_delegates(each.configuration for each in variations)
    omitted = {*(() if scored else (_ACCURACY,)), *(() if delegates else (DELEGATE,))}
    omitted.update(ENERGY_HEADINGS if source_of(first).source == NONE else ())
    columns = [number for number, name in enumerate(_HEADER) if name not in omitted]
    rows = [_row(variation, runs) for variation in variations]
    return Table(
        title=f"{'EMULATED: ' if first.emulated else ''}{counted(len(runs), 'run')} of "
        f"{first.bundle.model} on {first.bundle.dataset}, {counted(first.images_per_pass, 'image')} per pass, "
        f"{counted(first.settings.trials, 'trial')} per run, {run_place(first)}",
        header=[_HEADER[column] for column in columns],
        rows=[[row[column] for column in columns] for row in rows],
        keys=4 + delegates,
        notes=[*_notes(variations, runs), *_notes_of_runs(runs)],
        records=[_record(variation, runs) for variation in variations],
    )


def _row(variation: RunToRun, runs: Sequence[Run]) -> list[str]:
    keys = [*configuration_cells(variation.configuration), f"{variation.n} of {len(runs)}"]
    if variation.median is None:
        return [*keys, f"{_failure_kind(variation.configuration, runs)} (see notes)", *[""] * 8]
    levels, deviation = variation.levels, variation.standard_deviation
    return [
        *keys,
        significant(1e3 * variation.median),
        f"{significant(1e3 * min(levels))} – {significant(1e3 * max(levels))}" if variation.n > 1 else "",
        "" if deviation is None else significant(100 * deviation, 2),
        "" if runs[0].emulated else sparkline(levels),
        significant(1 / variation.median),
        *energy_cells(_energy(variation.configuration, runs)),
        _accuracy(variation.configuration, runs),
    ]


def _accuracy(configuration: Configuration, runs: Sequence[Run]) -> str:
    counts = _correct(configuration, runs)
    if counts is None:
        return ""
    share, interval = counts[0] / counts[1], wilson(*counts)
    text = f"{percent(share)} [{percent(interval.low, 1)}, {percent(interval.high, 1)}]"
    return marked(text, assumed=runs[0].accuracy_assumed)


def _correct(configuration: Configuration, runs: Sequence[Run]) -> tuple[int, int] | None:
    """Return the numbers of correct and of all images in the first Run with an accuracy; None if there is none."""
    return next((run.correct(result) for run, result in _results(configuration, runs) if run.scored(result)), None)


def _results(configuration: Configuration, runs: Sequence[Run]) -> list[tuple[Run, Result]]:
    return [(run, result) for run in runs for result in run.results if result.configuration == configuration]


def _energy(configuration: Configuration, runs: Sequence[Run]) -> Energy:
    """Return the mean energy over the Runs with trials; only its source if there are none."""
    measured = [RunResult(run, result) for run, result in _results(configuration, runs) if result.trials]
    return energy_over_runs(measured) if measured else source_of(runs[0])


def _failure_kind(configuration: Configuration, runs: Sequence[Run]) -> str:
    kinds = [result.failure.kind for _, result in _results(configuration, runs) if result.failure]
    return kinds[0] if kinds else "not measured"


def _notes(variations: Sequence[RunToRun], runs: Sequence[Run]) -> list[str]:
    """Return notes that explain the columns and the limits of the variation."""
    measured = [variation for variation in variations if variation.n]
    notes = [_estimator(measured)] if measured else []
    if any(variation.n > 1 for variation in measured):
        rough = "" if len(runs) >= _ENOUGH_RUNS else f" (rough: {counted(len(runs), 'run')})"
        ends = (runs[0].began, max(run.ended for run in runs))
        span = " to ".join(dict.fromkeys(time[:16].replace("T", " ") for time in ends))
        notes.append(
            f"sd between runs: standard deviation of the runs' times, {span} UTC{rough}. Variation between days is not "
            "included: measure on several days, then use edge-bench history"
        )
    for variation in variations:
        if variation.differing_predictions:
            notes.append(
                f"- {variation.configuration}: {counted(variation.differing_predictions, 'prediction')} "
                f"differ between runs: "
                "model or runtime is not deterministic. The accuracy is that of the first run"
            )
    return notes


def _estimator(measured: Sequence[RunToRun]) -> str:
    """Return a note on how a Run's time is computed."""
    passes = [str(variation.configuration) for variation in measured if not variation.typical]
    if len(passes) == len(measured):
        return "a run's time is the median of its passes"
    typical = "a run's time is the median over its trials, each computed from its median invocation"
    if not passes:
        return typical
    return f"{typical}. Whole passes are used if a trial has fewer than 20 invocations: {'; '.join(passes)}"


def _notes_of_runs(runs: Sequence[Run]) -> list[str]:
    """Return the notes on single Runs. A note that does not apply to all Runs names its Runs."""
    return [_with_run_names(note, named) if named else note for note, named in once_per_group(runs, run_notes)]


def _with_run_names(note: str, runs: str) -> str:
    """Return the note with its Runs inserted after its mark, if any: ``! run 2: …``."""
    mark, text = re.fullmatch(r"([!-] )?(.*)", note, re.DOTALL).groups()  # type: ignore[union-attr] # matches all
    return f"{mark or ''}{runs}: {text}"


def _record(variation: RunToRun, runs: Sequence[Run]) -> dict[str, Any]:
    """Return the unformatted values of the row: milliseconds, and shares from 0 to 1."""
    first, levels = runs[0], [1e3 * level for level in variation.levels]
    counts = _correct(variation.configuration, runs)
    accuracy = wilson(*counts) if counts else None
    failures = [result.failure.message for _, result in _results(variation.configuration, runs) if result.failure]
    return {
        "machine": first.machine.hostname,
        "architecture": first.machine.architecture,
        "emulated": first.emulated,
        "trusted": trusted(runs),
        "not_trusted_because": "; ".join(reason.what for reason in reliability_of(runs).reasons),
        "unstable": any(is_unstable(result) for _, result in _results(variation.configuration, runs)),
        **msgspec.structs.asdict(variation.configuration),
        "images": first.images_per_pass,
        "runs": variation.n,
        "image_median_ms": None if variation.median is None else 1e3 * variation.median,
        "image_fastest_run_ms": min(levels, default=None),
        "image_slowest_run_ms": max(levels, default=None),
        "run_to_run_sd": variation.standard_deviation,
        "run_to_run_range": variation.range,
        "estimator": "typical invocation" if variation.typical else "whole pass",
        "images_a_second": None if variation.median is None else 1 / variation.median,
        "accuracy": counts[0] / counts[1] if counts else None,
        "accuracy_low": accuracy.low if accuracy else None,
        "accuracy_high": accuracy.high if accuracy else None,
        "accuracy_assumed": first.accuracy_assumed,
        **energy_record(_energy(variation.configuration, runs)),
        "differing_predictions": variation.differing_predictions,
        "failure": failures[0] if failures else None,
        "repeat_group": first.repeat_group,
        "image_ms_by_run": levels,
        "run_ids": [run.run_id for run in runs],
    }
