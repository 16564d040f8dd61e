"""Notes on the peaks of a profile."""

from edge_bench.app.render.units import significant
from edge_bench.bench.analysis.profiles.roofline import in_cache
from edge_bench.bench.records.profile import Peaks, Profile
from edge_bench.bench.wording import counted, size

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
    notes = [
        f"peaks of this machine: {', '.join(rates)}",
        f"the roof of data is that of {where}, as {_reason(profile, peaks)}",
    ]
    if peaks.disturbed:
        notes.append(f"the peaks may be too low: {', '.join(peaks.disturbed)}; profile again on a quiet machine")
    return notes


def _reason(profile: Profile, peaks: Peaks) -> str:
    """Return why the roof of data is that of the caches or that of memory."""
    if not peaks.cache_bytes:
        return "the size of the last cache is unknown"
    if not peaks.cached_bytes_per_second:
        return "the peak of the caches is unknown"
    if in_cache(profile):
        return f"all data of the model fits in the last cache ({size(peaks.cache_bytes)})"
    unknown = sum(operator.bytes_moved is None for operator in profile.operators)
    if unknown:
        return f"the bytes of {unknown} of {counted(len(profile.operators), 'operator')} are unknown"
    return f"all data of the model may not fit in the last cache ({size(peaks.cache_bytes)})"
