"""Agreement of the same model on two machines: examples with equal labels or outputs, and labels that flip."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import marked, percent
from edge_bench.app.tables.runs.quality import agreement_cell, quality_heading, value_text
from edge_bench.app.tables.shared import runtime_text
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.quality.across import CrossMachineOutputs
from edge_bench.bench.records.run import CLASSIFY

__all__ = ["across_table"]

#: Number of flips listed in a row's note; the JSON contains all of them.
_LISTED_FLIPS = 5


def across_table(comparison: Comparison) -> Table | None:
    """Return one row per configuration that was also measured on the baseline's machine; None without any."""
    if comparison.task != CLASSIFY:
        return _outputs_table(comparison)
    rows = [row for row in comparison.rows if row.across]
    if not rows:
        return None
    return Table(
        title=f"same variant and runtime on {comparison.baseline_machine} (baseline)",
        header=("machine", "variant", "runtime", "images", "same label", "agreement\n%", "flips", "accuracy\n%",
                "baseline's\naccuracy, %"),
        rows=[_cells(row) for row in rows],
        keys=3,
        notes=_flips(rows),
    )  # fmt: skip


def _outputs_table(comparison: Comparison) -> Table | None:
    rows = [(row, row.outputs_across) for row in comparison.rows if row.outputs_across]
    if not rows:
        return None
    measures = [measure for _, found in rows for measure in (found.quality_here, found.quality_there) if measure]
    name = quality_heading(measures)
    header = ("machine", "variant", "runtime", "examples", "identical", "agreement")
    return Table(
        title=f"same variant and runtime on {comparison.baseline_machine} (baseline)",
        header=[*header, name, f"baseline's\n{name}"] if name else header,
        rows=[_output_cells(row, found)[: None if name else len(header)] for row, found in rows],
        keys=3,
    )


def _output_cells(row: Row, found: CrossMachineOutputs) -> list[str]:
    identical = found.agreement.identical
    return [
        row.machine,
        row.configuration.variant,
        runtime_text(row.configuration),
        f"{found.agreement.examples:,}",
        "" if identical is None else f"{identical:,}",
        agreement_cell(found.agreement),
        *(marked(value_text(each), assumed=row.accuracy_assumed) for each in (found.quality_here, found.quality_there)),
    ]


def _cells(row: Row) -> list[str]:
    agreement = row.across
    if agreement is None:
        raise ValueError("a row without a counterpart has no cells")
    total = agreement.total
    return [
        row.machine,
        row.configuration.variant,
        runtime_text(row.configuration),
        f"{total:,}",
        f"{agreement.same:,}",
        percent(agreement.same / total) if total else "",
        f"{total - agreement.same:,}",
        *(
            marked(percent(correct / total), assumed=agreement.accuracy_assumed) if total else ""
            for correct in (agreement.correct_here, agreement.correct_there)
        ),
    ]


def _flips(rows: Sequence[Row]) -> list[str]:
    notes = []
    for row in rows:
        flips = row.across.flips if row.across else []
        listed = [f"image {f.image} ({f.truth}) is {f.here} here, {f.there} there" for f in flips[:_LISTED_FLIPS]]
        if listed:
            more = f"; {len(flips) - len(listed):,} more are in --format json" if len(flips) > len(listed) else ""
            notes.append(f"{row.configuration.variant} on {runtime_text(row.configuration)}: {'; '.join(listed)}{more}")
    return notes
