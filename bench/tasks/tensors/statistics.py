"""Statistics of values that come in parts."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.outputs.tensors import OutputStatistics

__all__ = ["RunningStatistics"]


class RunningStatistics:
    """Counts, range, mean and deviation, updated part by part without storing values.

    Source of the update: Chan, Golub & LeVeque 1983, Algorithms for Computing the Sample Variance.
    """

    def __init__(self) -> None:
        self._values = self._nan = self._infinite = self._zeros = self._finite = 0
        self._minimum, self._maximum = math.inf, -math.inf
        self._mean = self._squares = 0.0

    def add(self, values: npt.NDArray[Any]) -> None:
        """Add numbers of any type and shape."""
        part = values.reshape(-1).astype(np.float64)
        self._values += len(part)
        self._zeros += int(np.count_nonzero(part == 0))
        finite = np.isfinite(part)
        if not finite.all():
            nan = int(np.count_nonzero(np.isnan(part)))
            self._nan += nan
            self._infinite += int(np.count_nonzero(~finite)) - nan
            part = part[finite]
        if not len(part):
            return
        self._minimum, self._maximum = min(self._minimum, float(part.min())), max(self._maximum, float(part.max()))
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(part.mean())
            squares = float(((part - mean) ** 2).sum())
        total, distance = self._finite + len(part), mean - self._mean
        self._squares += squares + distance * distance * self._finite * len(part) / total
        self._mean += distance * len(part) / total
        self._finite = total

    def result(self) -> OutputStatistics:
        """Return the statistics of all added values."""
        counts = {"values": self._values, "nan": self._nan, "infinite": self._infinite, "zeros": self._zeros}
        if not self._finite:
            return OutputStatistics(**counts)
        is_finite = math.isfinite(self._mean) and math.isfinite(self._squares)
        return OutputStatistics(
            **counts,
            minimum=self._minimum,
            maximum=self._maximum,
            mean=self._mean if is_finite else None,
            deviation=math.sqrt(self._squares / self._finite) if is_finite else None,
        )
