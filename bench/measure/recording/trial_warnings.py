"""Warnings about the trials of a configuration: times that vary or drift, and predictions that differ."""

from collections.abc import Sequence

import numpy as np

from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.run import Trial
from edge_bench.bench.stats.intervals import drifts, outliers, spread_warning
from edge_bench.bench.worker.durations import TRIAL

__all__ = ["sustained_warnings", "trial_warnings"]


def trial_warnings(trials: Sequence[Trial], unstable: int, chunks: int) -> list[str]:
    """Return the warnings about a configuration's trials."""
    seconds = [trial.pass_seconds for trial in trials]
    if not seconds:
        return []
    warnings = []
    if spread := spread_warning(seconds):
        warnings.append(f"{spread}; close other programs, or use more --trials")
    if strays := outliers(seconds):
        noun = "outlier" if len(strays) == 1 else "outliers"
        warnings.append(f"{len(strays)} {noun} among {len(seconds)} trials, probably caused by other programs")
    if drifts(seconds):
        warnings.append("got slower towards the end by more than 5 %: likely causes are heat or an increasing load")
    shortest = TRIAL.nanoseconds() / 2  # pyperf's minimum, unless the environment states a shorter one
    if (typical := np.median([trial.elapsed_ns for trial in trials])) < shortest:
        warnings.append(
            f"its trials take {typical / 1e6:.0f} ms, less than {shortest / 1e6:.0f} ms: the warm-up, which "
            "sets the number of passes per trial, was slower; measure again without other load"
        )
    return [*warnings, *_warnings_of_passes(unstable, chunks)]


def sustained_warnings(trials: Sequence[Trial], unstable: int, chunks: int, dropped: float) -> list[str]:
    """Return the warnings about a sustained load, whose times may change: that is what it measures.

    dropped: seconds of interrupted measurements, which were not continued
    """
    warnings = _warnings_of_passes(unstable, chunks) if trials else []
    if dropped:
        warnings.append(f"interrupted after {duration_text(dropped)}: its measurement started again from the beginning")
    return warnings


def _warnings_of_passes(unstable: int, chunks: int) -> list[str]:
    warnings = []
    if chunks > 1:
        warnings.append(
            f"its inputs do not fit in memory: each pass was timed in {chunks} parts, with inputs prepared between them"
        )
    if unstable:
        noun = "prediction" if unstable == 1 else "predictions"
        warnings.append(f"{unstable} {noun} differed between trials: the model or its runtime is not deterministic")
    return warnings
