"""Rows of ``profile``: the records, and what follows from them."""

from edge_bench.bench.analysis.profiles.roofline import Bound
from edge_bench.bench.records.profile import OperatorTime, Profile

__all__ = ["ProfileRow"]


class OperatorRow(OperatorTime, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operator."""

    share: float  # of an invocation, or of all operators if these take longer
    macs_per_second: float | None  # None also if its time is below the profiler's resolution
    bytes_per_second: float | None
    intensity: float | None  # multiply-accumulates per byte
    bound: Bound | None  # what limits it: compute or memory; None if that is unknown
    roof_share: float | None  # achieved rate / rate at this limit


class ProfileRow(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The profile of a configuration."""

    operators: list[OperatorRow]  # type: ignore[assignment]  # with more fields than those of the record
    operator_seconds: float  # sum of all operators
    between_seconds: float  # of an invocation without the profiler
    overhead: float  # share that the profiler adds to an invocation
    adds_up: bool
    covered_nodes: int
