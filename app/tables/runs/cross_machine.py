"""The same model on two machines: on how many images the predicted labels agree, and which labels flip."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import marked, percent
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row

__all__ = ["across_table"]

#: Number of flips listed in a row's note; the JSON contains all of them.
_LISTED_FLIPS = 5


def across_table(comparison: Comparison) -> Table | None:
    """Return one row per configuration that was also measured on the baseline's machine; None without any."""
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
    agreement = row.across
    if agreement is None:
        raise ValueError("a row without a counterpart has no cells")
    total = agreement.total
    return [
        row.machine,
        row.configuration.variant,
        row.configuration.runtime,
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
            notes.append(f"{row.configuration.variant} on {row.configuration.runtime}: {'; '.join(listed)}{more}")
    return notes
