"""Measurements of one configuration as columns of numpy arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.quality.scored import measures_of
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.run import UNSEEN, Configuration, Result, Run, Trial

__all__ = ["latency_columns", "prediction_columns", "quality_records", "trial_columns"]

Columns = dict[str, npt.NDArray[Any]]


def trial_columns(run: Run, result: Result) -> Columns:
    """Return one row per trial, in the order of measurement. Durations are in seconds, or ms per image or inference."""
    trials = result.trials
    examples = [trial.image_positions.length if trial.image_positions else run.images_per_pass for trial in trials]
    seconds = result.pass_seconds()
    return {
        **_configuration(result.configuration, len(trials)),
        **{name: np.array([getattr(trial, name) for trial in trials], np.int64) for name in _COUNTS},
        "began_s": _seconds(trials, "began_ns"),
        "elapsed_s": _seconds(trials, "elapsed_ns"),
        "pass_s": seconds,
        "mean_ms": 1e3 * seconds / np.array(examples, np.float64),
        "cpu_s": _seconds(trials, "cpu_ns"),
        "other_cpu_s": _seconds(trials, "other_cpu_ns"),
        "steal_s": _seconds(trials, "steal_ns"),
        "temperature_c": np.array([trial.temperature_c for trial in trials], np.float64),
        "clock_mhz": np.array([trial.clock_mhz for trial in trials], np.float64),
        "power_w": np.array([trial.power_w for trial in trials], np.float64),
        "throttled": _texts(["; ".join(trial.throttled) for trial in trials]),
    }


_COUNTS = ("process", "round", "sequence_number", "passes")


def latency_columns(result: Result) -> Columns:
    """Return one row per invocation of the last pass of every trial, in ms."""
    latencies = [unpack(trial.latencies) / 1e6 for trial in result.trials]
    counts = [len(each) for each in latencies]
    invocation_ms = np.concatenate([np.zeros(0), *latencies])
    numbers = {
        name: np.repeat(np.array([getattr(trial, name) for trial in result.trials], np.int64), counts)
        for name in ("process", "sequence_number")
    }
    return {
        **_configuration(result.configuration, sum(counts)),
        **numbers,
        "invocation": np.concatenate([np.zeros(0, np.int64), *map(np.arange, counts)]),
        "invocation_ms": invocation_ms,
        "latency_ms": invocation_ms / result.configuration.batch_size,
    }


def prediction_columns(run: Run, result: Result) -> Columns:
    """Return one row per image that was in a trial, with true labels unless predictions are not scored.

    A prediction of -2 means that the scores are not finite.
    """
    labels = result.labels()
    seen = labels != UNSEEN
    predicted = labels[seen]
    columns = {
        **_configuration(result.configuration, len(predicted)),
        "image": unpack(run.images.indices).astype(np.int64)[seen],
        "prediction": predicted,
        "predicted_class": _names(predicted, run.bundle.classes),
    }
    if not run.scored(result):
        return columns
    truth = unpack(run.images.labels).astype(np.int64)[seen]
    return columns | {
        "label": truth, "true_class": _names(truth, run.bundle.classes), "correct": predicted == truth,
    }  # fmt: skip


def quality_records(run: Run, result: Result) -> list[dict[str, Any]]:
    """Return one record per measure of a result's quality."""
    configuration = result.configuration
    return [
        {
            "variant": configuration.variant,
            "runtime": configuration.runtime,
            "threads": configuration.threads,
            "batch_size": configuration.batch_size,
            "delegate": configuration.delegate,
            "measure": measure.name,
            "value": measure.value,
            "low": measure.interval.low if measure.interval else None,
            "high": measure.interval.high if measure.interval else None,
            "is_share": measure.percent,
            "higher_is_better": measure.higher_is_better,
            "assumed": run.accuracy_assumed,
            "remark": measure.remark,
        }
        for measure in measures_of(run, result)
    ]


def _configuration(configuration: Configuration, rows: int) -> Columns:
    return {
        "variant": _texts([configuration.variant] * rows),
        "runtime": _texts([configuration.runtime] * rows),
        "threads": np.full(rows, configuration.threads, np.int64),
        "batch_size": np.full(rows, configuration.batch_size, np.int64),
        "delegate": _texts([configuration.delegate] * rows),
    }


def _seconds(trials: list[Trial], field: str) -> npt.NDArray[np.float64]:
    """Return a field in nanoseconds as seconds; NaN if it is unknown."""
    return np.array([getattr(trial, field) for trial in trials], np.float64) / 1e9


def _names(numbers: npt.NDArray[np.int64], classes: list[str]) -> npt.NDArray[Any]:
    return _texts([classes[each] if 0 <= each < len(classes) else "" for each in numbers.tolist()])


def _texts(values: list[str]) -> npt.NDArray[Any]:
    return np.array(values, object)
