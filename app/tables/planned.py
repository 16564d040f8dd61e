"""The table of `run --dry-run`: the configurations that would be measured."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.bench.measure.plan import Planned

__all__ = ["planned_table"]


def planned_table(planned: Sequence[Planned]) -> Table:
    """Return a table with a row for each configuration, and why it cannot be measured."""
    names = ("variant", "runtime", "threads", "batch_size", "delegate")
    rows = [[str(getattr(each.configuration, name)) for name in names] for each in planned]
    failures = [f"{each.failure.message}; {each.failure.remedy}" if each.failure else "" for each in planned]
    return Table(
        title="what would be measured",
        header=("variant", "runtime", "threads", "batch", "delegate", "cannot be measured"),
        rows=[[*row, failure] for row, failure in zip(rows, failures, strict=True)],
        keys=5,
        records=[
            {**{name: getattr(each.configuration, name) for name in names}, "failure": failure or None}
            for each, failure in zip(planned, failures, strict=True)
        ],
    )
