"""One night: measure all models on all engines, find changes, measure these again, notify, and tidy up.

The record is written after each step. A night that was interrupted is continued by the next command, or closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from edge_bench.app.nightly.confirming.kept_bundles import keep_bundle, remove_others
from edge_bench.app.nightly.judge import NightJudge
from edge_bench.app.nightly.notify.send import send, send_again
from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.settings.reading import THIS_MACHINE, Model, NightlySettings
from edge_bench.app.nightly.upkeep.disk import disk_warning
from edge_bench.app.nightly.upkeep.retention import retention_notes
from edge_bench.app.nightly.upkeep.space import require_space
from edge_bench.app.nightly.work.clock import Clock, clock_notes, hours_since
from edge_bench.app.nightly.work.closing import closed, with_staged_runs
from edge_bench.app.nightly.work.measurements import with_outcome, with_repetitions
from edge_bench.app.nightly.work.outcome import Measurer, Request
from edge_bench.app.nightly.work.staging import publish, remove_staging, runs_folder
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.files import (
    missing_records,
    night_files,
    read_all_nights,
    read_recent_nights,
    write_night,
)
from edge_bench.bench.records.nights.night import Measurement, MeasurementState, Night, NightState
from edge_bench.bench.version import __version__
from edge_bench.bench.wording import counted

__all__ = ["NightJob"]

#: An interrupted night is continued within this time, otherwise closed: its times would be of two nights.
_CONTINUE_HOURS = 12.0
#: Nights that are read: those that are compared, and older ones for engines that have long been silent.
_READ_NIGHTS = 400


@dataclass
class NightJob:
    """The work of one night. The caller holds the lock of the results."""

    settings: NightlySettings
    measurer: Measurer
    progress: Progress
    clock: Clock = field(default_factory=Clock)
    resent: list[Night] = field(default_factory=list)  # earlier nights whose notification was tried again

    def run(self) -> Night:
        """Return the night after all steps. Raise ResultsError if there is no space for it.

        An interruption leaves a record that the next command continues.
        """
        notes = [*self._read(), *self._require_space()]
        if not self._resumes():
            self._begin(notes)
        self._send_again()
        return self._work()

    def resume(self) -> Night | None:
        """Continue an interrupted night, as `run` does, but begin none. Return None if there is none to continue."""
        self._read()
        if not self.interrupted:
            return None
        self._require_space()
        resumes = self._resumes()
        self._send_again()
        return self._work() if resumes else None

    def _work(self) -> Night:
        self._measure()
        self._judge()
        self._finish()
        return self.night

    # -- begin, continue, close

    def _read(self) -> list[str]:
        """Read the nights so far; return notes about their files."""
        nights, notes = read_recent_nights(self.settings.results, _READ_NIGHTS)
        self.interrupted = nights[-1] if nights and nights[-1].state is NightState.RUNNING else None
        self.earlier = [night for night in nights if night.state is not NightState.RUNNING]
        return notes

    def _require_space(self) -> list[str]:
        """Make space for a night if necessary. Return notes on that, or raise DiskFull."""
        notes = require_space(self.settings, self.earlier, self.clock.now())
        for note in notes:
            self.progress.say(note)
        return notes

    def _send_again(self) -> None:
        self.resent = send_again(self.earlier, self.settings.notify, self.settings.results)

    def _resumes(self) -> bool:
        """Continue an interrupted night, or close it. Return whether one is continued."""
        if self.interrupted and self._can_continue(self.interrupted):
            self._continue(self.interrupted)
            return True
        if self.interrupted:
            self.earlier.append(self._close(self.interrupted))
        return False

    def _begin(self, notes: Sequence[str]) -> None:
        number = self.earlier[-1].number + 1 if self.earlier else 1
        number, gone = max(number, self._next_number()), missing_records(self.settings.results)
        night = Night(
            number=number,
            began=self.clock.text(),
            boot_id=self.clock.boot_id(),
            began_uptime_s=max(0.0, self.clock.uptime()),
            tool_version=__version__,
            settings_sha256=self.settings.sha256,
            measurements=[
                Measurement(model=model.name, engine=engine)
                for model in self.settings.models
                for engine in self.settings.engine_names(model)
            ],
        )
        self.night = night
        missing = [] if not gone or any(gone in each.notes for each in self.earlier) else [gone]
        self._update(notes=[*notes, *missing, *clock_notes(night, self.earlier)])
        for note in self.night.notes:
            self.progress.say(f"! {note}")

    def _next_number(self) -> int:
        """Return a number above those of all files, also of damaged ones."""
        return max(night_files(self.settings.results), default=0) + 1

    def _can_continue(self, night: Night) -> bool:
        return night.settings_sha256 == self.settings.sha256 and hours_since(night, self.clock) < _CONTINUE_HOURS

    def _continue(self, night: Night) -> None:
        self.night = night
        self._update(resumed=night.resumed + 1)
        self.progress.say(f"continuing night {night.number}, which was interrupted")

    def _close(self, night: Night) -> Night:
        """Close an interrupted night that cannot be continued: its finished Runs are kept."""
        self.night, results = with_staged_runs(night, self.settings.results), self.settings.results
        self._update()  # a Run is in the record before it is moved
        publish(self.night, results)
        self.night = closed(self.night, results, self.clock.text())
        self._update()
        remove_staging(results)
        works = self.night.measurements
        kept = counted(sum(each.state is MeasurementState.DELIVERED for each in works), "Run")
        self.progress.say(f"night {night.number} was interrupted and is closed: {kept} of {len(works)} kept")
        return self.night

    def _update(self, **changes: object) -> None:
        self.night = msgspec.structs.replace(self.night, **changes)
        write_night(self.night, self.settings.results)

    # -- measure

    def _request(self, model: Model, engines: Sequence[str], repeat: int = 0) -> Request:
        return Request(model, engines, runs_folder(self.settings.results, self.night.number, model.name, repeat))

    def _measure(self) -> None:
        """Measure what is missing, and move the Runs into the results folder."""
        for model in self.settings.models:
            waiting = [
                each.engine
                for each in self.night.measurements
                if each.model == model.name and each.state is MeasurementState.WAITING
            ]
            if model.bundle and waiting:
                self._keep(model)
            # this machine first: it has to be quiet, and sending images and bundles is work
            for engines in ([e for e in waiting if e == THIS_MACHINE], [e for e in waiting if e != THIS_MACHINE]):
                if engines:
                    self.progress.say(f"night {self.night.number}: {model.name} on {', '.join(engines)}")
                    for outcome in self.measurer.measure(self._request(model, engines)):
                        works = with_outcome(self.night.measurements, model.name, outcome)
                        self.night = msgspec.structs.replace(self.night, measurements=works)
                    self._update()
                    publish(self.night, self.settings.results)
        for repeat in range(1, self.settings.options.runs_per_night):
            for model in self.settings.models:
                self._measure_more(model, repeat)
        publish(self.night, self.settings.results)

    def _measure_more(self, model: Model, repeat: int) -> None:
        """Measure a model once more on the engines that delivered. A failure leaves fewer Runs."""
        waiting = [
            each.engine
            for each in self.night.measurements
            if each.model == model.name and each.state is MeasurementState.DELIVERED and each.repeats < repeat
        ]
        for engines in ([e for e in waiting if e == THIS_MACHINE], [e for e in waiting if e != THIS_MACHINE]):
            if engines:
                self.progress.say(f"night {self.night.number}, again: {model.name} on {', '.join(engines)}")
                outcomes = self.measurer.measure(self._request(model, engines, repeat))
                works, notes = with_repetitions(self.night.measurements, model.name, outcomes)
                self._update(measurements=works)
                for note in notes:
                    self._note(note)
                publish(self.night, self.settings.results)

    def _keep(self, model: Model) -> None:
        try:
            if model.bundle:
                keep_bundle(Bundle.open(model.bundle), self.settings.results)
        except (OSError, EdgeBenchError) as cause:
            self._note(f"{model.name}: the bundle could not be kept for later comparisons: {cause}")

    def _note(self, text: str) -> None:
        text = as_keys(text)
        if text not in self.night.notes:  # else it was written before an interruption, or of another Run
            self.progress.say(f"! {text}")
            self._update(notes=[*self.night.notes, text])

    # -- judge

    def _judge(self) -> None:
        """Find the changes and measure them again. After an interruption, all of this is done again."""
        if self.night.judged:
            return
        self.night = NightJudge(self.settings, self.measurer, self.progress, self.earlier, self.night).judged()
        warning, free = disk_warning(self.settings.results, self.earlier)
        self._update(warnings=[warning] if warning else [], free_bytes=free, judged=True)
        publish(self.night, self.settings.results)

    # -- finish

    def _finish(self) -> None:
        results = self.settings.results
        self.night = send(self.night, self.settings.notify, results)
        notes = retention_notes(self.settings, read_all_nights(results), self.clock.now())
        self._update(state=NightState.DONE, ended=self.clock.text(), notes=[*self.night.notes, *notes])
        remove_staging(results)
        remove_others(self._used_bundles(), results)

    def _used_bundles(self) -> set[str]:
        """Return the checksums of the last two bundles of each model."""
        used = set[str]()
        for model in self.settings.models:
            digests = [
                each.bundle_sha256
                for night in [*self.earlier, self.night]
                for each in night.measurements
                if each.model == model.name and each.bundle_sha256
            ]
            used |= set(list(dict.fromkeys(reversed(digests)))[:2])
        return used
