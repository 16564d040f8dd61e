"""Measure changes again in the same night: old and new model interleaved, or the new state once more."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.nightly.confirming.both_models import OLD, both_models, why_not_together
from edge_bench.app.nightly.confirming.kept_bundles import kept_bundle
from edge_bench.app.nightly.judging.against_last import FAILS, LESS_ACCURATE
from edge_bench.app.nightly.judging.candidates import Candidate, time_ratio
from edge_bench.app.nightly.settings.reading import Model, folder_name
from edge_bench.app.nightly.work.outcome import EngineOutcome, Measurer, Request
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.analysis.times.compared_times import compare_times
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.stored.nights import result_of
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.night import Confirmation, ConfirmationKind, Finding, Rule
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.ratios import MATERIAL, Ratio, Verdict, ratio_from, verdict

__all__ = ["Confirmer"]

_WITHOUT = Confirmation(kind=ConfirmationKind.NONE)
_OFF = "measuring again is switched off (confirm = false)"
_REPLACED = "the bundle was replaced during the night"


@dataclass(frozen=True)
class Confirmer:
    """Confirms the changes of a model on an engine."""

    measurer: Measurer
    results: Path
    folder: Path  # for files of the second measurements
    slower: float  # smallest change that counts
    again: bool = True  # whether to measure again
    why_not: str = _OFF  # the reason if not

    def confirmed(self, candidates: Sequence[Candidate], model: Model, engine: str) -> list[Finding]:
        """Return the findings with their confirmations, and whether each is certain enough for a notification."""
        new_models = [each for each in candidates if each.finding.rule is Rule.NEW_MODEL]
        slowed = [each for each in candidates if each.finding.rule in (Rule.EARLY, Rule.HISTORY)]
        found = list[Finding]()
        for again, group in ((Confirmer._interleaved, new_models), (Confirmer._repeated, slowed)):
            if not group:
                continue
            try:
                found += again(self, group, model, engine)
            except Exception as cause:  # no change may be lost because of its second measurement
                without = replace(self, again=False, why_not=f"it failed: {type(cause).__name__}: {cause}")
                found += again(without, group, model, engine)
        for each in candidates:  # the same images give the same answer: nothing to measure again
            if each.finding.verdict in (LESS_ACCURATE, FAILS):
                found.append(msgspec.structs.replace(each.finding, reported=True))
        return found

    # -- the new state once more

    def _repeated(self, candidates: Sequence[Candidate], model: Model, engine: str) -> list[Finding]:
        if not any(each.finding.verdict == Verdict.SLOWER for each in candidates):
            return [each.finding for each in candidates]  # faster: noted, not reported
        if not self.again:
            without = msgspec.structs.replace(_WITHOUT, reason=self.why_not)
            return [_judged(each.finding, without) for each in candidates]
        outcome = self._measure(model, engine, "again", _variants(candidates))
        return [_judged(each.finding, self._repetition(each, outcome)) for each in candidates]

    def _repetition(self, candidate: Candidate, outcome: EngineOutcome) -> Confirmation:
        """Return how the repeated measurement compares with the nights before the change."""
        level = _level(outcome.run, candidate.finding) if outcome.run else None
        if level is None or not candidate.logs_before:
            return msgspec.structs.replace(_WITHOUT, reason=outcome.reason or "it has no times of this configuration")
        if outcome.run and candidate.new and outcome.run.bundle.sha256 != candidate.new.measured.description.bundle:
            return msgspec.structs.replace(_WITHOUT, reason=_REPLACED)
        ratio = _against_nights(level, candidate.logs_before)
        up = candidate.finding.verdict == Verdict.SLOWER
        limit = 1 + max(self.slower, MATERIAL)
        return Confirmation(
            kind=ConfirmationKind.REPEATED,
            confirmed=ratio.value > limit if up else ratio.value < 1 / limit,
            ratio=time_ratio(ratio),
            run_id=outcome.run.run_id if outcome.run else "",
            run_file=outcome.path.name if outcome.path else "",
        )

    # -- old and new together

    def _interleaved(self, candidates: Sequence[Candidate], model: Model, engine: str) -> list[Finding]:
        outcome = self._measure_together(candidates, model, engine)
        found = []
        for each in candidates:
            confirmation, slower = self._comparison(each.finding, outcome)
            reported = slower if confirmation.kind is ConfirmationKind.INTERLEAVED else False
            found.append(msgspec.structs.replace(each.finding, confirmation=confirmation, reported=reported))
        return found

    def _measure_together(self, candidates: Sequence[Candidate], model: Model, engine: str) -> EngineOutcome | str:
        """Return the outcome of a run with both models, or why there is none."""
        old_run, new_run = candidates[0].old, candidates[0].new
        if model.bundle is None or old_run is None:
            return "model files have no bundle, so the old ones are not kept"
        if not self.again:
            return self.why_not
        old = kept_bundle(old_run.run.bundle.sha256, self.results)
        if old is None:
            return "the old bundle is no longer kept, or was altered"
        names = sorted({each.finding.configuration.variant for each in candidates})
        try:
            new = Bundle.open(model.bundle)
            replaced = new_run is not None and new.digest != new_run.measured.description.bundle
            if reason := _REPLACED if replaced else why_not_together(new, old, names):
                return reason
            folder = both_models(new, old, names, self._folder(model, engine, "both") / "bundle")
        except (OSError, EdgeBenchError) as cause:
            return str(cause)
        together = Model(model.name, folder, (), ())
        return self._measure(together, engine, "both", [*names, *(f"{OLD}{name}" for name in names)])

    def _comparison(self, finding: Finding, outcome: EngineOutcome | str) -> tuple[Confirmation, bool]:
        """Return the confirmation, and whether the new model is slower beyond the limit."""
        if isinstance(outcome, str) or outcome.run is None:
            reason = outcome if isinstance(outcome, str) else outcome.reason
            return msgspec.structs.replace(_WITHOUT, reason=reason), False
        run, configuration = outcome.run, finding.configuration
        old = msgspec.structs.replace(configuration, variant=f"{OLD}{configuration.variant}")
        sides = result_of(run, configuration), result_of(run, old)
        if sides[0] is None or sides[1] is None:
            return msgspec.structs.replace(_WITHOUT, reason="one of both could not be measured"), False
        ratio = compare_times(RunResult(run, sides[0]), RunResult(run, sides[1])).ratio
        if ratio is None or ratio.interval is None:
            return msgspec.structs.replace(_WITHOUT, reason="one process, so no interval"), False
        slower = verdict(ratio) is Verdict.SLOWER and ratio.value > 1 + self.slower
        decided = True if slower else False if verdict(ratio) in (Verdict.SAME, Verdict.FASTER) else None
        confirmation = Confirmation(
            kind=ConfirmationKind.INTERLEAVED,
            confirmed=decided,
            ratio=time_ratio(ratio),
            run_id=run.run_id,
            run_file=outcome.path.name if outcome.path else "",
        )
        return confirmation, slower

    def _folder(self, model: Model, engine: str, name: str) -> Path:
        return self.folder / folder_name(model.name) / folder_name(engine) / name

    def _measure(self, model: Model, engine: str, name: str, variants: Iterable[str]) -> EngineOutcome:
        chosen = ",".join(dict.fromkeys(variants)) if model.bundle else ""
        request = Request(model, [engine], self._folder(model, engine, name), chosen)
        return self.measurer.measure(request)[0]


def _variants(candidates: Sequence[Candidate]) -> list[str]:
    return sorted({each.finding.configuration.variant for each in candidates})


def _level(run: Run, finding: Finding) -> float | None:
    """Return the logarithm of the time of a configuration in a Run."""
    found = [each for each in history([run]) if each.configuration == finding.configuration]
    return math.log(found[0].points[0].median) if found else None


def _against_nights(level: float, before: Sequence[float]) -> Ratio:
    """Return the ratio of one more measurement to nights, with the interval of Student's t for one more value."""
    values = np.array(before)
    if len(values) < 2:
        return ratio_from(level - float(values.mean()), None, None)
    error = float(values.std(ddof=1)) * math.sqrt(1 + 1 / len(values))
    return ratio_from(level - float(values.mean()), error, len(values) - 1)


def _judged(finding: Finding, confirmation: Confirmation) -> Finding:
    """Return the finding with its confirmation. Slower is reported unless the repetition is not slower."""
    reported = finding.verdict == Verdict.SLOWER and confirmation.confirmed is not False
    return msgspec.structs.replace(finding, confirmation=confirmation, reported=reported)
