"""Prediction of the latency of a model, with intervals."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.prediction.device_file import ParameterSet
from edge_bench.bench.prediction.latency_model import Hardware, Models, log_latencies, parts
from edge_bench.bench.prediction.work import CLASSES, OperatorWork
from edge_bench.bench.stats.student import t_quantile

__all__ = ["ONE_CORE_DEVIATION", "Prediction", "outside_of", "predict_latency"]

#: Standard deviation of the logarithm of the time of non-maximum suppression: a factor of two.
ONE_CORE_DEVIATION = math.log(2)


class Prediction(msgspec.Struct, frozen=True):
    """A predicted latency. It is not a measurement."""

    milliseconds: float  # the median
    interval_80: tuple[float, float]
    interval_90: tuple[float, float]
    p90_milliseconds: float
    p90_interval_90: tuple[float, float]
    shares: dict[str, float]  # of the time, by class of operators
    memory_share: float  # of the time in which operators wait for memory
    overhead_share: float
    outside: float  # how far the model is outside the fitted range, in natural logarithms of its size; 0 if inside


def predict_latency(
    operators: Sequence[OperatorWork],
    parameters: ParameterSet,
    clock_ghz: float | None = None,
    extra_deviation: float = 0.0,
) -> Prediction:
    """Return the predicted latency of a model.

    ``extra_deviation`` widens the intervals: a standard deviation of the logarithm, for example for operators that are
    not modelled. Non-maximum suppression widens them, too.
    """
    hardware = Hardware(clock_ghz or parameters.clock_ghz, parameters.overlap, parameters.cache_kb)
    models, point = Models.of([operators]), np.log(np.array(parameters.values))
    log_ns, derivatives = log_latencies(models, point, hardware)
    outside = outside_of(float(models.macs.sum()), parameters.range_macs)
    variance = float((derivatives @ np.array(parameters.covariance) @ derivatives.T)[0, 0])
    variance += parameters.between_families**2 + parameters.residual**2 + extra_deviation**2
    variance += (parameters.extrapolation * outside) ** 2
    each = parts(models, point, hardware)
    total = each.total.sum()
    variance += (ONE_CORE_DEVIATION * float(each.one_core.sum() / total)) ** 2
    # rounded covariances of hand-made files may give a little less than nothing
    deviation, median = math.sqrt(max(0.0, variance)), math.exp(float(log_ns[0])) / 1e6
    low, middle, high = parameters.p90_ratio
    interval_90 = _interval(median, deviation, 0.90, parameters.degrees_of_freedom)
    moving = each.activations + each.weights
    return Prediction(
        milliseconds=median,
        interval_80=_interval(median, deviation, 0.80, parameters.degrees_of_freedom),
        interval_90=interval_90,
        p90_milliseconds=median * middle,
        p90_interval_90=(interval_90[0] * low, interval_90[1] * high),
        shares={
            kind: float(each.total[models.kind == number].sum() / total)
            for number, kind in enumerate(CLASSES)
            if (models.kind == number).any()
        },
        memory_share=float(moving.sum() / total),
        overhead_share=float(each.overhead.sum() / total),
        outside=outside,
    )


def _interval(median: float, deviation: float, level: float, freedom: float) -> tuple[float, float]:
    factor = math.exp(t_quantile(freedom, 0.5 + level / 2) * deviation)
    return median / factor, median * factor


def outside_of(macs: float, limits: tuple[float, float]) -> float:
    """Return how far a model is outside the sizes of others, as the logarithm of a ratio; 0 if inside."""
    if not limits[1] or not macs:
        return 0.0
    return max(0.0, math.log(limits[0] / macs), math.log(macs / limits[1]))
