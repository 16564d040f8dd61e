"""The time per example of a result, as a level with its interval, for tables."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.times.timings import Estimator, RunResult, per_image, seconds_of
from edge_bench.bench.stats.intervals import Interval, Values, mean_interval, median, median_interval_over_processes

__all__ = ["ExampleTime", "example_time"]


class ExampleTime(msgspec.Struct, frozen=True, kw_only=True):
    """The median time per example of a configuration, in ms."""

    estimator: Estimator
    milliseconds: float
    interval: Interval | None  # None: too few processes, or one process


def example_time(item: RunResult, estimator: Estimator) -> ExampleTime:
    """Return the time per example by this estimator. The result needs trials.

    Within one Run, it is the median over trials, with an interval over processes. Of repeated Runs, it is the geometric
    mean of their medians, with Student's interval over Runs, as in `separate_ratio`.
    """
    tables = [_milliseconds(each, estimator) for each in item.all_runs]
    if len(tables) == 1:
        interval = median_interval_over_processes(tables[0]) if len(tables[0]) > 1 else None
        return ExampleTime(estimator=estimator, milliseconds=_median(tables[0]), interval=interval)
    mean, logs = mean_interval([float(np.log(_median(table))) for table in tables])
    interval = logs and Interval(float(np.exp(logs.low)), float(np.exp(logs.high)))
    return ExampleTime(estimator=estimator, milliseconds=float(np.exp(mean)), interval=interval)


def _milliseconds(item: RunResult, estimator: Estimator) -> list[Values]:
    return [1e3 * values for values in per_image(seconds_of(item, estimator), item.images)]


def _median(table: Sequence[Values]) -> float:
    return median(np.concatenate(table))
