"""Percentiles and histograms of the latencies of a run."""

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import percentile_supported

__all__ = ["PERCENTILES", "Histogram", "histogram", "percentiles"]

PERCENTILES = (50, 90, 99)
#: Bins have equal ratios: latencies have a long tail, so that bins of equal width would put nearly all into one.
_BIN_COUNT = 40


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of latencies; bin i is from edges_ms[i] to edges_ms[i + 1], in milliseconds."""

    edges_ms: list[float]
    counts: list[int]


def percentiles(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Return p50, p90 and p99 in the unit of ``values``; None for those not `percentile_supported`."""
    return [
        float(np.percentile(values, percentile)) if percentile_supported(percentile, len(values)) else None
        for percentile in PERCENTILES
    ]


def histogram(values: npt.NDArray[np.float64]) -> Histogram:
    """Return the histogram of ``values``, in milliseconds, with 40 bins of equal ratio from minimum to maximum."""
    positive = np.maximum(values, 1e-6)  # one nanosecond: a coarse clock may measure 0
    low, high = float(positive.min()), float(positive.max())
    edges = np.geomspace(low, max(high, low * 1.001), _BIN_COUNT + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(positive, edges)
    return Histogram(edges_ms=[float(edge) for edge in edges], counts=[int(count) for count in counts])
