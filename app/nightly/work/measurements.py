"""Measurements of a night with what became known later: outcomes, further Runs, failures, and comparisons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.nightly.judging.series import levels_of
from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.work.outcome import EngineOutcome
from edge_bench.bench.records.nights.night import Measurement
from edge_bench.bench.records.settings.configuration import Configuration

__all__ = ["with_compared", "with_failed", "with_outcome", "with_repetitions"]


def with_outcome(measurements: Sequence[Measurement], model: str, outcome: EngineOutcome) -> list[Measurement]:
    """Return the measurements with what an engine delivered for a model."""
    run = outcome.run
    facts: dict[str, Any] = {} if run is None or outcome.path is None else {
        "run_id": run.run_id, "run_file": outcome.path.name, "bytes": outcome.path.stat().st_size,
        "machine": run.machine.label, "trusted": run.trusted, "levels": levels_of(run),
        "bundle_sha256": run.bundle.sha256,
    }  # fmt: skip
    made = Measurement(
        model=model, engine=outcome.engine, state=outcome.state, reason=as_keys(outcome.reason),
        remedy=as_keys(outcome.remedy), image=outcome.image, **facts,
    )  # fmt: skip
    return [made if (each.model, each.engine) == (model, outcome.engine) else each for each in measurements]


def with_repetitions(
    measurements: Sequence[Measurement], model: str, outcomes: Sequence[EngineOutcome]
) -> tuple[list[Measurement], list[str]]:
    """Return the measurements after a repetition on some engines, with the further Runs; and notes.

    All Runs of a night count as one, so a Run of other files than the first, which were replaced since, is left out.
    """
    first = {each.engine: each.bundle_sha256 for each in measurements if each.model == model}
    made, notes = dict[str, Path | None](), []
    for outcome in outcomes:
        replaced = outcome.run is not None and outcome.run.bundle.sha256 != first.get(outcome.engine)
        made[outcome.engine] = None if replaced else outcome.path
        if replaced:
            notes.append(f"{model} on {outcome.engine}: the model was replaced during the night; its Runs are left out")
    return [_with_run(each, made) if each.model == model else each for each in measurements], notes


def _with_run(each: Measurement, made: Mapping[str, Path | None]) -> Measurement:
    if each.engine not in made:
        return each
    path, repeats = made[each.engine], each.repeats + 1
    if path is None:
        return msgspec.structs.replace(each, repeats=repeats)
    size = each.bytes + path.stat().st_size
    return msgspec.structs.replace(each, repeats=repeats, more_runs=[*each.more_runs, path.name], bytes=size)


def with_failed(
    measurements: Sequence[Measurement], model: str, engine: str, failed: Sequence[Configuration]
) -> list[Measurement]:
    """Return the measurements. That of this model on this engine has the configurations without times."""
    return [
        msgspec.structs.replace(each, failed=list(failed)) if (each.model, each.engine) == (model, engine) else each
        for each in measurements
    ]


def with_compared(
    measurements: Sequence[Measurement], model: str, engine: str, nights: Mapping[Configuration, int]
) -> list[Measurement]:
    """Return the measurements, with the number of earlier nights that each configuration of one is compared with."""
    return [
        msgspec.structs.replace(
            each,
            levels=[
                msgspec.structs.replace(level, nights_before=nights.get(level.configuration)) for level in each.levels
            ],
        )
        if (each.model, each.engine) == (model, engine)
        else each
        for each in measurements
    ]
