"""The Run made from journal entries, both during a run and after an interrupted one."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.sustained.bins import covered_seconds, is_finished
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.measure.energy.findings import energy_findings
from edge_bench.bench.measure.prediction_warnings import output_warnings, prediction_warnings, truth_warnings
from edge_bench.bench.measure.recording.trial_warnings import sustained_warnings, trial_warnings
from edge_bench.bench.measure.trust import trial_findings, trusted
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.journal.entries import (
    ConfigurationFailed,
    Entry,
    FinalistsChosen,
    FindingAdded,
    OutputsRecorded,
    PowerMeasured,
    ProcessFinished,
    ProcessStarted,
    ProfileMade,
    RunStarted,
    TrialMade,
)
from edge_bench.bench.records.journal.journal import JOURNAL, read_journal
from edge_bench.bench.records.outputs.union import TaskOutputs
from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.run import CLASSIFY, UNCLASSIFIED, UNSEEN, Failure, ProcessRecord, Result, Run, Trial
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.records.run_validation import check_run
from edge_bench.bench.runtimes.scores import UNCLASSIFIED_LABEL
from edge_bench.bench.system.machine import Finding

__all__ = ["RunBuilder", "read_run_or_journal"]


class RunBuilder:
    """The state of a run after its entries so far, by the number of the configuration in the plan."""

    def __init__(self, begun: Run) -> None:
        self.begun = begun
        self._count = begun.images.indices.length
        self._failures: dict[int, Failure] = {
            number: result.failure for number, result in enumerate(begun.results) if result.failure
        }
        self._processes: dict[int, dict[int, ProcessRecord]] = defaultdict(dict)
        self._trials: dict[int, list[Trial]] = defaultdict(list)
        self._first_round: dict[int, list[Trial]] = defaultdict(list)
        self.finalists: list[int] | None = None  # None: no --find-fastest, or not chosen yet
        self._predictions: dict[int, npt.NDArray[np.int64]] = {}
        self._unstable: dict[int, npt.NDArray[np.bool_]] = {}
        self._in_top_5: dict[int, npt.NDArray[np.uint8]] = {}
        self._delegates: dict[int, str] = {}
        self._chunks: dict[int, int] = {}
        self._dropped: dict[int, float] = defaultdict(float)  # seconds of interrupted sustained loads
        self._delegations: dict[int, list[Delegation]] = {}
        self._session_warnings: dict[int, list[str]] = {}
        self._tied: dict[int, int] = defaultdict(int)
        self._outside_unit: set[int] = set()
        self._outputs: dict[int, OutputsRecorded] = {}  # of the first process
        self._recorded: defaultdict[int, set[int]] = defaultdict(set)  # processes
        self._profiles: dict[int, ProfileMade] = {}
        self._findings: list[Finding] = []
        self.power: MeteredPower | None = None
        self._finished: set[tuple[int, int, int]] = set()
        self.passes: dict[int, int] = {}  # per trial
        self.trials = 0  # finished, of all configurations
        self.ended_ns = 0  # end of the last trial, since the start of the run

    def apply(self, entry: Entry) -> None:
        """Apply an entry; raise ValueError if it does not belong to this run."""
        match entry:
            case ProcessStarted(number=number, record=record):
                if self.begun.settings.sustained:
                    self._start_again(number)
                self._delegates[number], self._chunks[number] = entry.delegate, entry.chunks
                self._session_warnings[number], self._delegations[number] = entry.warnings, entry.delegations
                self.passes[number] = entry.passes
                self._processes[number][record.index] = record
            case TrialMade():
                self._apply_trial(entry)
            case OutputsRecorded():
                self._apply_outputs(entry)
            case ProcessFinished(number=number, process=process):
                self._processes[number][process] = msgspec.structs.replace(
                    self._processes[number][process], memory_peak_bytes=entry.memory_peak_bytes
                )
            case ConfigurationFailed(number=number, failure=failure):
                self._failures[number] = failure
            case ProfileMade(number=number):
                self._profiles[number] = entry
            case FinalistsChosen(numbers=numbers):
                if max(numbers, default=0) >= len(self.begun.results):
                    raise ValueError("a finalist that is no configuration of the run")
                self.finalists = numbers
            case PowerMeasured(power=power):
                self.power = power
            case FindingAdded(finding=finding):
                self._findings.append(finding)
            case RunStarted():
                raise ValueError("the journal has a second start of the run")

    def apply_all(self, entries: Sequence[Entry], journal: Path) -> None:
        """Apply the entries of a journal; raise ResultsError if they are not consistent."""
        try:
            for entry in entries:
                self.apply(entry)
        except (ValueError, KeyError, IndexError) as cause:
            raise ResultsError(f"{journal}: inconsistent entries: {cause}", "delete it, then measure again") from None

    def failed(self, number: int) -> bool:
        """Return whether a configuration has failed."""
        return number in self._failures

    def made(self, number: int, generation: int, round_number: int) -> bool:
        """Return whether a trial of the schedule is finished."""
        return (number, generation, round_number) in self._finished

    def sustained_seconds(self, number: int) -> float:
        """Return for how long a configuration has been under sustained load."""
        return covered_seconds(self._trials[number])

    def is_sustained(self, number: int) -> bool:
        """Return whether a configuration has finished its sustained load."""
        load = self.begun.settings.sustained
        return load is not None and is_finished(self._trials[number], load.duration_s)

    def profiled(self, number: int) -> bool:
        """Return whether a configuration was profiled, or could not be."""
        return number in self._profiles

    def recorded(self, number: int) -> int:
        """Return the number of processes of a configuration whose outputs are recorded."""
        return len(self._recorded[number])

    def process_for(self, generation: int, planned: int, numbers: Sequence[int]) -> int:
        """Return the index for fresh worker processes of configurations: the generation's, or a new one if it is used.

        planned: the number of processes that the schedule has for each configuration
        """
        used = {index for number in numbers for index in self._processes[number]}
        return generation if generation not in used else max(used | {planned - 1}) + 1

    def _start_again(self, number: int) -> None:
        """Drop the trials of an interrupted sustained load, as the machine has cooled down since then."""
        self._dropped[number] += self.sustained_seconds(number)
        self._trials[number], self._processes[number] = [], {}
        self._finished = {each for each in self._finished if each[0] != number}

    def _apply_outputs(self, entry: OutputsRecorded) -> None:
        first = self._outputs.setdefault(entry.number, entry)
        checksums, others = unpack(first.checksums), unpack(entry.checksums)
        if len(checksums) != self._count or len(others) != self._count:
            raise ValueError(f"outputs of {len(others):,} examples instead of {self._count:,}")
        unstable = self._unstable.setdefault(entry.number, np.zeros(self._count, dtype=np.bool_))
        unstable |= checksums != others
        self._recorded[entry.number].add(entry.process)

    def _apply_trial(self, entry: TrialMade) -> None:
        if self.begun.task == CLASSIFY:
            self._apply_labels(entry)
        first = self.begun.settings.first_round
        is_first = first is not None and entry.generation < first.processes
        (self._first_round if is_first else self._trials)[entry.number].append(entry.trial)
        self._finished.add((entry.number, entry.generation, entry.trial.round))
        self.trials += 1
        self.ended_ns = max(self.ended_ns, entry.trial.began_ns + entry.trial.elapsed_ns)

    def _apply_labels(self, entry: TrialMade) -> None:
        number, trial, labels = entry.number, entry.trial, unpack(entry.labels).astype(np.int64)
        if trial.image_positions is None:
            positions = np.arange(self._count)
        else:
            positions = unpack(trial.image_positions).astype(np.int64)
        if len(labels) != len(positions) or (entry.in_top_5 is not None and entry.in_top_5.length != len(positions)):
            raise ValueError(f"{len(labels):,} labels for {len(positions):,} images")
        labels[labels == UNCLASSIFIED_LABEL] = UNCLASSIFIED
        first = self._predictions.setdefault(number, np.full(self._count, UNSEEN, dtype=np.int64))
        unstable = self._unstable.setdefault(number, np.zeros(self._count, dtype=np.bool_))
        seen = first[positions] != UNSEEN
        unstable[positions] |= seen & (first[positions] != labels)
        if entry.in_top_5 is not None:
            in_top_5 = self._in_top_5.setdefault(number, np.zeros(self._count, dtype=np.uint8))
            in_top_5[positions] = np.where(seen, in_top_5[positions], unpack(entry.in_top_5))
        first[positions] = np.where(seen, first[positions], labels)
        self._tied[number] = max(self._tied[number], entry.tied)
        if entry.outside_unit:
            self._outside_unit.add(number)

    def run(self, *, complete: bool, ended: str = "", wall_seconds: float | None = None) -> Run:
        """Return the Run so far; ``wall_seconds`` defaults to the end of its last trial."""
        results = [self._result(number, result) for number, result in enumerate(self.begun.results)]
        sustained = self.begun.settings.sustained is not None
        findings = self.begun.findings + self._findings
        findings += trial_findings(results, self.begun.machine, sustained=sustained)
        findings += energy_findings(self.power, results)
        return msgspec.structs.replace(
            self.begun,
            ended=ended,
            wall_seconds=round(self.ended_ns / 1e9, 3) if wall_seconds is None else wall_seconds,
            complete=complete,
            results=results,
            finalists=self.finalists,
            findings=findings,
            power=self.power,
            trusted=trusted(findings, results, complete=complete),
        )

    def _result(self, number: int, planned: Result) -> Result:
        trials = self._trials[number]
        predictions = self._predictions.get(number, np.zeros(0, dtype=np.int64))
        unseen, unclassified = np.flatnonzero(predictions == UNSEEN), np.flatnonzero(predictions == UNCLASSIFIED)
        unstable = int(self._unstable[number].sum()) if number in self._unstable else 0
        first_round = self._first_round[number]
        is_classified = bool(trials or first_round) and self.begun.task == CLASSIFY
        recorded, profiled = self._outputs.get(number), self._profiles.get(number)
        return msgspec.structs.replace(
            planned,
            processes=list(self._processes[number].values()),
            trials=trials,
            first_round=first_round,
            predictions=pack(np.maximum(predictions, 0)) if is_classified else None,
            unseen_positions=pack(unseen) if len(unseen) else None,
            unclassified_positions=pack(unclassified) if len(unclassified) else None,
            tied_images=self._tied[number],
            in_top_5=pack(self._in_top_5[number]) if number in self._in_top_5 else None,
            unstable_predictions=unstable,
            failure=self._failures.get(number),
            warnings=[
                *self._trial_warnings(number, trials, unstable),
                *self._session_warnings.get(number, []),
                *(self._prediction_warnings(number, predictions) if is_classified else []),
                *(self._output_warnings(recorded.outputs) if recorded is not None else []),
                *([profiled.problem] if profiled is not None and profiled.problem else []),
            ],
            delegate=self._delegates.get(number, ""),
            delegations=self._delegations.get(number, []),
            outputs=None if recorded is None else recorded.outputs,
            postprocess=None if recorded is None else recorded.postprocess,
            profile=None if profiled is None else profiled.profile,
        )

    def _output_warnings(self, outputs: TaskOutputs) -> list[str]:
        is_scored = not self.begun.settings.stateful
        return output_warnings(outputs) + (truth_warnings(outputs, self.begun.truth) if is_scored else [])

    def _trial_warnings(self, number: int, trials: Sequence[Trial], unstable: int) -> list[str]:
        settings, chunks = self.begun.settings, self._chunks.get(number, 1)
        unstable = 0 if settings.stateful else unstable
        if settings.sustained:
            return sustained_warnings(trials, unstable, chunks, self._dropped[number])
        return trial_warnings(trials, unstable, chunks)

    def _prediction_warnings(self, number: int, predictions: npt.NDArray[np.int64]) -> list[str]:
        begun = self.begun
        is_scored = begun.labelled and not begun.settings.stateful
        truth = unpack(begun.images.labels).astype(np.int64) if is_scored else None
        warnings = prediction_warnings(
            predictions, truth, self._tied[number], begun.images_per_pass, begun.bundle.classes
        )
        if number in self._outside_unit and is_scored:
            warnings.append(
                "its scores are not probabilities, as some are outside 0 to 1, and the threshold 0.5 was used; set "
                "--threshold (0 for logits)"
            )
        return warnings


def read_run_or_journal(path: Path) -> Run:
    """Return the Run in a Run file, or an incomplete one from a journal; raise ResultsError if it is not valid."""
    if path.suffix != JOURNAL:
        return read_run(path)
    begun, entries = read_journal(path)
    builder = RunBuilder(begun)
    builder.apply_all(entries, path)
    try:
        run = builder.run(complete=False)
        check_run(run)
        return run
    except ValueError as cause:
        raise ResultsError(f"{path}: inconsistent entries: {cause}", "delete it, then measure again") from None
