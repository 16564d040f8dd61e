"""The recorder of a run: it turns messages of workers into journal entries, on disk before the next trial starts."""

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.interrupts import defer_interrupts
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.io.record_limits import readable
from edge_bench.bench.measure.recording.run_builder import RunBuilder
from edge_bench.bench.records.journal.entries import (
    ConfigurationFailed,
    Entry,
    FinalistsChosen,
    FindingAdded,
    ProcessFinished,
    ProcessStarted,
    TrialMade,
)
from edge_bench.bench.records.journal.journal import Journal
from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.run import CLASSIFY, Failure, ProcessRecord, Run, Trial
from edge_bench.bench.records.run_files import utc_now
from edge_bench.bench.system.concurrent_runs import ConcurrentRunDetector
from edge_bench.bench.system.cores import measured_cores
from edge_bench.bench.system.environment import concurrent_run_findings
from edge_bench.bench.system.power.meters import Meter
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.system.trial_monitor import TrialReadings, monitor_trial
from edge_bench.bench.worker.graphs.messages import GraphPrepared
from edge_bench.bench.worker.messages import Finished, Prepared, Ready, Timed

__all__ = ["JournalWriteError", "Recorder"]


class JournalWriteError(Exception):
    """The journal cannot be written, so the run must stop."""


