"""The latency of a model as a function of eight parameters of a device, and its derivatives.

    t = Σ over operators of max(MACs ÷ peak[class], activations ÷ bandwidth) + weights ÷ weight bandwidth + overhead

It is the roofline of Williams, Waterman & Patterson (2009) for each operator, with two additions: weights come from
memory once per inference, while activations often stay in the cache, so each has a bandwidth; and starting an operator
takes time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.work import CLASSES, OperatorWork

__all__ = ["Models", "log_latencies", "parts"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_MOVED = len(CLASSES) - 1  # the class without a peak
_ACTIVATIONS, _WEIGHTS, _OVERHEAD = 5, 6, 7  # positions of the other parameters


@dataclass(frozen=True)
class Models:
    """Operators of several models in flat arrays, so that all models are evaluated at once."""

    model: Integers  # number of the model of each operator
    kind: Integers  # number of its class
    macs: Floats
    weights: Floats  # bytes
    activations: Floats  # bytes
    count: int

    @classmethod
    def of(cls, models: Sequence[Sequence[OperatorWork]]) -> "Models":
        """Return the operators of models; each needs at least one."""
        if not all(models):
            raise ValueError("a model has no operators")
        flat = [(number, each) for number, operators in enumerate(models) for each in operators]
        return cls(
            model=np.array([number for number, _ in flat], np.int64),
            kind=np.array([CLASSES.index(each.kind) for _, each in flat], np.int64),
            macs=np.array([each.macs for _, each in flat], np.float64),
            weights=np.array([each.weight_bytes for _, each in flat], np.float64),
            activations=np.array([each.activation_bytes for _, each in flat], np.float64),
            count=len(models),
        )


@dataclass(frozen=True)
class Parts:
    """Nanoseconds of each operator, and whether it computes longer than it moves activations."""

    compute: Floats
    activations: Floats
    weights: Floats
    overhead: Floats
    computes: npt.NDArray[np.bool_]

    @property
    def total(self) -> Floats:
        """Time of each operator."""
        main = np.where(self.computes, self.compute, self.activations)
        return np.asarray(main + self.weights + self.overhead, np.float64)


def parts(models: Models, log_parameters: Floats, clock_ghz: float) -> Parts:
    """Return the parts of the time of each operator."""
    values = np.exp(log_parameters)
    peaks = np.append(values[:_MOVED], np.inf)
    compute = models.macs / (peaks[models.kind] * clock_ghz)
    activations = models.activations / (values[_ACTIVATIONS] * clock_ghz)
    return Parts(
        compute=compute,
        activations=activations,
        weights=models.weights / values[_WEIGHTS],
        overhead=np.full(len(compute), 1000 * values[_OVERHEAD] / clock_ghz),
        computes=compute > activations,
    )


def log_latencies(models: Models, log_parameters: Floats, clock_ghz: float) -> tuple[Floats, Floats]:
    """Return the logarithm of each model's nanoseconds, and its derivatives by the logarithms of the parameters."""
    each = parts(models, log_parameters, clock_ghz)

    def summed(values: Floats) -> Floats:
        return np.bincount(models.model, values, models.count).astype(np.float64)

    total = summed(each.total)
    derivatives = np.zeros((models.count, len(log_parameters)))
    for kind in range(_MOVED):
        derivatives[:, kind] = -summed(np.where(each.computes & (models.kind == kind), each.compute, 0))
    derivatives[:, _ACTIVATIONS] = -summed(np.where(each.computes, 0, each.activations))
    derivatives[:, _WEIGHTS] = -summed(each.weights)
    derivatives[:, _OVERHEAD] = summed(each.overhead)
    return np.log(total), derivatives / total[:, None]
