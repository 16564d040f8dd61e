"""The parameters that a calibration found, one row per precision and number of threads."""

import math
from pathlib import Path

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.device_calibration.device import Calibrated
from edge_bench.bench.device_calibration.fitting import FittedSet
from edge_bench.bench.prediction.device_file import PARAMETERS
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.student import t_quantile
from edge_bench.bench.wording import counted

__all__ = ["calibration_table"]

_HEADINGS = (
    "first conv", "k×k conv", "1×1 conv", "depthwise", "dense", "activations, GB/s", "weights, GB/s", "overhead, µs",
)  # fmt: skip
#: Standard deviation of a parameter's logarithm from which the networks do not determine it: a factor of two.
_UNDETERMINED = math.log(2)


def calibration_table(made: Calibrated, run: Run, path: Path) -> Table:
    """Return the table of a calibration: rates in GMAC/s, and the error on models that were left out."""
    device, notes = made.device, list[str]()
    if not device.reliable:
        notes.append("! UNRELIABLE: this machine was not reliable during the calibration, and the file says so")
        notes += [f"! {finding.what}: {finding.remedy}" for finding in run.findings if finding.spoils]
    notes.append("the rates of convolutions and dense layers are GMAC/s; –: not determined by these networks")
    notes.append("the error is the mean absolute one of predicting each network that is left out of the fit in turn")
    rows = [_row(each) for each in made.fits]
    error = f"{percent(device.leave_one_out_error or 0, 1)} %"
    return Table(
        title=f"Calibration of {device.name} ({device.board}, {counted(device.cores, 'core')}): "
        f"leave-one-out error {error}, device file {path}",
        header=("precision", "threads", "error", "90 % interval", *_HEADINGS),
        rows=rows,
        keys=2,
        notes=notes,
        records=[_record(made, each, path) for each in made.fits],
    )


def _row(fitted: FittedSet) -> tuple[str, ...]:
    parameters = fitted.parameters
    cells = [
        "–" if deviation > _UNDETERMINED else significant(value)
        for value, deviation in zip(_values(fitted), _deviations(fitted), strict=True)
    ]
    interval = f"÷ × {math.exp(_half_width(fitted)):.2f}"
    return (parameters.precision, str(parameters.threads), f"{percent(fitted.error, 1)} %", interval, *cells)


def _record(made: Calibrated, fitted: FittedSet, path: Path) -> dict[str, object]:
    parameters, device = fitted.parameters, made.device
    return {
        "device": device.name,
        "file": str(path),
        "reliable": device.reliable,
        "leave_one_out_error": device.leave_one_out_error,
        "precision": parameters.precision,
        "threads": parameters.threads,
        "error": fitted.error,
        "errors": dict(fitted.errors),
        "interval_factor": math.exp(_half_width(fitted)),
        "clock_ghz": parameters.clock_ghz,
        "parameters": dict(zip(PARAMETERS, _values(fitted), strict=True)),
        "deviations": dict(zip(PARAMETERS, _deviations(fitted), strict=True)),
    }


def _half_width(fitted: FittedSet) -> float:
    """Return half the width of the 90 % interval of a logarithm whose parameters are known exactly."""
    parameters = fitted.parameters
    return t_quantile(parameters.degrees_of_freedom, 0.95) * math.hypot(
        parameters.between_families, parameters.residual
    )


def _values(fitted: FittedSet) -> list[float]:
    """Return rates in GMAC/s and GB/s, and the overhead in µs."""
    values, clock = fitted.parameters.values, fitted.parameters.clock_ghz
    return [*(value * clock for value in values[:5]), *values[5:7], values[7] / clock]


def _deviations(fitted: FittedSet) -> list[float]:
    return [math.sqrt(fitted.parameters.covariance[number][number]) for number in range(len(PARAMETERS))]
