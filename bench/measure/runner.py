"""The benchmark: fresh workers, interleaved rounds and the same images for every configuration.

Each generation starts one worker process per configuration; their imports overlap. Each worker then loads its model
and warms up alone. Then trials are measured one at a time, round by round. A worker that fails is reported with its
reason; the other configurations still run.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edge_bench.bench.dataset.sampling import draw_for_trial
from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.measure.duration.announcement import Announcement
from edge_bench.bench.measure.duration.remaining import Remaining
from edge_bench.bench.measure.duration.second_round import SecondRound
from edge_bench.bench.measure.energy.start import start_metering
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.profiling.after_trials import profile_all
from edge_bench.bench.measure.recording.recorder import JournalWriteError, Recorder
from edge_bench.bench.measure.recording.started_run import started_run
from edge_bench.bench.measure.rounds import (
    Group,
    choose_finalists,
    final_round,
    finalists_text,
    first_round,
    missing_trials,
    processes_of,
)
from edge_bench.bench.measure.schedule import Generation, passes_per_trial, trial_seconds
from edge_bench.bench.measure.sustained.load import sustain_all
from edge_bench.bench.measure.sustained.passes import require_short_pass
from edge_bench.bench.measure.workers.graph_outputs import RECORDED_PROCESSES, record_outputs
from edge_bench.bench.measure.workers.preparation import files_for, preparation
from edge_bench.bench.progress import Progress, Silent
from edge_bench.bench.records.journal.entries import Entry
from edge_bench.bench.records.journal.journal import Journal
from edge_bench.bench.records.run import Failure, Run, Settings
from edge_bench.bench.system.concurrent_runs import ConcurrentRunDetector
from edge_bench.bench.wording import counted
from edge_bench.bench.worker.messages import Ready, Time, Timed
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

    Raise KeyboardInterrupt if it comes before the measurement begins.

    With a ``journal`` every trial is on disk before the next one starts. The run stops if the journal can no longer be
    written. ``earlier`` has the entries of an interrupted run, which is continued. Runs detected by ``concurrent`` are
    recorded as findings.
    """
    begun = begun or started_run(workload, planned, settings)
    recorder = Recorder(begun, workload, journal, earlier, concurrent)
    runnable = [number for number, item in enumerate(planned) if item.failure is None]
    try:
        if runnable:
            recorder.meter = start_metering(begun, recorder.power, recorder.add, progress)
        _measure_rounds(workload, planned, settings, progress, recorder, runnable)
        if settings.profile:
            progress.finish()
            profile_all(workload, planned, settings, progress, recorder, recorder.without_profile(runnable))
    except KeyboardInterrupt:
        if not recorder.started:  # nothing is measured: only the journal is kept
            raise
        recorder.interrupted = True
    except JournalWriteError as cause:
        recorder.interrupted, recorder.stopped = True, str(cause)
    except OSError as cause:
        recorder.interrupted, recorder.stopped = True, f"a worker could not be started: {cause.strerror}"
    progress.finish(recorder.stopped or ("interrupted" if recorder.interrupted else ""))
    return recorder.run()


