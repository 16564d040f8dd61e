"""Measurements of a night with what became known later: further Runs, failures, and what they were compared with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.records.nights.night import Measurement
from edge_bench.bench.records.settings.configuration import Configuration

__all__ = ["with_compared", "with_failed", "with_run"]


def with_failed(
    measurements: Sequence[Measurement], model: str, engine: str, failed: Sequence[Configuration]
) -> list[Measurement]:
    """Return the measurements, with the configurations of one that have no times."""
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


def with_run(each: Measurement, model: str, made: Mapping[str, Path | None]) -> Measurement:
    """Return a measurement after a repetition, with its Run if it is of this model and engine and there is one."""
    if each.model != model or each.engine not in made:
        return each
    path, repeats = made[each.engine], each.repeats + 1
    if path is None:
        return msgspec.structs.replace(each, repeats=repeats)
    size = each.bytes + path.stat().st_size
    return msgspec.structs.replace(each, repeats=repeats, more_runs=[*each.more_runs, path.name], bytes=size)
