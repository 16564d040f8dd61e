"""Errors of predictions of rows that the fit did not see: without their family of models, or without their device."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_bench.bench.prediction.latency_model import Models, log_latencies, parts
from edge_bench.bench.prediction.predict import ONE_CORE_DEVIATION, outside_of
from studies.prediction.hierarchy import extrapolation, hardware_of
from studies.prediction.joint_fit import fit_cells
from studies.prediction.table import Cell, Row, cells_of

__all__ = ["Group", "Unseen", "group_of", "unseen_families", "unseen_rows"]


#: Device, kernels, precision, quantization scheme, and whether threads are several.
Group = tuple[str, str, str, str, bool]


def group_of(cell: Cell) -> Group:
    """Return the group of cells whose rows support each other directly."""
    return cell.device, cell.kernels, cell.precision, cell.scheme, cell.threads > 1


@dataclass(frozen=True)
class Unseen:
    """A row, and its prediction by a fit that did not see it."""

    left_out: str  # "family" or "device"
    row: Row
    log_error: float  # of the prediction: its logarithm minus that of the measurement
    variance: float  # of the logarithm, from the parameters, and from the distance to the sizes of the models seen
    between_families: float  # standard deviations of the fit
    residual: float

    @property
    def group(self) -> Group:
        """What deviations between families depend on."""
        return group_of(self.row.cell)


def unseen_rows(rows: Sequence[Row]) -> Iterator[Unseen]:
    """Yield each row twice: predicted without its family on any device, and without its device."""
    yield from unseen_families(rows)
    yield from _without_each(rows, "device", lambda row: row.cell.device)


def unseen_families(rows: Sequence[Row]) -> Iterator[Unseen]:
    """Yield each row, predicted without its family on any device."""
    yield from _without_each(rows, "family", lambda row: row.family)


def _without_each(rows: Sequence[Row], left_out: str, label: Callable[[Row], str]) -> Iterator[Unseen]:
    for kernels in sorted({row.cell.kernels for row in rows}):
        of_library = [row for row in rows if row.cell.kernels == kernels]
        residuals = fit_cells(cells_of(of_library)).residuals
        for value in sorted({label(row) for row in of_library}):
            unseen = [row for row in of_library if label(row) == value]
            seen = [row for row in of_library if label(row) != value]
            yield from _predicted(left_out, seen, unseen, residuals)


def _predicted(
    left_out: str, seen: Sequence[Row], unseen: Sequence[Row], residuals: Mapping[Cell, float]
) -> Iterator[Unseen]:
    cells = cells_of(unseen)
    known = cells_of(seen)
    ranges = {group: _range(rows) for group, rows in _by_group(seen).items()}
    fit = fit_cells(known, list(cells), {cell: each for cell, each in residuals.items() if cell in known})
    for cell, rows in cells.items():
        point, covariance = fit.of(cell)
        models = Models.of([row.operators for row in rows])
        predicted, derivatives = log_latencies(models, point, hardware_of(cell))
        variances = np.einsum("ij,jk,ik->i", derivatives, covariance, derivatives)
        time = parts(models, point, hardware_of(cell))
        shares = np.bincount(models.model, time.one_core) / np.bincount(models.model, time.total)
        for number, (row, log_ns, variance) in enumerate(zip(rows, predicted, variances, strict=True)):
            error = float(log_ns - np.log(row.milliseconds * 1e6))
            limits = ranges.get(group_of(cell), (0.0, 0.0))
            distance = extrapolation(cell) * outside_of(sum(each.macs for each in row.operators), limits)
            one_core = ONE_CORE_DEVIATION * shares[number]
            yield Unseen(left_out, row, error, float(variance) + distance**2 + one_core**2, *fit.deviations(cell))


def _by_group(rows: Sequence[Row]) -> dict[Group, list[Row]]:
    groups: dict[Group, list[Row]] = {}
    for row in rows:
        groups.setdefault(group_of(row.cell), []).append(row)
    return groups


def _range(rows: Sequence[Row]) -> tuple[float, float]:
    macs = [sum(each.macs for each in row.operators) for row in rows]
    return min(macs), max(macs)
