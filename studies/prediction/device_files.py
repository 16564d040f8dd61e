"""Write the device files of all boards from a table of published latencies.

    python -m studies.prediction.device_files TABLE [--folder bench/prediction/devices]

The same table gives the same bytes. Takes about 20 seconds.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from edge_bench.bench.prediction.device_file import FORMAT, Device, Kind, ParameterSet, write_device
from edge_bench.bench.prediction.latency_model import Models, log_latencies
from studies.prediction.deviations import FREEDOM, Estimate, device_factor, family_deviation, freedom_of
from studies.prediction.folds import Unseen, group_of, unseen_rows
from studies.prediction.hardware import BIG_LITTLE, BOARDS
from studies.prediction.hierarchy import hardware_of
from studies.prediction.joint_fit import JointFit, fit_cells
from studies.prediction.parameter_sets import parameter_set
from studies.prediction.table import Cell, Row, cells_of, read_table

__all__ = ["device_files", "main"]

_THREADS = (1, 2, 3, 4)
_KINDS = (("float32", ""), ("int8", "per-channel"), ("int8", "per-tensor"))
#: The version of the kernels that is predicted: the newest in the table for XNNPACK, that of most rows for ruy.
_VERSIONS = {"xnnpack": "2.18.0", "ruy": ""}
_MORE_CLOCKS = {"pi4": [1.5]}


class _Planned(NamedTuple):
    cell: Cell
    method: Kind
    rows: list[Row]  # the rows it is founded on


def device_files(rows: Sequence[Row]) -> dict[str, Device]:
    """Return the device of each board by its name."""
    plans = {name: _planned(name, rows) for name in BOARDS}
    unseen = list(unseen_rows(rows))
    fits = {
        kernels: fit_cells(
            cells_of([row for row in rows if row.cell.kernels == kernels]),
            [each.cell for plan in plans.values() for each in plan if each.cell.kernels == kernels],
        )
        for kernels in sorted({row.cell.kernels for row in rows})
    }
    return {
        name: msgspec.convert(
            {
                "format": FORMAT,
                "reliable": True,
                "name": name,
                **BOARDS[name],
                "parameters": [_parameters(each, fits[each.cell.kernels], unseen) for each in plan],
            },
            Device,
        )
        for name, plan in plans.items()
    }


def _planned(name: str, rows: Sequence[Row]) -> list[_Planned]:
    """Return the cells of a board that rows of the board or of its core support."""
    board, core = str(BOARDS[name]["board"]), str(BOARDS[name]["core"])
    clocks = [float(str(BOARDS[name]["clock_ghz"])), *_MORE_CLOCKS.get(name, [])]
    plan = []
    for kernels, version in _VERSIONS.items():
        for precision, scheme in _KINDS:
            for threads in _THREADS:
                method, founded = _founded(rows, board, core, (kernels, precision, scheme, threads > 1))
                measured = any(row.cell.threads == threads for row in founded)
                if founded and (kernels == "xnnpack" or (method == "published" and measured)):
                    cell = Cell(board, core, 0.0, kernels, precision, scheme, threads, version)
                    plan += [_Planned(replace(cell, clock_ghz=clock), method, founded) for clock in clocks]
    return plan


def _founded(rows: Sequence[Row], board: str, core: str, kind: tuple[str, str, str, bool]) -> tuple[Kind, list[Row]]:
    """Return the rows that support a cell best: the same quantization or threads count more than the same board."""
    kernels, precision, scheme, several = kind
    alike = [
        row
        for row in rows
        if (row.cell.kernels, row.cell.precision, row.cell.core) == (kernels, precision, core)
        and row.cell.device not in BIG_LITTLE
    ]
    same = [row for row in alike if (row.cell.scheme, row.cell.threads > 1) == (scheme, several)]
    if of_board := [row for row in same if row.cell.device == board]:
        return "published", of_board
    return "sibling", same or [row for row in alike if row.cell.threads > 1 or not several] or alike


def _parameters(planned: _Planned, fit: JointFit, unseen: Sequence[Unseen]) -> ParameterSet:
    cell = planned.cell
    found = parameter_set(fit, cell, planned.method, planned.rows)
    device = planned.rows[0].cell.device
    families = family_deviation(unseen, group_of(replace(cell, device=device)), fit.deviations(cell)[0])
    factor = device_factor(unseen, cell.kernels) if planned.method == "sibling" else Estimate(1.0, FREEDOM)
    variance = factor.value**2 * _typical_variance(planned, fit)
    parts = [(variance, factor.freedom), (families.value**2, families.freedom), (found.residual**2, FREEDOM)]
    return msgspec.structs.replace(
        found,
        between_families=families.value,
        covariance=[[factor.value**2 * each for each in line] for line in found.covariance],
        degrees_of_freedom=freedom_of(parts),
    )


def _typical_variance(planned: _Planned, fit: JointFit) -> float:
    """Return the median variance, from the parameters, of the models that they are founded on."""
    point, covariance = fit.of(planned.cell)
    models = Models.of([row.operators for row in planned.rows])
    derivatives = log_latencies(models, point, hardware_of(planned.cell))[1]
    return float(np.median(np.einsum("ij,jk,ik->i", derivatives, covariance, derivatives)))


def main(table: Path, folder: Path) -> None:
    """Write all device files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, device in device_files(read_table(table)).items():
        write_device(folder / f"{name}.toml", device)
        print(f"{folder / name}.toml: {len(device.parameters)} parameter sets")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("bench/prediction/devices"))
    main(parser.parse_args().table, parser.parse_args().folder)
