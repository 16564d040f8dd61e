"""The benchmark: fresh workers, interleaved rounds, every configuration the same images; one Run comes out.

The flow, for each generation of worker processes: start one worker a configuration (their imports overlap), let
each load and warm up alone, then ask for one trial at a time, round by round. A worker that fails becomes a row
that says why; the rest goes on.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.manager import Worker, WorkerFailed
from bench.plan import Planned
from bench.progress import Progress
from bench.protocol import Prepare, Prepared, Ready, Time, Timed
from bench.recorder import Recorder
from bench.results import Run, Settings
from bench.sampling import draw_for_trial
from bench.schedule import Generation, schedule
from bench.subject import Subject

__all__ = ["run_benchmark"]

#: pyperf's minimum; a shorter pass is repeated within its trial.
TRIAL_NS = 100_000_000
_HEADROOM = 1.2  # a warm-up's estimate of a pass may be that much too long


def run_benchmark(subject: Subject, planned: Sequence[Planned], settings: Settings, progress: Progress) -> Run:
    """Measures every planned configuration; what was measured comes back, also after Ctrl-C (``complete`` is False)."""
    recorder = Recorder(subject, planned, settings)
    able = [number for number, item in enumerate(planned) if item.failure is None]
    progress.start("measuring", settings.trials * len(able))
    try:
        for generation in schedule(len(able), settings.trials, settings.processes, settings.seed):
            _Workers(subject, planned, settings, recorder, progress).run(able, generation)
    except KeyboardInterrupt:
        recorder.interrupted = True
    progress.finish("interrupted" if recorder.interrupted else "")
    return recorder.run()


class _Workers:
    """One generation: the living workers, by the number of their configuration."""

    def __init__(
        self,
        subject: Subject,
        planned: Sequence[Planned],
        settings: Settings,
        recorder: Recorder,
        progress: Progress,
    ) -> None:
        self._subject, self._planned, self._settings = subject, planned, settings
        self._recorder, self._progress = recorder, progress
        self._alive: dict[int, Worker] = {}

    def run(self, able: Sequence[int], generation: Generation) -> None:
        """Starts, prepares, measures in the generation's order, and leaves no process behind."""
        try:
            for number in able:
                if not self._recorder.failed(number):
                    self._alive[number] = Worker(self._planned[number].configuration.runtime)
            imports = {number: self._guarded(number, self._await_import) for number in list(self._alive)}
            for number in list(self._alive):
                self._progress.advance(0, f"preparing {self._planned[number].configuration}")
                self._guarded(number, self._prepare, generation.number, imports[number])
            for round_number, order in enumerate(generation.rounds):
                for place in order:
                    number = able[place]
                    if number in self._alive:
                        self._guarded(number, self._trial, generation.number, round_number)
                    self._progress.advance(1, str(self._planned[number].configuration))
            for number in list(self._alive):
                self._guarded(number, self._finish, generation.number)
        finally:
            for worker in self._alive.values():
                worker.stop()

    def _guarded(self, number: int, step: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a step of one worker; if it fails, the worker is stopped and its configuration has its reason."""
        try:
            return step(number, self._alive[number], *arguments)
        except WorkerFailed as cause:
            self._recorder.fail(number, cause.failure)
            self._alive.pop(number).stop()
            return None

    def _await_import(self, number: int, worker: Worker) -> Ready:  # noqa: ARG002
        return worker.wait_for(Ready, self._settings.timeout_s)

    def _prepare(self, number: int, worker: Worker, generation: int, ready: Ready) -> None:
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
        self._recorder.prepared(number, generation, ready, prepared, worker.delegate())
        if number not in self._recorder.passes:
            # fixed by the first generation, so that all trials of a configuration are the same work
            images = len(self._subject.indices)
            pass_ns = prepared.pass_ns * min(self._settings.resample or images, images) // images
            self._recorder.passes[number] = max(1, -int(-TRIAL_NS * _HEADROOM // max(pass_ns, 1)))

    def _trial(self, number: int, worker: Worker, generation: int, round_number: int) -> None:
        settings, places = self._settings, None
        count, share = len(self._subject.indices), self._planned[number].images
        if share is not None:
            places = np.arange(min(share, count))
        elif settings.resample:
            places = draw_for_trial(count, settings.resample, settings.seed, generation, round_number)
        request = Time(passes=self._recorder.passes[number], places=None if places is None else places.tolist())
        with self._recorder.watch() as watched:
            timed = worker.ask(request, Timed, self._settings.timeout_s)
        self._recorder.timed(number, generation, round_number, timed, watched, places)

    def _finish(self, number: int, worker: Worker, generation: int) -> None:
        self._recorder.finished(number, generation, worker.finish(self._settings.timeout_s))
