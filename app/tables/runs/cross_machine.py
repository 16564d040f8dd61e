"""The same model on two machines: on how many images the predicted labels agree, and which ones flip."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import percent
from edge_bench.bench.analysis.comparison import Comparison, Row

__all__ = ["across_table"]

#: So many flips are named in a row's note; all of them are in the JSON.
FLIPS_NAMED = 5


def across_table(comparison: Comparison) -> Table | None:
    """One row a configuration that the baseline's machine has measured too; None where there is none."""
    rows = [row for row in comparison.rows if row.across]
    if not rows:
        return None
    return Table(
        title=f"the same variant and runtime here and on {comparison.baseline_machine}",
        header=("machine", "variant", "runtime", "images", "same label", "agreement\n%", "flips", "accuracy, %\nhere",
                "accuracy, %\nthere"),
        rows=[_cells(row) for row in rows],
        keys=3,
        notes=_flips(rows),
    )  # fmt: skip


def _cells(row: Row) -> list[str]:
    found = row.across
    if found is None:
        raise ValueError("a row without a counterpart has no cells")
    none = not found.total
    return [
        row.machine,
        row.configuration.variant,
        row.configuration.runtime,
        f"{found.total:,}",
        f"{found.same:,}",
        "" if none else percent(found.same / found.total),
        str(len(found.flips)),
        "" if none else percent(found.correct_here / found.total),
        "" if none else percent(found.correct_there / found.total),
    ]


def _flips(rows: Sequence[Row]) -> list[str]:
    notes = []
    for row in rows:
        flips = row.across.flips if row.across else []
        named = [f"image {f.image} ({f.truth}) is {f.here} here, {f.there} there" for f in flips[:FLIPS_NAMED]]
        if named:
            more = f"; {len(flips) - len(named)} more are in --format json" if len(flips) > len(named) else ""
            notes.append(f"{row.configuration.variant} on {row.configuration.runtime}: {'; '.join(named)}{more}")
    return notes
