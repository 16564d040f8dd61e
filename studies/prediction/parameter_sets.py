"""Parameter sets of device files, from a fit of all cells."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_bench.bench.prediction.device_file import OVERLAP, Kind, ParameterSet
from edge_bench.bench.prediction.latency_model import Models, parts
from edge_bench.bench.prediction.work import CLASSES
from studies.prediction.deviations import FREEDOM
from studies.prediction.hardware import cache_kb
from studies.prediction.hierarchy import extrapolation, hardware_of
from studies.prediction.joint_fit import JointFit
from studies.prediction.table import Cell, Row

__all__ = ["P90_RATIO", "parameter_set"]

#: p90 ÷ median: lower end, middle and upper end in seven logs of a Raspberry Pi 4 with four threads (Krai's results in
#: MLPerf Inference v2.1, single stream): 1.007, 1.013, 1.031, 1.048, 1.056, 1.059 and 1.121.
P90_RATIO = (1.0, 1.048, 1.13)


def parameter_set(fit: JointFit, cell: Cell, method: Kind, rows: Sequence[Row]) -> ParameterSet:
    """Return the parameters of a cell; ``rows`` are those it is founded on."""
    point, covariance = fit.of(cell)
    families, residual = fit.deviations(cell)
    residual = max([residual, *(fit.spreads[row.cell] for row in rows if row.cell in fit.spreads)])
    models = Models.of([row.operators for row in rows]) if rows else None
    macs = np.bincount(models.model, models.macs, models.count) if models else np.zeros(1)
    return ParameterSet(
        kernels=cell.kernels,  # type: ignore[arg-type]  # the table has no others
        precision=cell.precision,  # type: ignore[arg-type]
        scheme=cell.scheme,  # type: ignore[arg-type]
        threads=cell.threads,
        clock_ghz=cell.clock_ghz,
        method=method,
        overlap=OVERLAP[cell.kernels],
        cache_kb=cache_kb(cell.device),
        values=[float(value) for value in np.exp(point)],
        covariance=[[float(each) for each in line] for line in (covariance + covariance.T) / 2],
        between_families=families,
        residual=residual,
        degrees_of_freedom=FREEDOM,
        extrapolation=extrapolation(cell),
        rows=len(rows),
        families=sorted({row.family for row in rows}),
        sources=sorted({row.source for row in rows}),
        range_macs=(float(macs.min()), float(macs.max())),
        range_shares=_shares(models, point, cell) if models else {},
        p90_ratio=P90_RATIO,
    )


def _shares(models: Models, point: npt.NDArray[np.float64], cell: Cell) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest share of the time per class of operators."""
    time = parts(models, point, hardware_of(cell)).total
    total = np.bincount(models.model, time, models.count)
    found = {}
    for number, kind in enumerate(CLASSES):
        share = np.bincount(models.model, np.where(models.kind == number, time, 0), models.count) / total
        found[kind] = (float(share.min()), float(share.max()))
    return found
