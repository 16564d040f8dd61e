"""The benchmark: fresh workers, interleaved rounds and the same images for every configuration.

Each generation starts one worker process per configuration; their imports overlap. Each worker then loads its model
and warms up alone. Then trials are measured one at a time, round by round. A worker that fails is reported with its
reason; the other configurations still run.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_bench.bench.dataset.sampling import draw_for_trial
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.measure.graph_outputs import RECORDED_PROCESSES, graph_request, record_outputs
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.recorder import JournalWriteError, Recorder, started_run
from edge_bench.bench.measure.schedule import Generation, passes_per_trial, schedule
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.journal import Journal
from edge_bench.bench.records.journal_entries import Entry
from edge_bench.bench.records.run import Failure, Run, Settings
from edge_bench.bench.system.concurrent_runs import ConcurrentRunDetector
from edge_bench.bench.worker.graphs.messages import GraphPrepared, PrepareGraph
from edge_bench.bench.worker.messages import Prepare, Prepared, Ready, Time, Timed
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["run_benchmark"]


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
    """Measure every planned configuration and return the Run; after Ctrl-C it is incomplete (``complete`` is False).

    With a ``journal`` every trial is on disk before the next one starts. The run stops if the journal can no longer be
    written. ``earlier`` are the entries of an interrupted run, which is continued. Runs that ``concurrent`` detects are
    recorded as findings.
    """
    begun = begun or started_run(workload, planned, settings)
    recorder = Recorder(begun, workload, journal, earlier, concurrent)
    runnable = [number for number, item in enumerate(planned) if item.failure is None]
    progress.start("measuring", settings.trials * len(runnable), recorder.trials)
    try:
        for generation in schedule(len(runnable), settings.trials, settings.processes, settings.seed, begun.repeat):
            _Workers(workload, planned, settings, recorder, progress).run(runnable, generation)
    except KeyboardInterrupt:
        recorder.interrupted = True
    except JournalWriteError as cause:
        recorder.interrupted, recorder.stopped = True, str(cause)
    except OSError as cause:
        recorder.interrupted, recorder.stopped = True, f"a worker could not be started: {cause.strerror}"
    progress.finish(recorder.stopped or ("interrupted" if recorder.interrupted else ""))
    return recorder.run()


class _Workers:
    """The running workers of a generation, by the number of their configuration."""

    def __init__(
        self,
        workload: Workload,
        planned: Sequence[Planned],
        settings: Settings,
        recorder: Recorder,
        progress: Progress,
    ) -> None:
        self._workload, self._planned, self._settings = workload, planned, settings
        self._recorder, self._progress = recorder, progress
        self._workers: dict[int, WorkerProcess] = {}
        self._process = 0

    def run(self, runnable: Sequence[int], generation: Generation) -> None:
        """Start and prepare the workers, measure in the generation's order, and stop every worker."""
        unfinished = [number for number in runnable if self._is_unfinished(number, generation)]
        self._process = self._recorder.process_for(generation.number, self._settings.processes)
        try:
            for number in unfinished:
                if not self._recorder.failed(number):
                    with defer_interrupts():  # a worker that is not in the dictionary would not be stopped
                        self._workers[number] = self._started(self._planned[number])
            imports = {number: self._attempt(number, self._await_import) for number in list(self._workers)}
            for number in list(self._workers):
                self._progress.advance(0, f"preparing {self._planned[number].configuration}")
                self._attempt(number, self._prepare, imports[number])
            for round_number, order in enumerate(generation.rounds):
                for index in order:
                    number = runnable[index]
                    if self._recorder.made(number, generation.number, round_number):
                        continue
                    if number in self._workers:
                        self._attempt(number, self._trial, generation.number, round_number)
                    self._progress.advance(1, str(self._planned[number].configuration))
            for number in list(self._workers):
                self._attempt(number, self._finish)
        finally:
            for worker in self._workers.values():
                worker.stop()

    def _started(self, planned: Planned) -> WorkerProcess:
        files = [*([planned.file] if planned.file else []), *self._workload.files_of(planned.configuration.variant)]
        return WorkerProcess(planned.configuration.runtime, self._settings.memory_limit, files=files)

    def _is_unfinished(self, number: int, generation: Generation) -> bool:
        """Return whether trials of a configuration are missing in this generation."""
        rounds = range(len(generation.rounds))
        return not all(self._recorder.made(number, generation.number, round_number) for round_number in rounds)

    def _attempt(self, number: int, step: Callable[..., Any], *arguments: Any) -> Any:
        """Run a step of a worker; if it fails, stop the worker and record the reason."""
        try:
            return step(number, self._workers[number], *arguments)
        except WorkerFailed as cause:
            self._recorder.fail(number, cause.failure)
            self._workers.pop(number).stop()
            return None

    def _await_import(self, number: int, worker: WorkerProcess) -> Ready:  # noqa: ARG002
        return worker.wait_for(Ready, self._settings.timeout_s)

    def _prepare(self, number: int, worker: WorkerProcess, ready: Ready) -> None:
        planned = self._planned[number]
        prepared = worker.ask(*self._preparation(planned), self._settings.timeout_s)
        passes = self._recorder.passes.get(number)
        if passes is None:
            # fixed in the first generation, so that all trials of a configuration do the same work
            images = len(self._workload.indices)
            pass_ns = prepared.pass_ns * min(self._settings.resample or images, images) // images
            passes = passes_per_trial(pass_ns)
        self._recorder.prepared(number, self._process, ready, prepared, passes, worker.delegate())
        self._record_outputs(number, worker)

    def _preparation(self, planned: Planned) -> tuple[Prepare | PrepareGraph, type[Any]]:
        """Return the request that prepares a worker, and the type of its answer."""
        configuration, file = planned.configuration, planned.file or Path()
        if self._workload.graphs:
            return graph_request(self._workload, configuration, file, self._settings), GraphPrepared
        own = self._workload.input_of(configuration.variant)
        request = Prepare(
            configuration=configuration,
            file=file,
            images=own.pixels,
            rows=own.rows.tolist(),
            preprocessing=own.preprocessing,
            input_shape=None if own.input_shape is None else list(own.input_shape),
            threshold=own.score_threshold,
            class_of_output=own.class_of_output,
            stateful=self._settings.stateful,
        )
        return request, Prepared

    def _record_outputs(self, number: int, worker: WorkerProcess) -> None:
        """Record what a graph's outputs say; state that is kept would make them depend on the order of the trials."""
        process, settings = self._process, self._settings
        # after an interruption, the processes that are recorded may be any
        is_recorded = self._recorder.recorded(number) >= RECORDED_PROCESSES
        if not self._workload.graphs or settings.stateful or is_recorded:
            return
        variant = self._planned[number].configuration.variant
        self._recorder.outputs(
            record_outputs(worker, self._workload, number, variant, process, settings.timeout_s, self._progress)
        )

    def _trial(self, number: int, worker: WorkerProcess, generation: int, round_number: int) -> None:
        settings, image_positions = self._settings, None
        count, limit = len(self._workload.indices), self._planned[number].images
        if limit is not None:
            image_positions = np.arange(min(limit, count))
        elif settings.resample:
            image_positions = draw_for_trial(count, settings.resample, settings.seed, generation, round_number)
        request = Time(
            passes=self._recorder.passes[number],
            image_positions=None if image_positions is None else image_positions.tolist(),
        )
        with self._recorder.monitor() as readings:
            timed = worker.ask(request, Timed, self._settings.timeout_s)
        images = count if image_positions is None else len(image_positions)
        labels = 0 if self._workload.graphs else images  # what a graph returns is recorded apart from the trials
        if len(timed.labels) != labels or len(timed.latencies_ns) > images or len(timed.best) not in (0, 10 * labels):
            raise WorkerFailed(Failure(kind="failed", message="answered with labels of other images than those asked"))
        self._recorder.timed(number, generation, self._process, round_number, timed, readings, image_positions)

    def _finish(self, number: int, worker: WorkerProcess) -> None:
        self._recorder.finished(number, self._process, worker.finish(self._settings.timeout_s))
