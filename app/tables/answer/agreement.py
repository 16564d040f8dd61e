"""Notes on the agreement of labels or outputs between machines."""

from collections.abc import Sequence

from edge_bench.app.render.units import counted
from edge_bench.app.tables.answer.names import Sides, configuration_name
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.run import CLASSIFY

__all__ = ["agreement_notes"]


def agreement_notes(comparison: Comparison) -> list[str]:
    """Return one note for each machine that measured the same variants and runtimes as the baseline's machine."""
    sides = Sides(comparison.rows)
    baseline = next((sides.name(row.run_id) for row in comparison.rows if row.is_baseline), comparison.baseline_machine)
    machines: dict[str, list[Row]] = {}
    for row in comparison.rows:
        if _equal(row) is not None:
            machines.setdefault(sides.name(row.run_id), []).append(row)
    return [_note(comparison, f"{machine} and {baseline}", rows) for machine, rows in machines.items()]


def _equal(row: Row) -> tuple[int, int] | None:
    """Return how many labels, or outputs of examples, are equal, and of how many; None if there are none."""
    if row.across:
        return (row.across.same, row.across.total) if row.across.total else None
    found = row.outputs_across
    if found is None or found.agreement.identical is None or not found.agreement.examples:
        return None
    return found.agreement.identical, found.agreement.examples


def _note(comparison: Comparison, machines: str, rows: Sequence[Row]) -> str:
    what, noun = ("labels", comparison.unit) if comparison.task == CLASSIFY else ("outputs", "example")
    pairs = [(row, *pair) for row in rows if (pair := _equal(row)) is not None]
    where = f"{what} on {machines}"
    differing = [pair for pair in pairs if pair[1] < pair[2]]
    of_all = f"{counted(len(pairs), 'configuration')} of both"
    if not differing:
        # an image without finite scores has no label, so two configurations may share fewer images
        fewest, most = min(of for *_, of in pairs), max(of for *_, of in pairs)
        shared = counted(most, noun) if fewest == most else f"{fewest:,} to {counted(most, noun)}"
        return f"- {where} are equal for all {shared}, in {of_all}"
    worst, same, of = min(differing, key=lambda pair: pair[1] / pair[2])
    return (
        f"- {where} differ in {len(differing):,} of {of_all}; most in "
        f"{configuration_name(worst.configuration, comparison.rows)}: {same:,} of {counted(of, noun)} equal"
    )
