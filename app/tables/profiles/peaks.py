"""Notes on the peaks of a profile."""

from edge_bench.app.render.units import significant
from edge_bench.bench.analysis.profiles.roofline import in_cache
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.wording import size

__all__ = ["peak_notes"]


def peak_notes(profile: Profile) -> list[str]:
    """Return the peaks of the machine, whether they may be too low, and which roof limits data."""
    peaks = profile.peaks
    if peaks is None:
        return []
    rates = [f"{precision} {significant(rate / 1e9)} GMAC/s" for precision, rate in peaks.macs_per_second.items()]
    moved = (("memory", peaks.bytes_per_second), ("caches", peaks.cached_bytes_per_second))
    rates += [f"{where} {significant(rate / 1e9)} GB/s" for where, rate in moved if rate]
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
