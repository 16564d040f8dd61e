"""The table of a profile: one row per operator, and one for the time between them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import percent, significant
from edge_bench.app.tables.profiles.peaks import peak_notes
from edge_bench.app.tables.profiles.sentences import configuration_text
from edge_bench.app.tables.shared import finding_notes
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.analysis.profiles.roofline import Placement, placements
from edge_bench.bench.records.profile import OperatorTime, Profile
from edge_bench.bench.records.run import Configuration, Failure
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.wording import counted

__all__ = ["milliseconds", "operator_table", "profile_record", "profile_table", "profile_tables"]

#: What a cell shows if the number is unknown.
_UNKNOWN = "?"
#: Operators of the short table. The others are in one row.
_MOST_ROWS = 20
_HEADER = ("", "operator", "kind", "ms", "share", "MACs", "GMAC/s", "GB/s", "% of roof")
_MORE = ("quartiles, ms", "bytes", "MACs\nper byte", "precision", "nodes", "executed by")

Failures = Sequence[tuple[Configuration, Failure]]


def profile_tables(
    profiles: Sequence[Profile], failures: Failures = (), findings: Sequence[Finding] = (), *, wide: bool = False
) -> list[Table]:
    """Return a table for each profile. The records of the first are all profiles.

    Notes of the last name the configurations without a profile, and what is wrong with the machine.
    """
    tables = [profile_table(profile, wide=wide) for profile in profiles]
    if not tables:
        return []
    notes = [
        f"{configuration}: not profiled: {failure.message}" + (f"; {failure.remedy}" if failure.remedy else "")
        for configuration, failure in failures
    ]
    tables[-1] = replace(tables[-1], notes=[*tables[-1].notes, *notes, *finding_notes(findings)])
    tables[0] = replace(tables[0], records=[profile_record(profile) for profile in profiles])
    return tables


def operator_table(profiles: Sequence[Profile]) -> Table:
    """Return one table whose records are the operators of all profiles, for CSV, which has no lists."""
    records = [
        {
            "model": profile.model, "variant": profile.variant, "runtime": profile.runtime, "threads": profile.threads,
            "batch_size": profile.batch_size, "delegate": profile.delegate, **operator,
        }
        for profile in profiles
        for operator in profile_record(profile)["operators"]
    ]  # fmt: skip
    return Table(title="Operators", header=_HEADER, rows=[], keys=3, records=records)


def profile_table(profile: Profile, *, wide: bool = False) -> Table:
    """Return the slowest operators, or with ``wide`` all in the order of execution, with kernels and bytes."""
    shown, others = list(enumerate(profile.operators)), list[OperatorTime]()
    if not wide:
        shown.sort(key=lambda item: -item[1].seconds)
        shown, others = shown[:_MOST_ROWS], [operator for _, operator in shown[_MOST_ROWS:]]
    names = dict(enumerate(operator_names(profile.operators)))
    places = dict(enumerate(placements(profile)))
    rows = [
        [*_cells(profile, each, names[at]), _roof_cell(places[at]), *(_more_cells(profile, each) if wide else [])]
        for at, each in shown
    ]
    ms, empty = milliseconds(profile), ["", *[""] * (len(_MORE) * wide)]
    if others:
        time = sum(operator.seconds for operator in others)
        share = f"{percent(profile.share(others), 1)} %"
        rows.append(["", counted(len(others), "other operator"), "", ms(time), share, "", "", "", *empty])
    between = profile.between_seconds
    # if operators take longer than an invocation, their shares add up to 100 % without it
    has_share = between >= 0 and profile.invocation_seconds > 0
    share = f"{percent(between / profile.invocation_seconds, 1)} %" if has_share else ""
    rows.append(["", "between operators", "", ms(between), share, "", "", "", *empty])
    delegate = f", {profile.delegate}" if profile.delegate else ""
    return Table(
        title=f"{profile.model}: {configuration_text(profile)}{delegate}; "
        f"{counted(profile.invocations, 'invocation')} in {counted(profile.processes, 'process')}",
        header=[*_HEADER, *(_MORE if wide else ())],
        rows=rows,
        keys=3,
        notes=_notes(profile),
        records=[profile_record(profile)],
    )


def _cells(profile: Profile, operator: OperatorTime, name: str) -> list[str]:
    ms, is_resolved = milliseconds(profile), profile.is_resolved(operator)
    below = not is_resolved and profile.resolution_seconds > 0
    return [
        str(operator.index),
        name,
        operator.kind,
        f"< {ms(profile.resolution_seconds)}" if below else ms(operator.seconds),
        f"{percent(profile.share([operator]), 1)} %",
        _UNKNOWN if operator.macs is None else (_count(operator.macs) if operator.macs else "–"),
        _rate(operator.macs_per_second if is_resolved else None, operator.macs),
        _rate(operator.bytes_per_second if is_resolved else None, operator.bytes_moved),
    ]


def _roof_cell(placed: Placement) -> str:
    """Return the share of the roof, and what limits the operator."""
    return "" if placed.roof_share is None else f"{percent(placed.roof_share, 0)} {placed.bound}"


def _more_cells(profile: Profile, operator: OperatorTime) -> list[str]:
    ms, intensity = milliseconds(profile), operator.intensity
    return [
        f"{ms(operator.lower_seconds)} to {ms(operator.upper_seconds)}",
        _UNKNOWN if operator.bytes_moved is None else f"{operator.bytes_moved:,}",
        significant(intensity) if intensity else "–",
        operator.precision or "–",
        ", ".join(map(str, operator.nodes[:8])) + (", …" if len(operator.nodes) > 8 else ""),
        operator.kernel,
    ]


def _rate(per_second: float | None, amount: int | None) -> str:
    if amount is None:
        return _UNKNOWN
    return "–" if per_second is None else significant(per_second / 1e9)


def milliseconds(profile: Profile) -> Callable[[float], str]:
    """Return a function that formats seconds as ms, with the same decimals for all operators of a profile."""
    whole = profile.invocation_seconds
    decimals = next((number for number, least in enumerate((0.1, 0.01, 1e-3), 1) if whole >= least), 4)
    return lambda value: f"{value * 1e3:.{decimals}f}"


def _count(number: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{significant(number / size)} {unit}"
    return str(number)


def _notes(profile: Profile) -> list[str]:
    nodes = counted(profile.model_nodes, "node")
    notes = [f"measured by {profile.profiler}; operators cover {profile.covered_nodes:,} of {nodes} of the model"]
    notes += [*profile.warnings, *peak_notes(profile)]
    if profile.resolution_seconds:
        notes.append(
            f"times have a resolution of {profile.resolution_seconds * 1e6:g} µs: up to "
            f"{profile.rounded_off_seconds * 1e3:.3f} ms of all operators can be missing"
        )
    if any(None in (operator.macs, operator.bytes_moved) for operator in profile.operators):
        notes.append(f"{_UNKNOWN}: unknown for this operator")
    return notes


def profile_record(profile: Profile) -> dict[str, Any]:
    """Return all values of a profile, unformatted, and what follows from them."""
    import msgspec

    record: dict[str, Any] = msgspec.to_builtins(profile)
    for placed, made in zip(placements(profile), record["operators"], strict=True):
        operator = placed.operator
        made |= {
            "share": profile.share([operator]),
            "macs_per_second": operator.macs_per_second if profile.is_resolved(operator) else None,
            "bytes_per_second": operator.bytes_per_second if profile.is_resolved(operator) else None,
            "intensity": operator.intensity,
            "bound": placed.bound,
            "roof_share": placed.roof_share,
        }
    return record | {
        "operator_seconds": profile.operator_seconds,
        "between_seconds": profile.between_seconds,
        "overhead": profile.overhead,
        "adds_up": profile.adds_up,
        "covered_nodes": profile.covered_nodes,
    }