def _measure_rounds(
    workload: Workload,
    planned: Sequence[Planned],
    settings: Settings,
    progress: Progress,
    recorder: Recorder,
    runnable: Sequence[int],
) -> None:
    """Measure all configurations; with --find-fastest first briefly, then those that may be the fastest."""

    def measure(what: str, groups: Sequence[Group], more: SecondRound | None = None) -> None:
        missing = [missing_trials(group, recorder.made) for group in groups]
        remaining = Remaining({number: sum(each[number] for each in missing if number in each) for number in runnable},
                              sum(any(each.values()) for each in missing))  # fmt: skip
        planned_trials = sum(len(members) * len(generation.rounds) for members, generation in groups)
        progress.start(what, planned_trials, planned_trials - sum(sum(each.values()) for each in missing))
        progress.expect(None)  # unknown until the workers of the first generation are warm
        recorder.started = True
        announcement = Announcement(remaining, progress, "configuration", more)
        for members, generation in groups:
            workers = _Workers(workload, planned, settings, recorder, progress, remaining, announcement)
            workers.run(members, generation)

    def sustain(number: int) -> None:
        remaining = Remaining({number: 1}, 1)
        announcement = Announcement(remaining, Silent(), "configuration")
        _Workers(workload, planned, settings, recorder, progress, remaining, announcement).sustain(number)

    if settings.sustained is not None:
        sustain_all(runnable, planned, settings, settings.sustained, recorder, progress, sustain)
        return
    if settings.first_round is None:
        measure("measuring", final_round(runnable, settings, recorder.repeat))
        return
    groups = first_round(runnable, settings)
    if groups:
        measure("first round", groups, SecondRound(settings, len(runnable)))
        progress.finish()
    finalists = recorder.finalists(choose_finalists)
    if groups:
        progress.say(finalists_text(planned, finalists, len(runnable)))
    measure("second round" if groups else "measuring", final_round(finalists, settings, recorder.repeat))


