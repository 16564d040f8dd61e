"""Sustained loads have no place in comparisons: their configurations ran one after the other, in one process each."""

from collections.abc import Sequence

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run import Run

__all__ = ["require_interleaved"]


def require_interleaved(runs: Sequence[Run]) -> None:
    """Raise BadInput if a Run is a sustained load.

    Between its configurations, a drift of the machine or a warm processor cannot be told from a difference, and one
    process does not show how much processes vary.
    """
    for run in runs:
        if run.settings.sustained is not None:
            raise BadInput(
                f"run {run.run_id[:8]} is a sustained load (--duration): its configurations ran one after the other, "
                "and are not compared",
                "compare Runs without --duration; `edge-bench report` shows this one",
            )
