"""The benchmark: fresh workers, interleaved rounds, every configuration the same images; one Run comes out.

The flow, for each generation of worker processes: start one worker a configuration (their imports overlap), let
each load and warm up alone, then ask for one trial at a time, round by round. A worker that fails becomes a row
that says why; the rest goes on.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edge_bench.bench.dataset.sampling import draw_for_trial
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.recorder import JournalWriteError, Recorder, started_run
from edge_bench.bench.measure.schedule import Generation, schedule
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import Entry, Journal
from edge_bench.bench.records.run import Failure, Run, Settings
from edge_bench.bench.system.concurrent_runs import ConcurrentRunDetector
from edge_bench.bench.worker.messages import Prepare, Prepared, Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["run_benchmark"]

#: pyperf's minimum; a shorter pass is repeated within its trial.
TRIAL_NS = 100_000_000
_HEADROOM = 1.2  # a warm-up's estimate of a pass may be that much too long


def run_benchmark(
    workload: Workload,
    planned: Sequence[Planned],
    settings: Settings,
    progress: Progress,
    *,
    begun: Run | None = None,
    journal: Journal | None = None,
    earlier: Sequence[Entry] | None = None,
    concurrent: ConcurrentRunDetector | None = None,
) -> Run:
    """Measures every planned configuration; what was measured comes back, also after Ctrl-C (``complete`` is False).

    With a ``journal`` every trial is on disk before the next starts; ``earlier`` are the entries of a run that ended
    before its time, which goes on where they end. Where the journal can no longer be written, the run stops. Other runs
    that ``concurrent`` meets are in the trust record.
    """
    recorder = Recorder(begun or started_run(workload, planned, settings), workload, journal, earlier, concurrent)
    able = [number for number, item in enumerate(planned) if item.failure is None]
    progress.start("measuring", settings.trials * len(able), recorder.trials)
    try:
        for generation in schedule(len(able), settings.trials, settings.processes, settings.seed):
            _Workers(workload, planned, settings, recorder, progress).run(able, generation)
    except KeyboardInterrupt:
        recorder.interrupted = True
    except JournalWriteError as cause:
        recorder.interrupted, recorder.stopped = True, str(cause)
    except OSError as cause:
        recorder.interrupted, recorder.stopped = True, f"a worker could not be started: {cause.strerror}"
    progress.finish(recorder.stopped or ("interrupted" if recorder.interrupted else ""))
    return recorder.run()


class _Workers:
    """One generation: the living workers, by the number of their configuration."""

    def __init__(
        self,
        workload: Workload,
        planned: Sequence[Planned],
        settings: Settings,
        recorder: Recorder,
        progress: Progress,
    ) -> None:
        self._subject, self._planned, self._settings = workload, planned, settings
        self._recorder, self._progress = recorder, progress
        self._alive: dict[int, WorkerProcess] = {}
        self._process = 0

    def run(self, able: Sequence[int], generation: Generation) -> None:
        """Starts, prepares, measures in the generation's order, and leaves no process behind."""
        left = [number for number in able if self._left(number, generation)]
        self._process = self._recorder.process_for(generation.number, self._settings.processes)
        try:
            for number in left:
                if not self._recorder.failed(number):
                    with defer_interrupts():  # a worker that nobody knows of would not be stopped
                        self._alive[number] = WorkerProcess(
                            self._planned[number].configuration.runtime, self._settings.memory_limit
                        )
            imports = {number: self._guarded(number, self._await_import) for number in list(self._alive)}
            for number in list(self._alive):
                self._progress.advance(0, f"preparing {self._planned[number].configuration}")
                self._guarded(number, self._prepare, imports[number])
            for round_number, order in enumerate(generation.rounds):
                for place in order:
                    number = able[place]
                    if self._recorder.made(number, generation.number, round_number):
                        continue
                    if number in self._alive:
                        self._guarded(number, self._trial, generation.number, round_number)
                    self._progress.advance(1, str(self._planned[number].configuration))
            for number in list(self._alive):
                self._guarded(number, self._finish)
        finally:
            for worker in self._alive.values():
                worker.stop()

    def _left(self, number: int, generation: Generation) -> bool:
        """Whether a configuration has trials of this generation to make."""
        rounds = range(len(generation.rounds))
        return any(not self._recorder.made(number, generation.number, each) for each in rounds)

    def _guarded(self, number: int, step: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a step of one worker; if it fails, the worker is stopped and its configuration has its reason."""
        try:
            return step(number, self._alive[number], *arguments)
        except WorkerFailed as cause:
            self._recorder.fail(number, cause.failure)
            self._alive.pop(number).stop()
            return None

    def _await_import(self, number: int, worker: WorkerProcess) -> Ready:  # noqa: ARG002
        return worker.wait_for(Ready, self._settings.timeout_s)

    def _prepare(self, number: int, worker: WorkerProcess, ready: Ready) -> None:
        planned = self._planned[number]
        request = Prepare(
            configuration=planned.configuration,
            file=str(planned.file),
            images=str(self._subject.pixels),
            rows=self._subject.rows.tolist(),
            preprocessing=self._subject.preprocessing,
            input_shape=None if self._subject.input_shape is None else list(self._subject.input_shape),
        )
        prepared = worker.ask(request, Prepared, self._settings.timeout_s)
        passes = self._recorder.passes.get(number)
        if passes is None:
            # fixed by the first generation, so that all trials of a configuration are the same work
            images = len(self._subject.indices)
            pass_ns = prepared.pass_ns * min(self._settings.resample or images, images) // images
            passes = max(1, -int(-TRIAL_NS * _HEADROOM // max(pass_ns, 1)))
        self._recorder.prepared(number, self._process, ready, prepared, passes, worker.delegate())

    def _trial(self, number: int, worker: WorkerProcess, generation: int, round_number: int) -> None:
        settings, image_positions = self._settings, None
        count, share = len(self._subject.indices), self._planned[number].images
        if share is not None:
            image_positions = np.arange(min(share, count))
        elif settings.resample:
            image_positions = draw_for_trial(count, settings.resample, settings.seed, generation, round_number)
        request = Time(
            passes=self._recorder.passes[number],
            image_positions=None if image_positions is None else image_positions.tolist(),
        )
        with self._recorder.monitor() as readings:
            timed = worker.ask(request, Timed, self._settings.timeout_s)
        wanted = count if image_positions is None else len(image_positions)
        if len(timed.labels) != wanted or len(timed.latencies_ns) > wanted or len(timed.best) not in (0, 10 * wanted):
            raise WorkerFailed(Failure(kind="failed", message="answered with labels of other images than those asked"))
        self._recorder.timed(number, generation, self._process, round_number, timed, readings, image_positions)

    def _finish(self, number: int, worker: WorkerProcess) -> None:
        self._recorder.finished(number, self._process, worker.finish(self._settings.timeout_s))
