"""Tonight's Run compared with that of the last night: accuracy, a new model, configurations that fail."""

from collections.abc import Sequence
from typing import Any

from edge_bench.app.nightly.judging.candidates import Candidate, Place, time_ratio
from edge_bench.app.nightly.judging.explain import changed_since
from edge_bench.app.nightly.judging.series import NightRun
from edge_bench.bench.analysis.gate.judgement import Change, Outcome
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.quality import judge_quality
from edge_bench.bench.analysis.gate.regression_gate import changes
from edge_bench.bench.analysis.times.machines import run_place
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.stored.nights import result_of
from edge_bench.bench.records.nights.night import Finding, Rule
from edge_bench.bench.records.run import Configuration

__all__ = ["FAILS", "LESS_ACCURATE", "compared_with_last"]

LESS_ACCURATE, FAILS = "less accurate", "fails"


def compared_with_last(
    entries: Sequence[NightRun], place: Place, less_accurate: float
) -> tuple[list[Candidate], list[str]]:
    """Return the changes from the last night to tonight, and notes on what could not be compared.

    Nights that were never compared are skipped: one that was interrupted and closed may already have the change.
    ``less_accurate`` is the largest drop in percentage points that is not a change.
    """
    if len(entries) < 2 or entries[-1].night != place.night:
        return [], []
    compared_nights = {night.number for night in place.earlier if night.judged}
    judged = (entry for entry in reversed(entries[:-1]) if entry.night in compared_nights)
    new, old = entries[-1], next(judged, entries[-2])
    found = _failures(new, old, place)
    try:
        compared = changes(pair_runs([new.run], [old.run], across=True))
    except BadInput as cause:
        return found, [f"{place.model} on {place.engine}: not compared with night {old.night}: {cause.problem}"]
    for change in compared:
        if change.failed:
            continue
        if (drop := _drop(change, new, old, place, less_accurate)) is not None:
            found.append(drop)
        if new.run.bundle.sha256 != old.run.bundle.sha256 and (slow := _new_model(change, new, old, place)):
            found.append(slow)
    return found, []


def _drop(change: Change, new: NightRun, old: NightRun, place: Place, less_accurate: float) -> Candidate | None:
    judgement, _ = judge_quality(change, less_accurate)
    if judgement.outcome is not Outcome.FAILED:
        return None
    interval = judgement.interval
    finding = _finding(
        change.configuration, new, old, place, LESS_ACCURATE, Rule.ACCURACY, points=judgement.value,
        points_low=interval.low if interval else None, points_high=interval.high if interval else None,
    )  # fmt: skip
    return Candidate(finding, (), new, old)


def _new_model(change: Change, new: NightRun, old: NightRun, place: Place) -> Candidate | None:
    """Return a slower model, to be confirmed: separate Runs cannot decide a few percent, an interleaved one can."""
    if change.ratio is None or change.ratio.value <= 1 + place.slower / 2:
        return None
    ratio = time_ratio(change.ratio)
    finding = _finding(change.configuration, new, old, place, "slower", Rule.NEW_MODEL, ratio=ratio)
    return Candidate(finding, (), new, old)


def _failures(new: NightRun, old: NightRun, place: Place) -> list[Candidate]:
    """Return the configurations that the last night measured and tonight could not."""
    failed = {each.configuration: each.failure for each in new.run.results if each.failure and not each.trials}
    return [
        Candidate(_finding(configuration, new, old, place, FAILS, Rule.FAILURE, reason=failure.message), (), new, old)
        for configuration, failure in failed.items()
        if result_of(old.run, configuration)
    ]


def _finding(
    configuration: Configuration, new: NightRun, old: NightRun, place: Place, verdict: str, rule: Rule, **fields: Any
) -> Finding:
    return Finding(
        model=place.model, engine=place.engine, machine=run_place(new.run), configuration=configuration,
        verdict=verdict, rule=rule, since_night=new.night, since=new.run.began, nights_before=1, nights_after=1,
        last_good_run=old.run.run_id, run_id=new.run.run_id,
        differences=changed_since(old.run, new.run, configuration), **fields,
    )  # fmt: skip
