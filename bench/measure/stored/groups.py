"""Groups of repeated Runs in a results folder: the Runs of one ``run --repeat-runs``."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.stored.matching import finished_runs, matching_runs, unfinished_journals
from edge_bench.bench.records.run import Run

__all__ = ["RepeatGroup", "complete_group", "unfinished_group"]


@dataclass
class RepeatGroup:
    """The Runs and journals of one group, by their number in it, from 1."""

    name: str
    finished: dict[int, tuple[Run, Path]] = field(default_factory=dict)
    journals: dict[int, Path] = field(default_factory=dict)  # of interrupted runs; a finished one may have one, too

    def missing(self, count: int) -> list[int]:
        """Return the numbers up to ``count`` without a finished Run."""
        return [number for number in range(1, count + 1) if number not in self.finished]

    @property
    def began(self) -> str:
        """When its newest finished Run began; empty without one."""
        return max((run.began for run, _ in self.finished.values()), default="")


def complete_group(
    results: Path, request: BenchmarkRequest, explicit_options: Collection[str] | None, count: int
) -> RepeatGroup | None:
    """Return the newest group of at least ``count`` complete Runs that answer a request; None if there is none."""
    groups: dict[str, RepeatGroup] = {}
    for run, path in matching_runs(results, request, explicit_options):
        if run.repeat_group:
            group = groups.setdefault(run.repeat_group, RepeatGroup(run.repeat_group))
            if all(_same_measurement(run, other) for other, _ in group.finished.values()):
                group.finished.setdefault(run.repeat, (run, path))
    return max((g for g in groups.values() if not g.missing(count)), key=lambda g: g.began, default=None)


def unfinished_group(results: Path, wanted: Run, count: int) -> RepeatGroup | None:
    """Return the group to which a command with ``count`` repeats adds what is missing; None if there is none.

    ``wanted`` is a Run before its first trial. A group qualifies if all its settings are the same and fewer than
    ``count`` of its Runs are finished, or its process was killed before it removed the journal of a finished one. The
    one with the newest journal comes first, then the one with the newest finished Run.
    """
    groups: dict[str, RepeatGroup] = {}
    interrupted: list[str] = []
    for begun, path in unfinished_journals(results, wanted):
        if begun.repeat_group:
            group = groups.setdefault(begun.repeat_group, RepeatGroup(begun.repeat_group))
            group.journals.setdefault(begun.repeat, path)
            interrupted.append(begun.repeat_group)
    for run, path in finished_runs(results, wanted):
        if run.repeat_group:
            group = groups.setdefault(run.repeat_group, RepeatGroup(run.repeat_group))
            group.finished.setdefault(run.repeat, (run, path))
    open_groups = [
        group for group in groups.values() if group.missing(count) or group.journals.keys() & group.finished.keys()
    ]
    first = [group for name in interrupted for group in open_groups if group.name == name]
    return first[0] if first else max(open_groups, key=lambda group: group.began, default=None)


def _same_measurement(run: Run, other: Run) -> bool:
    """Return whether two Runs can be repeats of each other, whatever the files claim."""
    configurations = [[result.configuration for result in each.results] for each in (run, other)]
    return run.settings == other.settings and run.images == other.images and configurations[0] == configurations[1]
