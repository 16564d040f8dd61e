"""The roofline model: what limits each operator, and how close it is to that limit.

Source: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model". An operator with I
multiply-accumulates per byte cannot exceed min(peak of its number type, I × bytes per second). Left of the ridge, where
both are equal, moving its data takes longer than computing.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge_bench.bench.records.profile import OperatorTime, Peaks, Profile

__all__ = ["Bound", "Placement", "in_cache", "placements", "roof_bytes_per_second"]


class Bound(StrEnum):
    """What limits an operator."""

    COMPUTE = "compute"
    MEMORY = "memory"


@dataclass(frozen=True)
class Placement:
    """An operator under the roofs of its profile."""

    operator: OperatorTime
    bound: Bound | None  # None: its multiply-accumulates, bytes or number type, or the peak of that, are unknown
    roof_share: float | None  # achieved rate / rate at the roof; above 1 if its data came from a faster cache


def placements(profile: Profile) -> list[Placement]:
    """Return the place of each operator, in the order of execution; all unknown without peaks."""
    bandwidth = roof_bytes_per_second(profile)
    return [
        _placed(each, profile.peaks, bandwidth) if profile.is_resolved(each) else Placement(each, None, None)
        for each in profile.operators
    ]


def roof_bytes_per_second(profile: Profile) -> float | None:
    """Return the bytes per second that limit the operators: of the caches if they hold the data, else of memory."""
    if profile.peaks is None:
        return None
    return profile.peaks.cached_bytes_per_second if in_cache(profile) else profile.peaks.bytes_per_second


def in_cache(profile: Profile) -> bool:
    """Return whether all data of an invocation fits in the last cache, so that it stays there between invocations.

    The bytes of all operators together are an upper limit of that data. False if a size is unknown.
    """
    peaks = profile.peaks
    if peaks is None or not peaks.cache_bytes or not peaks.cached_bytes_per_second:
        return False
    moved = [operator.bytes_moved for operator in profile.operators]
    return None not in moved and sum(each or 0 for each in moved) <= peaks.cache_bytes


def _placed(operator: OperatorTime, peaks: Peaks | None, bandwidth: float | None) -> Placement:
    unknown = Placement(operator, None, None)
    if peaks is None or bandwidth is None or operator.macs is None or not operator.seconds:
        return unknown
    if not operator.macs:
        moved = operator.bytes_per_second
        return Placement(operator, Bound.MEMORY, moved / bandwidth) if moved else unknown
    peak, intensity, rate = peaks.macs_per_second.get(operator.precision), operator.intensity, operator.macs_per_second
    if peak is None or intensity is None or rate is None:
        return unknown
    slope = intensity * bandwidth
    return Placement(operator, Bound.COMPUTE if peak <= slope else Bound.MEMORY, rate / min(peak, slope))
