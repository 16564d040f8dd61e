"""Collects what workers say, trial by trial, and makes the Run of it at any moment."""

import contextlib
import datetime
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bench.codec import pack
from bench.machine import describe_machine
from bench.plan import Planned
from bench.protocol import Finished, Prepared, Ready, Timed
from bench.results import Failure, Images, ProcessRecord, Result, Run, Settings, Trial
from bench.stats import drifts, outliers, spread_warning
from bench.subject import Subject, pixel_checksums
from bench.telemetry import MachineState, Sensors, throttling
from bench.trust import machine_findings, trial_findings, trusted
from bench.version import __version__, revision

__all__ = ["Recorder", "Watched"]

_SHORT_TRIAL_SECONDS = 0.1


@dataclass
class Watched:
    """The machine around one trial, and what this process itself used meanwhile."""

    before: MachineState
    own_ns: int
    after: MachineState = field(default_factory=MachineState)

    def passed(self, name: str) -> int | None:
        """How far a counter came; None where the machine has none."""
        first, last = getattr(self.before, name), getattr(self.after, name)
        return None if first is None or last is None else max(0, last - first)

    def others_ns(self, worker_ns: int) -> int | None:
        """Processor time that was neither the worker's nor this process's."""
        busy = self.passed("busy_ns")
        return None if busy is None else max(0, busy - worker_ns - self.own_ns)


