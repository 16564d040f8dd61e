"""Close a night that was interrupted and cannot be continued: its finished Runs are kept.

Its models and engines are those of its record, because the settings may have changed since.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.nightly.settings.reading import Model
from edge_bench.app.nightly.work.measurements import with_outcome, with_repetitions
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.app.nightly.work.staging import keep_journals, runs_folder, staged_outcomes
from edge_bench.bench.records.nights.night import Measurement, MeasurementState, Night, NightState

__all__ = ["closed", "with_staged_runs"]

#: Of a model on an engine in a night, by the settings.
_MOST_RUNS = 20


def with_staged_runs(night: Night, results: Path) -> Night:
    """Return the night with the finished Runs in its staging folder that its record does not name yet."""
    measurements, notes = list(night.measurements), list(night.notes)
    for model in dict.fromkeys(each.model for each in night.measurements):
        waiting = [each for each in measurements if each.state is MeasurementState.WAITING]
        for outcome in _staged(model, waiting, runs_folder(results, night.number, model)):
            measurements = with_outcome(measurements, model, outcome)
        for repeat in range(1, _MOST_RUNS):
            delivered = [each for each in measurements if each.state is MeasurementState.DELIVERED]
            fewer = [each for each in delivered if each.repeats < repeat]
            outcomes = _staged(model, fewer, runs_folder(results, night.number, model, repeat))
            measurements, more = with_repetitions(measurements, model, outcomes)
            notes += more
    return msgspec.structs.replace(night, measurements=measurements, notes=notes)


def _staged(model: str, measurements: Sequence[Measurement], folder: Path) -> list[EngineOutcome]:
    """Return the Runs in a folder that are of these measurements of a model."""
    engines = [each.engine for each in measurements if each.model == model]
    return staged_outcomes(Request(Model(model, None, (), ()), engines, folder))


def closed(night: Night, results: Path, ended: str) -> Night:
    """Return the night as closed. The journals of its unfinished runs are kept."""
    measurements = [
        msgspec.structs.replace(each, reason="the night was interrupted")
        if each.state is MeasurementState.WAITING
        else each
        for each in night.measurements
    ]
    notes = [f"trials of an unfinished run are in {path}" for path in keep_journals(results, night.number)]
    return msgspec.structs.replace(
        night, state=NightState.INTERRUPTED, measurements=measurements, ended=ended, notes=[*night.notes, *notes]
    )
