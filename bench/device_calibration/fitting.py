"""The parameters of a device from the measured networks, and the error of predicting networks that were left out.

Each combination of precision and number of threads has its own parameters. First, each network is left out in turn and
predicted from the others. The errors give the noise: the standard deviation of the prediction of a new model, beyond
the uncertainty of the parameters. The final fit uses all networks and this noise.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from edge_bench.bench.prediction.device_file import PARAMETERS, ParameterSet
from edge_bench.bench.prediction.fit import MeasuredModel, fit_parameters, weak_prior
from edge_bench.bench.prediction.latency_model import Hardware, Models, log_latencies
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.prediction.work import CLASSES

__all__ = ["FittedSet", "MeasuredNetwork", "fit_networks"]

Precision = Literal["float32", "int8"]
_SCHEMES: dict[Precision, Literal["", "per-channel"]] = {"float32": "", "int8": "per-channel"}

#: Standard deviation of the prior of each parameter's logarithm: a factor of 20 either way at 95 %, as nothing is
#: known about the machine.
_PRIOR_DEVIATION = 1.5
#: Standard deviations of the noise among which the most likely is chosen. No model of eight parameters predicts another
#: network with less than the first. The last means that the fit has failed.
_NOISE = np.geomspace(0.03, 1.0, 60)
_FIRST_NOISE = 0.05
#: Degrees of freedom of the intervals. The noise is estimated from ten errors that are not independent.
_FREEDOM = 4.0


class MeasuredNetwork(msgspec.Struct, frozen=True):
    """A measured network."""

    measured: MeasuredModel  # its family is the network's name
    p90_ratio: float  # p90 ÷ median of its invocations

    @property
    def name(self) -> str:
        """The network's name."""
        return self.measured.family


class FittedSet(NamedTuple):
    """Parameters, and the relative error of each network that is left out and predicted from the others."""

    parameters: ParameterSet
    errors: Mapping[str, float]  # predicted ÷ measured − 1, by the network's name

    @property
    def error(self) -> float:
        """Mean absolute relative error."""
        return float(np.mean(np.abs(list(self.errors.values()))))


def fit_networks(
    networks: Sequence[MeasuredNetwork], precision: Precision, threads: int, clock_ghz: float, cache_kb: float
) -> FittedSet:
    """Return the parameters of one precision and number of threads. ``cache_kb`` is the size of the last cache.

    Raise ValueError if there are fewer networks than parameters.
    """
    if len(networks) < len(PARAMETERS):
        raise ValueError(f"{len(networks)} networks were measured, but {len(PARAMETERS)} are needed")
    prior = _with_noise(
        weak_prior("xnnpack", precision, _SCHEMES[precision], threads, clock_ghz, cache_kb), _FIRST_NOISE
    )
    prior = _with_noise(prior, _most_likely_noise(*_left_out(networks, prior)))
    errors, _ = _left_out(networks, prior)
    fitted = fit_parameters([each.measured for each in networks], prior)
    ratios = sorted(each.p90_ratio for each in networks)
    fitted = msgspec.structs.replace(
        fitted,
        method="own calibration",
        degrees_of_freedom=_FREEDOM,
        p90_ratio=(ratios[0], float(np.median(ratios)), ratios[-1]),
        range_shares=_shares(networks, fitted),
    )
    return FittedSet(fitted, {each.name: math.expm1(error) for each, error in zip(networks, errors, strict=True)})


def _with_noise(prior: ParameterSet, noise: float) -> ParameterSet:
    """Return the prior of a machine of which nothing is known, with this noise."""
    return msgspec.structs.replace(
        prior,
        covariance=(_PRIOR_DEVIATION**2 * np.eye(len(PARAMETERS))).tolist(),
        between_families=noise,
        residual=0.0,
    )


def _left_out(networks: Sequence[MeasuredNetwork], prior: ParameterSet) -> tuple[list[float], list[float]]:
    """Return for each network the error of the logarithm if it is left out, and the variance from the parameters."""
    errors, variances = [], []
    for each in networks:
        others = [other.measured for other in networks if other is not each]
        fitted = fit_parameters(others, prior)
        point = np.log(np.array(fitted.values))
        models = Models.of([each.measured.operators])
        hardware = Hardware(fitted.clock_ghz, fitted.overlap, fitted.cache_kb)
        predicted, derivatives = log_latencies(models, point, hardware)
        errors.append(float(predicted[0]) - math.log(each.measured.milliseconds * 1e6))
        variances.append(float((derivatives @ np.array(fitted.covariance) @ derivatives.T)[0, 0]))
    return errors, variances


def _shares(networks: Sequence[MeasuredNetwork], fitted: ParameterSet) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest share of the time of each class of operators."""
    shares = [predict_latency(each.measured.operators, fitted).shares for each in networks]
    found = {kind: [each.get(kind, 0.0) for each in shares] for kind in CLASSES}
    return {kind: (min(values), max(values)) for kind, values in found.items()}


def _most_likely_noise(errors: Sequence[float], variances: Sequence[float]) -> float:
    """Return the noise for which normal errors with these variances of the parameters are most likely."""
    squares, known = np.square(errors), np.array(variances)
    total = known[None, :] + _NOISE[:, None] ** 2
    likelihood = -0.5 * (np.log(total) + squares[None, :] / total).sum(axis=1)
    return float(_NOISE[int(likelihood.argmax())])
