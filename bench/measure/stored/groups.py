"""Groups of repeated Runs in a results folder: the Runs of one ``run --repeat-runs``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.stored.matching import Journals, finished_runs, matching_runs
from edge_bench.bench.records.journal.journal import still_measuring
from edge_bench.bench.records.run import Run

__all__ = ["RepeatGroup", "complete_group", "group_to_resume"]


@dataclass
class RepeatGroup:
    """The Runs and journals of one group, by their number in it, from 1."""

    name: str
    finished: dict[int, tuple[Run, Path]] = field(default_factory=dict)
    journals: dict[int, Path] = field(default_factory=dict)  # of interrupted runs; a finished run may have one, too

    def missing(self, count: int) -> list[int]:
        """Return the numbers up to ``count`` without a finished Run."""
        return [number for number in range(1, count + 1) if number not in self.finished]

    @property
    def began(self) -> str:
        """Start time of its newest finished Run; empty if there is none."""
        return max((run.began for run, _ in self.finished.values()), default="")


def complete_group(
    results: Path, request: BenchmarkRequest, explicit_options: Collection[str] | None, count: int
) -> RepeatGroup | None:
    """Return the newest group of at least ``count`` complete Runs that answer a request; None if there is none."""
    groups: dict[str, RepeatGroup] = {}
    for run, path in _repeated(matching_runs(results, request, explicit_options)):
        group = _group(groups, run)
        if all(_same_measurement(run, other) for other, _ in group.finished.values()):
            group.finished.setdefault(run.repeat, (run, path))
    return max((g for g in groups.values() if not g.missing(count)), key=lambda g: g.began, default=None)


def group_to_resume(results: Path, wanted: Run, journals: Journals) -> RepeatGroup | None:
    """Return the group that lacks Runs which a command can add; None if there is none.

    ``wanted`` is a Run before its first trial, and ``journals`` are of the same models, data and options. A group
    qualifies if all its settings are the same, regardless of its planned number of Runs. The group with the newest
    journal is preferred, then the one with the newest finished Run. Raise BadInput if all that qualify are being
    measured.
    """
    groups: dict[str, RepeatGroup] = {}
    for begun, path in _repeated(journals.unfinished):
        _group(groups, begun).journals.setdefault(begun.repeat, path)
    interrupted = list(groups)
    for run, path in _repeated(finished_runs(results, wanted)):
        _group(groups, run).finished.setdefault(run.repeat, (run, path))
    running = {begun.repeat_group: path for begun, path in _repeated(journals.running)}
    free = [group for name, group in groups.items() if name not in running]
    if running and not free:
        raise still_measuring(next(iter(running.values())))
    if first := [group for group in free if group.name in interrupted]:
        return first[0]
    return max(free, key=lambda group: group.began, default=None)


def _repeated(runs: Iterable[tuple[Run, Path]]) -> list[tuple[Run, Path]]:
    return [(run, path) for run, path in runs if run.repeat_group]


def _group(groups: dict[str, RepeatGroup], run: Run) -> RepeatGroup:
    return groups.setdefault(run.repeat_group, RepeatGroup(run.repeat_group))


def _same_measurement(run: Run, other: Run) -> bool:
    """Return whether two Runs can be repeats of each other; the group's identifier alone is not trusted."""
    configurations = [[result.configuration for result in each.results] for each in (run, other)]
    return run.settings == other.settings and run.images == other.images and configurations[0] == configurations[1]
