"""All changes of a night: of each model on each engine, measured again, and engines and models without a Run."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from edge_bench.app.nightly.confirming.confirm import Confirmer
from edge_bench.app.nightly.judging.against_last import compared_with_last
from edge_bench.app.nightly.judging.candidates import Candidate, Place, all_series, candidates_of
from edge_bench.app.nightly.judging.series import NIGHTS, NightRun, NightRuns
from edge_bench.app.nightly.judging.without_run import failing_models
from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.settings.reading import Model, NightlySettings
from edge_bench.app.nightly.upkeep.silence import silent_engines
from edge_bench.app.nightly.work.measurements import with_compared, with_failed
from edge_bench.app.nightly.work.outcome import Measurer
from edge_bench.app.nightly.work.staging import staging_folder
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.nights.night import Finding, Night

__all__ = ["NightJudge"]


@dataclass
class NightJudge:
    """Compares a night with earlier ones. It writes no record, so that nothing is twice in it after an interruption."""

    settings: NightlySettings
    measurer: Measurer
    progress: Progress
    earlier: Sequence[Night]
    night: Night

    def judged(self) -> Night:
        """Return the night with its findings, which were measured again, its silent engines, and notes."""
        findings = list[Finding]()
        runs = NightRuns([*self.earlier[-NIGHTS:], self.night], self.settings.results)
        for model in self.settings.models:
            for engine in self.settings.engine_names(model):
                try:
                    findings += self._findings(model, engine, runs.of(model.name, engine))
                except Exception as cause:  # Runs come from other machines, and one engine must not stop the night
                    self._not_compared(f"{model.name} on {engine}:", cause)
        silent_after = self.settings.notify.silent_after
        return msgspec.structs.replace(
            self.night,
            findings=[*findings, *failing_models(self.night, self.earlier, silent_after)],
            silent=silent_engines(self.night, self.earlier, silent_after),
        )

    def _findings(self, model: Model, engine: str, entries: Sequence[NightRun]) -> list[Finding]:
        settings = self.settings
        if not entries or entries[-1].night != self.night.number:
            return []
        place = Place(model.name, engine, self.night.number, self.earlier[-NIGHTS:], settings.slower)
        failed = [each.configuration for each in entries[-1].run.expected_results if not each.trials]
        self._change(measurements=with_failed(self.night.measurements, model.name, engine, failed))
        candidates, notes = compared_with_last(entries, place, settings.gate.less_accurate)
        for note in notes:
            self._note(note)
        try:
            candidates += self._changes_of_time(entries, place)
        except Exception as cause:  # the other changes remain
            self._not_compared(f"{model.name} on {engine}: times", cause)
        confirmer = Confirmer(
            self.measurer, settings.results, staging_folder(settings.results, self.night.number) / "again",
            settings.slower, settings.gate.confirm,
        )  # fmt: skip
        return confirmer.confirmed(candidates, model, engine) if candidates else []

    def _changes_of_time(self, entries: Sequence[NightRun], place: Place) -> list[Candidate]:
        every = all_series(entries, place)
        nights = {series.configuration: len(series.points) - 1 for series in every}
        self._change(measurements=with_compared(self.night.measurements, place.model, place.engine, nights))
        return candidates_of(entries, place, every)

    def _not_compared(self, what: str, cause: Exception) -> None:
        self._note(f"{what} not compared: {type(cause).__name__}: {cause}")

    def _note(self, text: str) -> None:
        text = as_keys(text)
        self.progress.say(f"! {text}")
        if text not in self.night.notes:
            self._change(notes=[*self.night.notes, text])

    def _change(self, **changes: object) -> None:
        self.night = msgspec.structs.replace(self.night, **changes)
