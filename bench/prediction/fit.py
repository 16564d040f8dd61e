"""Fit of parameters to measured latencies, given a prior.

The fit maximizes the posterior density of the logarithms of the parameters: a normal prior, and log-normal latencies
with a deviation common to a family of models and one of each model. It is a Gauss-Newton iteration with Levenberg's
damping. The covariance is that of Laplace's approximation at the maximum.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.device_file import OVERLAP, ParameterSet
from edge_bench.bench.prediction.latency_model import Hardware, Models, log_latencies
from edge_bench.bench.prediction.work import OperatorWork

__all__ = ["MeasuredModel", "fit_parameters", "weak_prior"]

Floats = npt.NDArray[np.float64]
_STEPS = 100
#: Typical parameters of one thread, by precision, and standard deviations of their logarithms: a factor of about two to
#: either side. Peaks of several threads are so many times larger.
_TYPICAL = {"float32": (3.0, 4.0, 4.0, 1.0, 1.5, 4.0, 5.0, 5.0), "int8": (2.0, 8.0, 8.0, 0.8, 4.0, 4.0, 5.0, 5.0)}
_TYPICAL_DEVIATIONS = (0.8, 0.8, 0.8, 0.8, 1.0, 1.0, 1.0, 1.2)


class MeasuredModel(msgspec.Struct, frozen=True):
    """Operators of a model, and its measured median latency."""

    operators: list[OperatorWork]
    milliseconds: float
    family: str  # models of one architecture are one family
    source: str = ""


def fit_parameters(rows: Sequence[MeasuredModel], prior: ParameterSet) -> ParameterSet:
    """Return the parameters after these measurements; without any, the prior.

    All rows have the prior's kernels, precision, scheme, threads and clock. The prior's ``between_families`` and
    ``residual`` are the standard deviations of the measurements.
    """
    if not rows:
        return prior
    models = Models.of([row.operators for row in rows])
    measured = np.log([row.milliseconds * 1e6 for row in rows])
    mean = np.log(np.array(prior.values))
    precision = np.linalg.inv(np.array(prior.covariance) + 1e-9 * np.eye(len(mean)))
    weight = np.linalg.inv(_noise([row.family for row in rows], prior.between_families, prior.residual))
    point, covariance = _maximize(models, measured, weight, mean, precision, prior)
    macs = np.bincount(models.model, models.macs, models.count)
    return msgspec.structs.replace(
        prior,
        values=[float(value) for value in np.exp(point)],
        covariance=[[float(each) for each in row] for row in covariance],
        rows=prior.rows + len(rows),
        families=sorted({*prior.families, *(row.family for row in rows)}),
        sources=sorted({*prior.sources, *(row.source for row in rows if row.source)}),
        range_macs=(float(macs.min()), float(macs.max())),
    )


def _noise(families: Sequence[str], between: float, residual: float) -> Floats:
    """Return the covariance of the logarithms of the measurements."""
    same = np.array([[a == b for b in families] for a in families], np.float64)
    return np.asarray(between**2 * same + max(residual, 1e-3) ** 2 * np.eye(len(families)), np.float64)


def _maximize(
    models: Models, measured: Floats, weight: Floats, mean: Floats, precision: Floats, prior: ParameterSet
) -> tuple[Floats, Floats]:
    """Return the maximum of the posterior density and the covariance there."""
    point, damping = mean.copy(), 1e-2
    hardware = Hardware(prior.clock_ghz, prior.overlap, prior.cache_kb)

    def loss(at: Floats) -> tuple[float, Floats, Floats]:
        predicted, derivatives = log_latencies(models, at, hardware)
        error, shift = measured - predicted, at - mean
        return float(error @ weight @ error + shift @ precision @ shift), error, derivatives

    best, error, derivatives = loss(point)
    for _ in range(_STEPS):
        curvature = derivatives.T @ weight @ derivatives + precision
        gradient = derivatives.T @ weight @ error - precision @ (point - mean)
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), gradient)
        trial = point + np.clip(step, -1, 1)
        value, new_error, new_derivatives = loss(trial)
        if value >= best:
            damping *= 4
            if damping > 1e12:
                break
            continue
        close = best - value < 1e-9 * (1 + best)
        point, best, error, derivatives, damping = trial, value, new_error, new_derivatives, damping / 3
        if close:
            break
    covariance = np.linalg.inv(derivatives.T @ weight @ derivatives + precision)
    return point, np.asarray((covariance + covariance.T) / 2, np.float64)


def weak_prior(
    kernels: Literal["xnnpack", "ruy"],
    precision: Literal["float32", "int8"],
    scheme: Literal["", "per-channel", "per-tensor"],
    threads: int,
    clock_ghz: float,
    cache_kb: float = 1024.0,
) -> ParameterSet:
    """Return a prior for a core of which nothing is known; predictions with it alone are of no use."""
    values = [value * threads if number < 5 else value for number, value in enumerate(_TYPICAL[precision])]
    return ParameterSet(
        kernels=kernels,
        precision=precision,
        scheme=scheme,
        threads=threads,
        clock_ghz=clock_ghz,
        method="zero-shot",
        values=values,
        covariance=np.diag(np.square(_TYPICAL_DEVIATIONS)).tolist(),
        between_families=0.05,
        residual=0.03,
        degrees_of_freedom=5.0,
        overlap=OVERLAP[kernels],
        cache_kb=cache_kb,
    )