class Recorder:
    """All that has been measured so far, by the number of the configuration in the plan."""

    def __init__(self, subject: Subject, planned: Sequence[Planned], settings: Settings) -> None:
        self._subject, self._planned, self._settings = subject, planned, settings
        self._count = len(subject.indices)
        # -1 is nobody's label, so where the truth is not known nothing is right
        self._truth = np.full(self._count, -1) if subject.labels is None else subject.labels
        self._began_ns, self._began = time.perf_counter_ns(), utc_now()
        self._machine = describe_machine()
        self._findings = machine_findings(self._machine)
        self._sensors = Sensors(emulated=self._machine.emulated)
        self._state = self._sensors.read()
        self._delegates: dict[int, str] = {}
        self._failures: dict[int, Failure] = {
            number: item.failure for number, item in enumerate(planned) if item.failure
        }
        self._processes: dict[int, dict[int, ProcessRecord]] = defaultdict(dict)
        self._trials: dict[int, list[Trial]] = defaultdict(list)
        self._predictions: dict[int, npt.NDArray[np.int64]] = {}
        self._unstable: dict[int, npt.NDArray[np.bool_]] = {}
        self._in_top: dict[int, npt.NDArray[np.uint8]] = {}
        self._chunks: dict[int, int] = {}
        self._place = 0
        self.passes: dict[int, int] = {}  # passes a trial
        self.interrupted = False
        self._checksums = pack(pixel_checksums(subject))

    def failed(self, number: int) -> bool:
        """Whether a configuration has failed."""
        return number in self._failures

    def fail(self, number: int, failure: Failure) -> None:
        """A configuration has failed; the trials it has made stay."""
        self._failures[number] = failure

    def prepared(self, number: int, generation: int, ready: Ready, prepared: Prepared, delegate: str = "") -> None:
        """A worker is warm."""
        self._delegates[number] = delegate
        self._chunks[number] = prepared.chunks
        self._processes[number][generation] = ProcessRecord(
            index=generation,
            import_ns=ready.import_ns,
            load_ns=prepared.load_ns,
            first_ns=prepared.first_ns,
            warm_up_ns=prepared.warm_up_ns,
            warm_up_invocations=prepared.warm_up_invocations,
            memory_before_bytes=prepared.memory_before_bytes,
            memory_peak_bytes=0,
        )

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watched]:
        """Reads the sensors before and after a trial; the caller sleeps in between."""
        watched = Watched(before=self._sensors.read(), own_ns=time.process_time_ns())
        yield watched
        watched.own_ns = time.process_time_ns() - watched.own_ns
        watched.after = self._sensors.read()

    def timed(
        self,
        number: int,
        generation: int,
        round_number: int,
        timed: Timed,
        watched: Watched,
        places: npt.NDArray[np.int64] | None = None,
    ) -> None:
        """A trial was made, over all images or those at ``places``."""
        labels, count = np.array(timed.labels, dtype=np.int64), self._count
        where = np.arange(count) if places is None else places
        first = self._predictions.setdefault(number, np.full(count, -1, dtype=np.int64))
        unstable = self._unstable.setdefault(number, np.zeros(count, dtype=np.bool_))
        unstable[where] |= (first[where] >= 0) & (first[where] != labels)
        if timed.best:
            best = np.frombuffer(timed.best, "<u2").reshape(len(where), -1)
            among = (best == self._truth[where][:, np.newaxis]).any(axis=1)
            in_top = self._in_top.setdefault(number, np.zeros(count, dtype=np.uint8))
            in_top[where] = np.where(first[where] >= 0, in_top[where], among)
        first[where] = np.where(first[where] >= 0, first[where], labels)
        self._trials[number].append(
            Trial(
                process=generation,
                round=round_number,
                place=self._place,
                began_ns=max(0, timed.began_ns - self._began_ns),
                elapsed_ns=timed.elapsed_ns,
                passes=self.passes[number],
                correct=int(np.count_nonzero(labels == self._truth[where])),
                latencies=pack(timed.latencies_ns),
                cpu_ns=timed.cpu_ns,
                others_ns=watched.others_ns(timed.cpu_ns),
                stolen_ns=watched.passed("stolen_ns"),
                temperature_c=watched.after.temperature_c,
                throttled=throttling(watched.before, watched.after),
                places=None if places is None else pack(places),
            )
        )
        self._place += 1

    def finished(self, number: int, generation: int, finished: Finished) -> None:
        """A worker has ended in good order."""
        record = self._processes[number][generation]
        self._processes[number][generation] = ProcessRecord(
            **{name: getattr(record, name) for name in record.__struct_fields__ if name != "memory_peak_bytes"},
            memory_peak_bytes=finished.memory_peak_bytes,
        )

    def run(self) -> Run:
        """Everything so far, as the record that is written."""
        subject = self._subject
        results = [self._result(number) for number in range(len(self._planned))]
        findings = self._findings + trial_findings(results, self._machine)
        return Run(
            run_id=uuid.uuid4().hex,
            began=self._began,
            ended=utc_now(),
            wall_seconds=round((time.perf_counter_ns() - self._began_ns) / 1e9, 3),
            complete=not self.interrupted,
            tool_version=__version__,
            tool_revision=revision(),
            machine=self._machine,
            bundle=subject.identity,
            preprocessing=subject.preprocessing,
            settings=self._settings,
            images=Images(
                indices=pack(subject.indices),
                labels=pack(np.zeros(0, np.int64) if subject.labels is None else subject.labels),
                of=subject.of,
                checksums=self._checksums,
                notes=list(subject.notes),
            ),
            results=results,
            findings=findings,
            trusted=trusted(findings, results, complete=not self.interrupted),
            state_before=self._state,
            state_after=self._sensors.read(),
        )

    def _result(self, number: int) -> Result:
        planned, trials = self._planned[number], self._trials[number]
        predictions = self._predictions.get(number, np.zeros(0, dtype=np.int64))
        unseen = np.flatnonzero(predictions < 0)
        return Result(
            configuration=planned.configuration,
            bytes=planned.variant.bytes,
            sha256=planned.variant.sha256,
            runtime_version=planned.runtime_version,
            processes=list(self._processes[number].values()),
            trials=trials,
            predictions=pack(np.maximum(predictions, 0)) if trials else None,
            unseen=pack(unseen) if len(unseen) else None,
            in_top_5=pack(self._in_top[number])
            if number in self._in_top and self._subject.labels is not None
            else None,
            unstable_predictions=int(self._unstable[number].sum()) if trials else 0,
            failure=self._failures.get(number),
            warnings=_warnings(trials, int(self._unstable[number].sum()) if trials else 0, self._chunks.get(number, 1)),
            delegate=self._delegates.get(number, ""),
        )


def _warnings(trials: Sequence[Trial], unstable: int, chunks: int) -> list[str]:
    """What is odd about a configuration's trials, in words."""
    seconds = [trial.pass_seconds for trial in trials]
    if not seconds:
        return []
    warnings = []
    if spread := spread_warning(seconds):
        warnings.append(f"{spread}; close other programs, or use more --trials")
    if strays := outliers(seconds):
        warnings.append(f"{len(strays)} outliers among {len(seconds)} trials; something interfered")
    if drifts(seconds):
        warnings.append("got slower towards the end by more than 5 %: heat, or a growing load")
    if min(trial.elapsed_ns for trial in trials) < _SHORT_TRIAL_SECONDS * 1e9:
        warnings.append("a trial took less than 100 ms; use a larger --limit")
    if chunks > 1:
        warnings.append(
            f"its inputs are too large to be kept in memory: each pass was timed in {chunks} parts, and inputs were "
            "prepared between them"
        )
    if unstable:
        warnings.append(
            f"{unstable} predictions differed between trials: the model or its runtime is not deterministic"
        )
    return warnings


def utc_now() -> str:
    """UTC, ISO 8601, whole seconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
