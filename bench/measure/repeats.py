"""Several Runs of one request, one after another: ``run --repeat-runs``."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.interrupts import asked_to_stop
from edge_bench.bench.io.disk_space import require_run_space, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import PATIENCE_SECONDS
from edge_bench.bench.measure.recording.started_run import started_run
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import StoredRun, locked_bundle, measure_run, remove_journals
from edge_bench.bench.measure.stored.groups import RepeatGroup, complete_group, group_to_resume
from edge_bench.bench.measure.stored.matching import matching_journals
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.run import Run
from edge_bench.bench.system.concurrent_runs import remove_ended_runs, runtime_folders
from edge_bench.bench.wording import counted

__all__ = ["Repeats", "measure_repeats"]


@dataclass(frozen=True)
class Repeats:
    """The Runs of a group, in the order of their numbers, and why some are missing."""

    count: int  # of Runs when the group is complete
    stored: list[StoredRun]  # at least one; an incomplete Run is the last
    interrupted: bool = False
    error: EdgeBenchError | None = None  # why no further Run could be made, unless the last Run says so

    @property
    def finished(self) -> list[Run]:
        """The complete Runs."""
        return [run for run, _ in self.stored if run.complete]


class _Numbered:
    """Progress of one of several runs, whose tasks are shown as ``run 2 of 5: measuring``."""

    def __init__(self, progress: Progress, number: int, count: int) -> None:
        self._progress, self._prefix = progress, f"run {number} of {count}: "

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self._progress.start(self._prefix + what, steps, done)

    def advance(self, steps: int = 1, note: str = "") -> None:
        self._progress.advance(steps, note)

    def expect(self, seconds: float | None) -> None:
        self._progress.expect(seconds)

    def finish(self, note: str = "") -> None:
        self._progress.finish(note)

    def say(self, message: str) -> None:
        self._progress.say(self._prefix + message)


def measure_repeats(
    request: BenchmarkRequest,
    results: Path,
    progress: Progress,
    count: int,
    *,
    once: bool = False,
    explicit_options: Collection[str] | None = None,
    resume: bool = False,
) -> Repeats:
    """Make ``count`` Runs of the same group, one after another, each with `session.measure`.

    With ``once`` return the newest group of at least ``count`` Runs that match as for `session.measure`. With
    ``resume`` complete a group that has the same options: keep the finished Runs, continue the interrupted one and
    make the missing ones, if there are fewer than ``count``. A group with any other option is left unchanged.
    Raise BadInput if the group is being measured.
    An interruption or an error ends the command's work on the group. The group is returned with the Runs that are on
    disk by then. If there are none, the error is raised.
    """
    writable_folder(results)
    remove_leftovers(results)  # of runs that were killed
    if once and (group := complete_group(results, request, explicit_options, count)):
        stored = _in_order(group.finished.values())
        progress.say(f"reusing {counted(len(stored), 'run')} in {results}: same models, data and options")
        remove_journals(stored)
        remove_ended_runs(*runtime_folders(), results)
        return Repeats(len(stored), stored)
    with locked_bundle(request):
        group = _group(request, results, progress, count, resume=resume)
        missing = group.missing(count)
        remove_journals(group.finished.values())
        require_run_space(results, request.images, request.invocations, len(missing))
        stored, interrupted, error = list(group.finished.values()), False, None
        try:
            for number in missing:
                begun = started_run(request.workload, request.planned, request.settings, group.name, number)
                numbered = _Numbered(progress, number, count)
                measure_run(request, results, numbered, begun, stored, group.journals.get(number))
                if not (run := stored[-1][0]).complete:
                    interrupted = not run.stopped
                    break
        except KeyboardInterrupt:
            if not stored:
                raise
            interrupted = True
        except EdgeBenchError as cause:
            if not stored:
                raise
            error = cause
        except Exception:  # a library may have turned the interruption into its own error
            if not stored or not asked_to_stop():
                raise
            interrupted = True
    return Repeats(max(count, len(group.finished)), _in_order(stored), interrupted, error)


def _group(request: BenchmarkRequest, results: Path, progress: Progress, count: int, *, resume: bool) -> RepeatGroup:
    """Return the group to complete, or a new one."""
    wanted = started_run(request.workload, request.planned, request.settings)
    journals = matching_journals(results, wanted, patience=PATIENCE_SECONDS if resume else 0)
    if resume:
        if group := group_to_resume(results, wanted, journals):
            finished = len(group.finished)
            enough = "nothing is left to measure" if not group.missing(count) else ""
            progress.say(f"resuming in {results}: {enough or f'{finished} of {count} runs are complete'}")
            return group
        progress.say(f"{results}: no unfinished runs of these models, data and options; starting new ones")
    elif begun := [path for run, path in journals.unfinished if run.repeat_group]:
        progress.say(f"{begun[0]}: unfinished runs of the same models, data and options; add --resume to continue them")
    return RepeatGroup(uuid.uuid4().hex)


def _in_order(stored: Iterable[StoredRun]) -> list[StoredRun]:
    return sorted(stored, key=lambda item: (not item[0].complete, item[0].repeat))
