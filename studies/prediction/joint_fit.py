"""Fit of the parameters of all cells of a kernel library to all of their rows at once.

Maximum of the posterior density with Laplace's covariance, as ``fit_parameters`` does for one cell. The logarithm of a
row deviates from the model's by effects of its family of models on the device and in the cell, of its model, and of the
row itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.device_file import PARAMETERS
from edge_bench.bench.prediction.latency_model import Models, log_latencies
from studies.prediction.hardware import CORES
from studies.prediction.hierarchy import hardware_of, prior
from studies.prediction.table import Cell, Row

__all__ = ["JointFit", "between_families", "fit_cells"]

Floats = npt.NDArray[np.float64]
_SIZE = len(PARAMETERS)
_STEPS = 150
#: Standard deviation between families of models, by kernels, precision and whether threads are several.
_FAMILIES = {
    ("xnnpack", "float32", False): 0.03,
    ("xnnpack", "int8", False): 0.03,
    ("xnnpack", "float32", True): 0.05,
    ("xnnpack", "int8", True): 0.05,
    ("ruy", "float32", False): 0.03,
    ("ruy", "int8", False): 0.03,
    ("ruy", "float32", True): 0.09,
    ("ruy", "int8", True): 0.05,
}
_FAMILIES_IN_ORDER = 0.25  # rows of in-order cores are few, and their clock may have been reduced
_FAMILIES_PER_CHANNEL = 0.2  # ruy: int8 per channel deviates so much between families on most devices of the table
_IN_CELL = 0.5  # the part of it that differs between the cells of a device
_FEW = 8  # rows of a cell, too few to estimate their residuals
_RESIDUAL, _LEAST_RESIDUAL, _MOST_RESIDUAL = 0.03, 0.02, 0.4


def between_families(cell: Cell) -> float:
    """Return the standard deviation of the logarithm between families of models on a device."""
    if CORES[cell.core].order == "in-order":
        return _FAMILIES_IN_ORDER
    if (cell.kernels, cell.scheme) == ("ruy", "per-channel"):
        return _FAMILIES_PER_CHANNEL
    return _FAMILIES[cell.kernels, cell.precision, cell.threads > 1]


@dataclass(frozen=True)
class JointFit:
    """Parameters of cells, with and without rows."""

    cells: list[Cell]
    point: Floats  # logarithms, [cell, parameter]
    covariance: Floats  # of all of them
    residuals: dict[Cell, float]  # of most rows, which set their weights
    spreads: dict[Cell, float]  # of nine in ten rows, which an interval has to contain

    def of(self, cell: Cell) -> tuple[Floats, Floats]:
        """Return the logarithms of the parameters of a cell, and their covariance."""
        number = self.cells.index(cell)
        part = slice(_SIZE * number, _SIZE * (number + 1))
        return self.point[number], self.covariance[part, part]

    def deviations(self, cell: Cell) -> tuple[float, float]:
        """Return the standard deviations between families and between models of a family."""
        return between_families(cell) * float(np.hypot(1, _IN_CELL)), self.spreads.get(cell, _RESIDUAL)


def fit_cells(
    rows: Mapping[Cell, Sequence[Row]], also: Sequence[Cell] = (), residuals: Mapping[Cell, float] | None = None
) -> JointFit:
    """Return the parameters of the cells of ``rows`` and of ``also``; all have the same kernel library."""
    cells = sorted({*rows, *also})
    problem = _Problem(cells, rows, residuals or {})
    point, covariance, errors = problem.maximize()
    size = _SIZE * len(cells)
    return JointFit(
        cells=cells,
        point=point[:size].reshape(-1, _SIZE),
        covariance=covariance[:size, :size],
        residuals={cell: _robust(values) for cell, values in errors.items()},
        spreads={cell: _spread(values) for cell, values in errors.items()},
    )


def _robust(errors: Floats) -> float:
    """Return a standard deviation that outliers do not change: of the median absolute deviation."""
    if len(errors) <= _FEW:
        return 0.04
    deviation = 1.48 * np.median(np.abs(errors - np.median(errors)))
    return float(np.clip(deviation, _LEAST_RESIDUAL, _MOST_RESIDUAL))


def _spread(errors: Floats) -> float:
    """Return the standard deviation of a normal distribution with at least as many large errors."""
    if len(errors) <= _FEW:
        return _robust(errors)
    large = float(np.percentile(np.abs(errors - np.median(errors)), 90)) / 1.645
    return min(max(_robust(errors), large), _MOST_RESIDUAL)


@dataclass(frozen=True)
class _Data:
    """The rows of one cell."""

    cell: Cell
    models: Models
    measured: Floats
    weight: Floats  # inverse covariance of the deviations
    family: Floats  # which effect of a family belongs to each row
    columns: npt.NDArray[np.int64]  # positions of parameters and family effects


class _Problem:
    """The posterior density of all parameters and effects of families."""

    def __init__(
        self, cells: Sequence[Cell], rows: Mapping[Cell, Sequence[Row]], residuals: Mapping[Cell, float]
    ) -> None:
        mean, covariance = prior(cells)
        families: dict[tuple[str, str, str], float] = {}
        for cell, each in rows.items():
            for row in each:
                key = (cell.device, cell.precision, row.family)
                families[key] = min(families.get(key, np.inf), between_families(cell))
        numbers = {key: number for number, key in enumerate(families)}
        size, more = len(mean), len(families)
        self._precision = np.zeros((size + more, size + more))
        self._precision[:size, :size] = np.linalg.inv(covariance)
        self._precision[size:, size:] = np.diag([deviation**-2 for deviation in families.values()])
        self._mean = np.append(mean, np.zeros(more))
        self._data = [
            _data(cell, each, numbers, _SIZE * cells.index(cell), size, residuals.get(cell, _RESIDUAL))
            for cell, each in rows.items()
            if each
        ]

    def maximize(self) -> tuple[Floats, Floats, dict[Cell, Floats]]:
        """Return the maximum, the covariance there, and the errors of each cell's rows."""
        point, damping = self._mean.copy(), 1e-3
        loss, curvature, gradient, errors = self._at(point)
        for _ in range(_STEPS):
            step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), gradient)
            trial = np.asarray(point + np.clip(step, -0.7, 0.7), np.float64)
            new = self._at(trial)
            if new[0] >= loss:
                damping = 10 * damping + 1e-6
                continue
            close = loss - new[0] < 1e-3 and damping < 1e-2
            point, (loss, curvature, gradient, errors), damping = trial, new, max(damping / 5, 1e-9)
            if close:
                break
        return point, np.asarray(np.linalg.inv(curvature), np.float64), errors

    def _at(self, point: Floats) -> tuple[float, Floats, Floats, dict[Cell, Floats]]:
        shift = point - self._mean
        curvature, gradient = self._precision.copy(), -self._precision @ shift
        loss, errors = float(-shift @ gradient), dict[Cell, Floats]()
        for data in self._data:
            of_cell = point[data.columns]
            predicted, derivatives = log_latencies(data.models, of_cell[:_SIZE], hardware_of(data.cell))
            error = data.measured - predicted - data.family @ of_cell[_SIZE:]
            derivatives = np.hstack([derivatives, data.family])
            loss += float(error @ data.weight @ error)
            curvature[np.ix_(data.columns, data.columns)] += derivatives.T @ data.weight @ derivatives
            gradient[data.columns] += derivatives.T @ data.weight @ error
            errors[data.cell] = error
        return loss, curvature, gradient, errors


def _data(
    cell: Cell,
    rows: Sequence[Row],
    numbers: Mapping[tuple[str, str, str], int],
    first: int,
    effects: int,
    residual: float,
) -> _Data:
    families, models = [row.family for row in rows], [row.model for row in rows]
    used = sorted({numbers[cell.device, cell.precision, family] for family in families})
    noise = (
        (_IN_CELL * between_families(cell)) ** 2 * _equal(families)
        + max(0.02, 0.7 * residual) ** 2 * _equal(models)
        + residual**2 / 2 * np.eye(len(rows))
    )
    of_row = [used.index(numbers[cell.device, cell.precision, family]) for family in families]
    return _Data(
        cell=cell,
        models=Models.of([row.operators for row in rows]),
        measured=np.log([row.milliseconds * 1e6 for row in rows]),
        weight=np.linalg.inv(noise),
        family=np.eye(len(used))[of_row],
        columns=np.array([*range(first, first + _SIZE), *(effects + number for number in used)], np.int64),
    )


def _equal(labels: Sequence[str]) -> Floats:
    return np.array([[a == b for b in labels] for a in labels], np.float64)
