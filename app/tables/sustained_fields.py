"""The fields of a JSON row about a sustained load."""

from typing import Any

import msgspec

from edge_bench.bench.analysis.sustained.load import Load, Outcome

__all__ = ["sustained_record"]


def sustained_record(load: Load | None) -> dict[str, Any]:
    """Return the fields of a JSON row; all null without ``--duration``."""
    ratio = None if load is None or load.outcome is Outcome.UNFINISHED else load.ratio
    interval = ratio.interval if ratio else None
    return {
        "sustained": load.outcome if load else None,
        "slowdown": ratio.value - 1 if ratio else None,
        "slowdown_low": interval.low - 1 if interval else None,
        "slowdown_high": interval.high - 1 if interval else None,
        "changed_after_s": load.changed_after_s if load else None,
        "sustained_load": msgspec.to_builtins(load) if load else None,
    }
