"""Tables of `nightly`: what each engine did with each model, and what would be measured."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.bench.records.nights.night import Finding, Measurement, Night

__all__ = ["night_table", "plan_table"]


def night_table(night: Night) -> Table:
    """Return a table with a row for each model on each engine."""
    return Table(
        title=f"night {night.number}",
        header=("model", "engine", "state", "changes", "trusted", "Run"),
        rows=[_cells(each, _findings(night, each)) for each in night.measurements],
        keys=2,
        notes=_notes(night),
        records=[_record(night, each) for each in night.measurements],
    )


def _findings(night: Night, measurement: Measurement) -> list[Finding]:
    return [each for each in night.findings if (each.model, each.engine) == (measurement.model, measurement.engine)]


def _cells(each: Measurement, findings: Sequence[Finding]) -> list[str]:
    changes = [finding.verdict for finding in findings if finding.reported]
    open_changes = len(findings) - len(changes)
    shown = [*dict.fromkeys(changes), *([f"{open_changes} not certain"] if open_changes else [])]
    trusted = "" if each.trusted is None else "yes" if each.trusted else "no"
    return [each.model, each.engine, str(each.state), ", ".join(shown), trusted, each.run_file]


def _notes(night: Night) -> list[str]:
    notes = [
        f"{each.model} on {each.engine}: {each.reason}{f'; {each.remedy}' if each.remedy else ''}"
        for each in night.measurements
        if each.reason
    ]
    notes += [f"NOTE: {note}" for note in [*night.warnings, *night.notes]]
    return notes + [f"{each.channel}: not sent: {each.reason}" for each in night.unsent]


def _record(night: Night, measurement: Measurement) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.to_builtins(measurement)
    return {
        "night": night.number,
        "began": night.began,
        "ended": night.ended,
        **record,
        "findings": [msgspec.to_builtins(each) for each in _findings(night, measurement)],
        "deliveries": [msgspec.to_builtins(each) for each in night.deliveries],
        "notes": list(night.notes),
        "warnings": list(night.warnings),
    }


def plan_table(planned: Sequence[tuple[str, str, str, Sequence[str]]]) -> Table:
    """Return a table of a night's measurements: model, engine and command, with notes on each."""
    names = ("model", "engine", "command")
    return Table(
        title="what a night measures",
        header=names,
        rows=[each[:3] for each in planned],
        keys=2,
        notes=[f"NOTE: {model} on {engine}: {note}" for model, engine, _, notes in planned for note in notes],
        records=[{**dict(zip(names, each, strict=False)), "notes": list(each[3])} for each in planned],
    )