class Recorder:
    """The events of a run, recorded in memory and, if there is a journal, on disk."""

    def __init__(
        self,
        begun: Run,
        workload: Workload,
        journal: Journal | None = None,
        earlier: Sequence[Entry] | None = None,
        concurrent: ConcurrentRunDetector | None = None,
    ) -> None:
        self._journal, self._concurrent, self._labels = journal, concurrent, workload.labels
        self._truth = np.full(len(workload.indices), -1) if workload.labels is None else workload.labels
        self._is_classified = begun.task == CLASSIFY
        self._has_threshold = workload.shared.threshold is not None
        self._sensors = Sensors(emulated=begun.machine.emulated, cores=measured_cores(begun.settings.cpus))
        self._builder = RunBuilder(begun)
        if journal is not None:
            self._builder.apply_all(earlier or (), journal.path)
        # the clock of a resumed run continues from its last trial, so that the pause does not count
        self._began_ns = time.perf_counter_ns() - self._builder.ended_ns
        self.started = False  # set by the runner
        self.meter: Meter | None = None
        self.interrupted = False
        self.stopped = ""

    @property
    def passes(self) -> dict[int, int]:
        """Passes per trial, by the number of the configuration."""
        return self._builder.passes

    @property
    def repeat(self) -> int:
        """Number of the run within its group of repeats, from 1; 0 if it is not repeated."""
        return self._builder.begun.repeat

    def failed(self, number: int) -> bool:
        """Return whether a configuration has failed."""
        return self._builder.failed(number)

    def made(self, number: int, generation: int, round_number: int) -> bool:
        """Return whether a trial of the schedule is finished, in this process or before ``--resume``."""
        return self._builder.made(number, generation, round_number)

    def process_for(self, generation: int, planned: int, numbers: Sequence[int]) -> int:
        """Return the index for the processes of these configurations in a generation."""
        return self._builder.process_for(generation, planned, numbers)

    def finalists(self, choose: Callable[[Run], list[int]]) -> list[int]:
        """Return the configurations of the second round. ``choose`` them from the Run so far, unless that is done."""
        if self._builder.finalists is None:
            self._record(FinalistsChosen(numbers=choose(self._builder.run(complete=False))))
        return self._builder.finalists or []

    def without_profile(self, numbers: Sequence[int]) -> list[int]:
        """Return which of these configurations are still to be profiled: not failed ones, nor those left out."""
        left = self._builder.finalists if self._builder.finalists is not None else numbers
        return [each for each in numbers if each in left and not self.failed(each) and not self._builder.profiled(each)]

    def recorded(self, number: int) -> int:
        """Return the number of processes of a configuration whose outputs are recorded."""
        return self._builder.recorded(number)

    @property
    def power(self) -> MeteredPower | None:
        """The power meter of this run, if one was found."""
        return self._builder.power

    def add(self, entry: Entry) -> None:
        """Record an entry that another module made."""
        self._record(entry)

    def fail(self, number: int, failure: Failure) -> None:
        """Record the failure of a configuration; its finished trials are kept."""
        self._record(ConfigurationFailed(number=number, failure=failure))

    def prepared(
        self,
        number: int,
        process: int,
        ready: Ready,
        prepared: Prepared | GraphPrepared,
        passes: int,
        delegate: str = "",
    ) -> None:
        """Record that a worker has finished its warm-up."""
        record = ProcessRecord(
            index=process,
            import_ns=ready.import_ns,
            load_ns=prepared.load_ns,
            first_inference_ns=prepared.first_inference_ns,
            warm_up_ns=prepared.warm_up_ns,
            warm_up_invocations=prepared.warm_up_invocations,
            memory_before_bytes=prepared.memory_before_bytes,
            memory_peak_bytes=0,
        )
        self._record(
            ProcessStarted(
                number=number,
                record=record,
                delegate=delegate,
                passes=passes,
                chunks=prepared.chunks,
                warnings=prepared.warnings,
                delegations=prepared.delegations,
            )
        )

    def monitor(self) -> AbstractContextManager[TrialReadings]:
        """Return a context manager that reads the sensors before and after a trial, and the power meter."""
        return monitor_trial(self._sensors, self.meter)

    def timed(
        self,
        number: int,
        generation: int,
        process: int,
        round_number: int,
        timed: Timed,
        readings: TrialReadings,
        image_positions: npt.NDArray[np.int64] | None = None,
    ) -> None:
        """Record a trial over all images, or over those at ``image_positions``, shape [images of the trial]."""
        self._check_concurrent_runs()
        labels = np.array(timed.labels, dtype=np.int64)
        truth = self._truth if image_positions is None else self._truth[image_positions]
        if not self._is_classified:  # outputs are recorded separately from the trials
            truth = truth[:0]
        in_top_5 = None
        if timed.best and self._labels is not None:
            best = np.frombuffer(timed.best, "<u2").reshape(len(truth), -1)
            in_top_5 = pack((best == truth[:, np.newaxis]).any(axis=1).astype(np.uint8))
        trial = Trial(
            process=process,
            round=round_number,
            sequence_number=self._builder.trials,
            began_ns=max(0, timed.began_ns - self._began_ns),
            elapsed_ns=timed.elapsed_ns,
            passes=self.passes[number],
            correct=int(np.count_nonzero(labels == truth)),
            latencies=pack(timed.latencies_ns),
            cpu_ns=timed.cpu_ns,
            other_cpu_ns=readings.other_cpu_ns(timed.cpu_ns),
            other_cores_cpu_ns=readings.passed("other_cores_ns"),
            steal_ns=readings.passed("steal_ns"),
            temperature_c=readings.after.temperature_c,
            clock_mhz=readings.after.frequency_high_mhz,
            throttled=readings.throttled,
            power_w=readings.power_w(timed.began_ns, timed.elapsed_ns),
            image_positions=None if image_positions is None else pack(image_positions),
        )
        self._record(
            TrialMade(
                number=number,
                generation=generation,
                trial=trial,
                labels=pack(labels),
                in_top_5=in_top_5,
                tied=timed.tied,
                outside_unit=timed.outside_unit and not self._has_threshold,
            )
        )

    def sustained_seconds(self, number: int) -> float:
        """Return for how long a configuration has been under sustained load, before ``--resume`` included."""
        return self._builder.sustained_seconds(number)

    def is_sustained(self, number: int) -> bool:
        """Return whether a configuration has finished its sustained load."""
        return self._builder.is_sustained(number)

    def finished(self, number: int, process: int, finished: Finished) -> None:
        """Record that a worker has ended normally."""
        self._record(ProcessFinished(number=number, process=process, memory_peak_bytes=finished.memory_peak_bytes))

    def run(self) -> Run:
        """Return the Run with everything recorded so far."""
        with contextlib.suppress(JournalWriteError):
            self._check_concurrent_runs()
        wall = self._builder.begun.wall_seconds + (time.perf_counter_ns() - self._began_ns) / 1e9
        run = self._builder.run(complete=not self.interrupted, ended=utc_now(), wall_seconds=round(wall, 3))
        run = msgspec.structs.replace(run, state_after=self._sensors.read(), stopped=self.stopped)
        with contextlib.suppress(ValueError):  # the Run's file is not written, and the error says why
            run = readable(run)
        return run

    def _check_concurrent_runs(self) -> None:
        for finding in concurrent_run_findings(self._concurrent.poll() if self._concurrent else ()):
            self._record(FindingAdded(finding=finding))

    def _record(self, entry: Entry) -> None:
        with defer_interrupts():  # a signal must not separate memory and disk
            self._builder.apply(entry)  # first, so that it is kept in memory if the disk is full
            if self._journal is None:
                return
            try:
                self._journal.append(entry)
            except (OSError, ValueError) as cause:
                reason = getattr(cause, "strerror", None) or cause
                raise JournalWriteError(f"{self._journal.path} could not be written: {reason}") from None
