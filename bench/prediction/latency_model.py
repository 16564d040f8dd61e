"""The latency of a model as a function of eight parameters of a device, and its derivatives.

    t = Σ over operators of ((MACs ÷ peak[class])^p + (activations ÷ bandwidth)^p)^(1/p) + weights ÷ bandwidth
        + overhead

It is the roofline of Williams, Waterman & Patterson (2009) for each operator, with five additions. Computing and
moving activations overlap partly: with p = 1 not at all, with a large p completely, which is the roofline's maximum.
Weights come from memory once per inference, so they have a bandwidth of their own. Activations come from memory only as
far as they do not fit into half of the last cache; bytes that fit count half. And starting an operator takes time.
The non-maximum suppression of detectors takes cycles of one core, which are not a parameter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.work import CLASSES, OperatorWork

__all__ = ["Hardware", "Models", "log_latencies", "parts"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_MOVED = len(CLASSES) - 1  # the class without a peak
_ACTIVATIONS, _WEIGHTS, _OVERHEAD = 5, 6, 7  # positions of the other parameters
_SMALLEST = 1e-300  # of a divisor
_CACHED = 0.5  # time to move a byte in the cache, in units of that in memory


@dataclass(frozen=True)
class Models:
    """Operators of several models in flat arrays, so that all models are evaluated at once."""

    model: Integers  # number of the model of each operator
    kind: Integers  # number of its class
    macs: Floats
    weights: Floats  # bytes
    activations: Floats  # bytes
    cycles: Floats  # of one core
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
            cycles=np.array([each.cycles for _, each in flat], np.float64),
            count=len(models),
        )


@dataclass(frozen=True)
class Parts:
    """Nanoseconds of each operator. The first two overlap, so what both take together is divided between them."""

    compute: Floats
    activations: Floats
    weights: Floats
    overhead: Floats
    one_core: Floats  # cycles that no parameter changes

    @property
    def total(self) -> Floats:
        """Time of each operator."""
        return np.asarray(self.compute + self.activations + self.weights + self.overhead + self.one_core, np.float64)


class Hardware(NamedTuple):
    """What the model needs to know of a device besides its parameters."""

    clock_ghz: float
    overlap: float  # the exponent p
    cache_kb: float  # the last cache that the cores share, or their own if there is none


def parts(models: Models, log_parameters: Floats, hardware: Hardware) -> Parts:
    """Return the parts of the time of each operator."""
    values = np.exp(log_parameters)
    peaks = np.append(values[:_MOVED], np.inf)
    compute = models.macs / (peaks[models.kind] * hardware.clock_ghz)
    in_memory = np.maximum(0, models.activations - 512 * hardware.cache_kb)
    moved = _CACHED * models.activations + (1 - _CACHED) * in_memory
    activations = moved / values[_ACTIVATIONS]
    longer = np.maximum(np.maximum(compute, activations), _SMALLEST)
    powers = (compute / longer) ** hardware.overlap, (activations / longer) ** hardware.overlap
    both = powers[0] + powers[1]
    together = longer * both ** (1 / hardware.overlap)
    share = np.divide(powers[0], both, out=np.zeros_like(both), where=both > 0)
    return Parts(
        compute=together * share,
        activations=together * (1 - share),
        weights=models.weights / values[_WEIGHTS],
        overhead=np.full(len(compute), 1000 * values[_OVERHEAD] / hardware.clock_ghz),
        one_core=models.cycles / hardware.clock_ghz,
    )


def log_latencies(models: Models, log_parameters: Floats, hardware: Hardware) -> tuple[Floats, Floats]:
    """Return the logarithm of each model's nanoseconds, and its derivatives by the logarithms of the parameters.

    The derivative of (c^p + a^p)^(1/p) by log c is c's share of it in ``parts``.
    """
    each = parts(models, log_parameters, hardware)

    def summed(values: Floats) -> Floats:
        return np.bincount(models.model, values, models.count).astype(np.float64)

    total = summed(each.total)
    derivatives = np.zeros((models.count, len(log_parameters)))
    for kind in range(_MOVED):
        derivatives[:, kind] = -summed(np.where(models.kind == kind, each.compute, 0))
    derivatives[:, _ACTIVATIONS] = -summed(each.activations)
    derivatives[:, _WEIGHTS] = -summed(each.weights)
    derivatives[:, _OVERHEAD] = summed(each.overhead)
    return np.log(total), derivatives / total[:, None]