class _Workers:
    """The running workers of a generation, by the number of their configuration."""

    def __init__(
        self,
        workload: Workload,
        planned: Sequence[Planned],
        settings: Settings,
        recorder: Recorder,
        progress: Progress,
        remaining: Remaining,
        announcement: Announcement,
    ) -> None:
        self._workload, self._planned, self._settings = workload, planned, settings
        self._recorder, self._progress, self._remaining = recorder, progress, remaining
        self._announcement = announcement
        self._workers: dict[int, WorkerProcess] = {}
        self._process = 0

    def run(self, runnable: Sequence[int], generation: Generation) -> None:
        """Start and prepare the workers, measure in the generation's order, and stop every worker."""
        missing = missing_trials((runnable, generation), self._recorder.made)
        unfinished = [number for number in runnable if missing[number]]
        self._process = self._recorder.process_for(generation.number, processes_of(self._settings), unfinished)
        try:
            self._start(unfinished)
            for round_number, order in enumerate(generation.rounds):
                for index in order:
                    number = runnable[index]
                    if self._recorder.made(number, generation.number, round_number):
                        continue
                    self._measure(number, generation.number, round_number)
            for number in list(self._workers):
                self._attempt(number, self._finish)
        finally:
            for worker in self._workers.values():
                worker.stop()

    def sustain(self, number: int) -> None:
        """Start one worker, and measure trials without a pause until the duration of the sustained load has passed."""
        load = self._settings.sustained
        seconds = load.duration_s if load else 0.0
        self._process, round_number, shown = self._recorder.process_for(0, 1, [number]), 0, 0
        try:
            self._start([number])
            began = time.monotonic()
            while number in self._workers and (elapsed := time.monotonic() - began) < seconds:
                self._progress.advance(int(elapsed) - shown, str(self._planned[number].configuration))
                shown = int(elapsed)
                self._attempt(number, self._trial, 0, round_number)
                round_number += 1
            self._progress.advance(max(1, round(seconds)) - shown, str(self._planned[number].configuration))
            self._attempt(number, self._finish)
        finally:
            for worker in self._workers.values():
                worker.stop()

    def _start(self, unfinished: Sequence[int]) -> None:
        """Start and prepare the workers of these configurations. The first time, print how long the run takes."""
        began, recording = time.monotonic(), 0.0
        wanted = [number for number in unfinished if not self._recorder.failed(number)]
        if wanted:
            self._progress.advance(0, f"starting {counted(len(wanted), 'worker')}")
        for number in wanted:
            with defer_interrupts():  # a worker that is not in the dictionary would not be stopped
                self._workers[number] = self._started(self._planned[number])
        imports = {number: self._attempt(number, self._await_import) for number in list(self._workers)}
        for position, number in enumerate(list(self._workers), 1):
            name = self._planned[number].configuration
            self._progress.advance(0, f"preparing {position} of {len(imports)}: {name}")
            self._attempt(number, self._prepare, imports[number])
            recording += self._attempt(number, self._record_outputs) or 0.0
        if wanted:
            self._announcement.started(time.monotonic() - began - recording)

    def _measure(self, number: int, generation: int, round_number: int) -> None:
        began = time.monotonic()
        if number in self._workers:
            self._attempt(number, self._trial, generation, round_number)
        is_made = number in self._workers
        self._announcement.trial(number, time.monotonic() - began if is_made else None)
        self._progress.advance(1, str(self._planned[number].configuration))

    def _started(self, planned: Planned) -> WorkerProcess:
        files = files_for(self._workload, planned)
        runtime, limit = planned.configuration.runtime, self._settings.memory_limit
        return WorkerProcess(runtime, limit, files=files, delegate=planned.delegate_file)

    def _attempt(self, number: int, step: Callable[..., Any], *arguments: Any) -> Any:
        """Run a step of a worker; if it fails, stop the worker and record the reason. Skip it if it has failed."""
        if number not in self._workers:
            return None
        try:
            return step(number, self._workers[number], *arguments)
        except WorkerFailed as cause:
            self._recorder.fail(number, cause.failure)
            self._workers.pop(number).stop()
            self._remaining.failed(number)
            return None

    def _await_import(self, number: int, worker: WorkerProcess) -> Ready:  # noqa: ARG002
        return worker.wait_for(Ready, self._settings.timeout_s)

    def _prepare(self, number: int, worker: WorkerProcess, ready: Ready) -> None:
        planned = self._planned[number]
        prepared = worker.ask(*preparation(self._workload, planned, self._settings), self._settings.timeout_s)
        passes = self._recorder.passes.get(number)
        # a trial may have fewer images than the warm-up's pass
        images = len(self._workload.indices)
        pass_ns = prepared.pass_ns * min(planned.images or self._settings.resample or images, images) // images
        require_short_pass(pass_ns / 1e9, self._settings.sustained)
        if passes is None:
            # fixed in the first generation, so that all trials of a configuration have the same number of passes
            passes = passes_per_trial(pass_ns, trial_seconds(self._settings))
        self._recorder.prepared(number, self._process, ready, prepared, passes, worker.delegate(prepared.delegations))
        self._remaining.prepared(number, pass_ns / 1e9, passes)

    def _record_outputs(self, number: int, worker: WorkerProcess) -> float:
        """Record a graph's outputs; return the seconds that it took.

        State kept between examples would make the outputs depend on the order of the trials.
        """
        process, settings, began = self._process, self._settings, time.monotonic()
        # after an interruption, any of the processes may be recorded
        is_recorded = self._recorder.recorded(number) >= RECORDED_PROCESSES
        if not self._workload.graphs or settings.stateful or is_recorded:
            return 0.0
        variant = self._planned[number].configuration.variant
        self._recorder.add(
            record_outputs(worker, self._workload, number, variant, process, settings.timeout_s, self._progress)
        )
        seconds = time.monotonic() - began
        left = max(0, min(settings.processes, RECORDED_PROCESSES) - 1 - process)
        self._remaining.recorded(number, seconds, left)
        return seconds

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
        labels = 0 if self._workload.graphs else images  # a graph's outputs are recorded separately from the trials
        if len(timed.labels) != labels or len(timed.latencies_ns) > images or len(timed.best) not in (0, 10 * labels):
            raise WorkerFailed(Failure(kind="failed", message="the worker returned labels of other images"))
        self._recorder.timed(number, generation, self._process, round_number, timed, readings, image_positions)

    def _finish(self, number: int, worker: WorkerProcess) -> None:
        self._recorder.finished(number, self._process, worker.finish(self._settings.timeout_s))
