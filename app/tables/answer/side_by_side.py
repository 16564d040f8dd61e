"""Several Runs in one table: a row for each configuration, a group of columns for each Run."""

from collections.abc import Sequence

from edge_bench.app.render.short_table import Column, ShortTable
from edge_bench.app.render.text.short_table import columns_that_fit, fits
from edge_bench.app.render.units import size
from edge_bench.app.tables.answer.cells import UNRELIABLE, time_text
from edge_bench.app.tables.answer.names import Sides, baseline_name
from edge_bench.app.tables.answer.short import (
    BEST,
    MARKED,
    MAX_ROWS,
    by_time,
    configuration_columns,
    quality_column,
    speed_column,
)
from edge_bench.bench.analysis.answer.answer import AnswerKind
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.run import Configuration

__all__ = ["side_by_side"]

_INTERVAL, _SIZE, _QUALITY = 9, 8, 7
_MAX_BASELINE = 12


def side_by_side(comparison: Comparison, sides: Sides, kind: AnswerKind, width: int) -> ShortTable | None:
    """Return the table, or None if its times and verdicts need more than ``width`` characters."""
    by_configuration: dict[Configuration, dict[str, Row]] = {}
    for row in by_time(comparison.rows):
        by_configuration.setdefault(row.configuration, {}).setdefault(row.run_id, row)
    groups = list(by_configuration.values())[:MAX_ROWS]
    firsts = [next(iter(group.values())) for group in groups]
    baseline = f"vs {baseline_name(comparison, _MAX_BASELINE)}"
    columns = configuration_columns(firsts)
    for side in sides.rows:
        rows = [group.get(side.run_id) for group in groups]
        name = sides.name(side.run_id)
        columns.append(_times(rows, name, comparison.unit))
        if not side.emulated:
            columns.append(speed_column(rows, f"{name}\n{baseline}"))
    columns += _quality(groups, firsts, comparison)
    columns.append(Column("size", [size(row.bytes) for row in firsts], dropped=_SIZE))
    if not fits(columns_that_fit(columns, width), width):
        return None
    marked = [kind in MARKED and any(row.fastest for row in group.values()) for group in groups]
    return ShortTable("", columns, [BEST if each else "" for each in marked])


def _times(rows: Sequence[Row | None], name: str, unit: str) -> Column:
    unstable = any(row and row.unstable and not row.emulated for row in rows)
    timed = [row for row in rows if row is not None]

    def cells(*, interval: bool) -> list[str]:
        pad = " " * len(UNRELIABLE) if unstable else ""
        texts = []
        for row in rows:
            time = "" if row is None else "EMULATED" if row.emulated else time_text(row, timed, interval=interval)
            texts.append(f"{time}{UNRELIABLE if row and row.unstable and not row.emulated else pad}")
        return texts

    header = f"{name}\nms/{unit}"
    has_interval = any(row.time and row.time.interval and not row.emulated for row in timed)
    wide = f"{header}{' [95 %]' if has_interval else ''}"
    return Column(wide, cells(interval=True), narrow=(header, cells(interval=False)), narrowed=_INTERVAL)


def _quality(groups: Sequence[dict[str, Row]], firsts: Sequence[Row], comparison: Comparison) -> list[Column]:
    """Return the column of quality if it is the same on all machines, as shown; else the full table has it."""
    column = quality_column(firsts, comparison)
    for number in range(max(len(group) for group in groups)):
        others = [list(group.values())[min(number, len(group) - 1)] for group in groups]
        if [each.cells for each in quality_column(others, comparison)] != [each.cells for each in column]:
            return _ranges(groups, comparison)
    return column


def _ranges(groups: Sequence[dict[str, Row]], comparison: Comparison) -> list[Column]:
    """Return the column of quality with both ends of what the Runs have: ``62.9/63.0``."""
    cells, header = [], ""
    for group in groups:
        columns = quality_column(list(group.values()), comparison)
        header = header or (columns[0].header if columns else "")
        values = sorted({cell.removesuffix(" %") for cell in columns[0].cells if cell}) if columns else []
        cells.append("/".join(dict.fromkeys([values[0], values[-1]])) if values else "")
    return [Column(f"{header}\n%", cells, dropped=_QUALITY)] if header else []
