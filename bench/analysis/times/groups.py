"""Groups of repeated Runs: the Runs of one ``run --repeat-runs``, on one machine."""

from collections.abc import Hashable, Sequence

from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.records.run import Run

__all__ = ["repeat_key", "repeats_together", "run_number"]


def repeat_key(run: Run) -> Hashable:
    """Return the key that the repeats of a Run share. A Run that is not repeated has a unique key."""
    return (run.repeat_group, machine_key(run.machine)) if run.repeat_group else id(run)


def repeats_together(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the Runs in groups of repeats, each in the order of their numbers. A Run without repeats is a group."""
    groups: dict[Hashable, list[Run]] = {}
    for run in runs:
        groups.setdefault(repeat_key(run), []).append(run)
    return [sorted(group, key=lambda run: (run.repeat, run.began)) for group in groups.values()]


def run_number(run: Run, group: Sequence[Run]) -> int:
    """Return the number of a Run in its group, from 1; its position if its record has no number."""
    return run.repeat or next(position for position, other in enumerate(group, start=1) if other is run)
