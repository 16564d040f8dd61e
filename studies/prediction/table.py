"""Published latencies: a CSV with a row per measurement, and a JSON file per model with its operators.

Columns: device, core, clock_ghz, threads, runtime_version, kernels, model, family, precision (fp32 or int8),
quant_scheme, latency_ms, os_bits, source, op_table (the path of the JSON file from the folder of the CSV).
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from edge_bench.bench.prediction.model_operators import SUPPRESSION_CYCLES
from edge_bench.bench.prediction.work import Kind, OperatorWork
from studies.prediction.hardware import CORES, DEVICES_WITHOUT_USE

__all__ = ["Cell", "Row", "cells_of", "read_table"]

_KINDS: dict[str, Kind] = {
    "stem": "first_convolution",
    "conv": "convolution",
    "pw": "pointwise",
    "dw": "depthwise",
    "fc": "dense",
    "sefc": "dense",
}
_BYTES = {"fp32": 4, "int8": 1}
_PRECISIONS = {"fp32": "float32", "int8": "int8"}


#: A row was disturbed if it took more than this many times as long as the same model with fewer threads.
_SLOWER = 1.1


@dataclass(frozen=True, order=True)
class Cell:
    """What rows with the same parameters have in common."""

    device: str
    core: str
    clock_ghz: float
    kernels: str
    precision: str
    scheme: str
    threads: int
    version: str  # of the runtime if the source measured several, else empty


@dataclass(frozen=True)
class Row:
    """One published latency."""

    cell: Cell
    model: str
    family: str
    milliseconds: float
    operators: tuple[OperatorWork, ...]
    source: str


def read_table(path: Path, keep: Callable[[Cell], bool] = lambda _: True) -> list[Row]:
    """Return the rows that a fit can use.

    Not used are rows without a latency, of 32-bit systems, of cores that ``hardware.py`` does not know, and of devices
    that it excludes. Nor are rows that took longer than the same with fewer threads: the board was hot or busy.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [_row(each, path.parent) for each in csv.DictReader(file) if _is_usable(each)]
    fastest: dict[tuple[Cell, str], list[tuple[int, float]]] = {}
    for row in rows:
        fastest.setdefault(_any_threads(row), []).append((row.cell.threads, row.milliseconds))
    return [row for row in rows if keep(row.cell) and not _is_disturbed(row, fastest[_any_threads(row)])]


def cells_of(rows: Sequence[Row]) -> dict[Cell, list[Row]]:
    """Return the rows of each cell, in the order of the cells."""
    cells: dict[Cell, list[Row]] = {}
    for row in rows:
        cells.setdefault(row.cell, []).append(row)
    return dict(sorted(cells.items()))


def _any_threads(row: Row) -> tuple[Cell, str]:
    return replace(row.cell, threads=0), row.model


def _is_disturbed(row: Row, others: Sequence[tuple[int, float]]) -> bool:
    """Return whether fewer threads were clearly faster."""
    return any(
        threads < row.cell.threads and row.milliseconds > _SLOWER * milliseconds for threads, milliseconds in others
    )


def _is_usable(columns: dict[str, str]) -> bool:
    known = columns["core"].split(" ")[0] in CORES and (columns["device"], columns["precision"])
    return bool(columns["latency_ms"] and columns["os_bits"] == "64" and known and known not in DEVICES_WITHOUT_USE)


def _row(columns: dict[str, str], folder: Path) -> Row:
    several = "NobuoTsukamoto" in columns["source"]
    cell = Cell(
        device=columns["device"],
        core=columns["core"].split(" ")[0],
        clock_ghz=float(columns["clock_ghz"]),
        kernels=columns["kernels"],
        precision=_PRECISIONS[columns["precision"]],
        scheme=columns["quant_scheme"].split("-", 1)[1] if columns["quant_scheme"] else "",
        threads=int(columns["threads"]),
        version=columns["runtime_version"] if several else "",
    )
    return Row(
        cell=cell,
        model=columns["model"],
        family=columns["family"],
        milliseconds=float(columns["latency_ms"]),
        operators=_operators(folder / columns["op_table"], _BYTES[columns["precision"]]),
        source="/".join(columns["source"].split("/")[:3]).removesuffix("/tensorflow"),
    )


@cache
def _operators(path: Path, item_bytes: int) -> tuple[OperatorWork, ...]:
    operators: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["ops"]
    return tuple(_work(each, item_bytes) for each in operators)


def _work(columns: dict[str, Any], item_bytes: int) -> OperatorWork:
    """Return the work of an operator, classified as ``model_operators.py`` does for files."""
    kind = _KINDS.get(columns["op"], "element_by_element")
    if columns["op"] == "nms":  # reads float32; if the model is int8, its boxes and scores are converted first
        moved = columns["inel"] * (4.0 if item_bytes == 4 else 4.0 + 1.0 + 4.0)
        return OperatorWork(kind, 0.0, 0.0, moved, SUPPRESSION_CYCLES * columns["inel"])
    if kind == "pointwise" and columns["h"] * columns["w"] == 1:
        kind = "dense"
    return OperatorWork(
        kind=kind,
        macs=float(columns["macs"]),
        weight_bytes=float(columns["wel"] * item_bytes),
        activation_bytes=float((columns["inel"] + columns["outel"]) * item_bytes),
    )
