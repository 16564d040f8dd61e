"""The latencies within a run's passes: which percentiles they support, and how they are spread."""

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import percentile_supported

__all__ = ["PERCENTILES", "Histogram", "histogram", "percentiles"]

PERCENTILES = (50, 90, 99)
#: Bins of equal ratio: latencies have a long tail, so equal widths would put nearly all of them into one.
_BINS = 40


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of latencies; bin i reaches from edges_ms[i] to edges_ms[i + 1]."""

    edges_ms: list[float]
    counts: list[int]


def percentiles(values: npt.NDArray[np.float64]) -> list[float | None]:
    """p50, p90 and p99 in the unit of ``values``; None where so few values do not bound it with 95 % confidence."""
    return [
        float(np.percentile(values, percentile)) if percentile_supported(percentile, len(values)) else None
        for percentile in PERCENTILES
    ]


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Forty bins of equal ratio from the least to the greatest of ``values``, in milliseconds."""
    positive = np.maximum(values, 1e-6)  # a nanosecond: a coarse clock may have answered 0
    low, high = float(positive.min()), float(positive.max())
    edges = np.geomspace(low, max(high, low * 1.001), _BINS + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(positive, edges)
    return Histogram(edges_ms=[float(edge) for edge in edges], counts=[int(count) for count in counts])
