"""The operators of one profile: time, share, work, rates, and what limits each."""

from collections.abc import Sequence

from edge_bench.app.render.table import Lazy, Table
from edge_bench.app.render.units import percent, significant
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.analysis.profiles.roofline import Placement, in_cache, placements
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.wording import size

__all__ = ["operator_table", "peak_notes"]

_GIGA = 1e9


def operator_table(profile: Profile, name: str) -> Table:
    """Return a row for each operator of the profile with this ``name``, in the order of execution."""
    named = list(zip(operator_names(profile.operators), placements(profile), strict=True))
    return Table(
        title=f"{name}: operators in the order of execution",
        header=(
            "operator",
            "kind",
            "µs",
            "share of\nthe time",
            "MACs",
            "GMAC/s",
            "GB/s",
            "limited by",
            "% of\nthe roof",
        ),
        rows=Lazy(lambda each: _cells(profile, *each), named),
        keys=2,
        notes=[*peak_notes(profile), *profile.warnings],
    )


def _cells(profile: Profile, name: str, placed: Placement) -> list[str]:
    operator = placed.operator
    spread = f"[{significant(1e6 * operator.lower_seconds)}, {significant(1e6 * operator.upper_seconds)}]"
    return [
        name,
        operator.kind,
        f"{significant(1e6 * operator.seconds)} {spread}",
        f"{percent(profile.share([operator]), 1)} %",
        "" if operator.macs is None else f"{operator.macs:,}",
        _giga(operator.macs_per_second),
        _giga(operator.bytes_per_second),
        placed.bound or "",
        "" if placed.roof_share is None else percent(placed.roof_share, 0),
    ]


def _giga(rate: float | None) -> str:
    return "" if rate is None else significant(rate / _GIGA)


def peak_notes(profile: Profile) -> Sequence[str]:
    """Return the peaks of the machine, whether they may be too low, and which roof limits data."""
    peaks = profile.peaks
    if peaks is None:
        return []
    rates = [f"{precision} {_giga(rate)} GMAC/s" for precision, rate in peaks.macs_per_second.items()]
    moved = (("memory", peaks.bytes_per_second), ("caches", peaks.cached_bytes_per_second))
    rates += [f"{where} {_giga(rate)} GB/s" for where, rate in moved if rate]
    where = "the caches" if in_cache(profile) else "memory"
    fits = "fits in" if in_cache(profile) else "may not fit in"
    cache = f"the last cache ({size(peaks.cache_bytes)})" if peaks.cache_bytes else "the last cache (size unknown)"
    notes = [
        f"peaks of this machine: {', '.join(rates)}",
        f"the roof of data is that of {where}, as all data of the model {fits} {cache}",
    ]
    if peaks.disturbed:
        notes.append(f"the peaks may be too low: {', '.join(peaks.disturbed)}; profile again on a quiet machine")
    return notes
