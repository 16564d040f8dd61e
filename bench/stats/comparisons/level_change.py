"""Whether a series of times has another level at its end than at its start, if neighbours are correlated."""

import math

import numpy as np

from edge_bench.bench.stats.comparisons.level_drift import drift_inflation
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, ratio_from, unpaired_ratio

__all__ = ["EARLY", "LATE", "MIDDLE", "change_point", "level_ratio", "window"]

#: Shares of the time, fixed in advance: the level at the start, the plateau at the end, and what is between them.
EARLY, MIDDLE, LATE = (0.0, 0.1), ((0.1, 0.4), (0.4, 0.7)), (0.7, 1.0)
#: Blocks of the first window, which is short, and of the others.
_EARLY_BLOCKS, _BLOCKS = 5, 10
#: Values of a block, so that the duration of a load does not determine that of its analysis.
_MOST_VALUES = 20


def window(times: Values, shares: Values, part: tuple[float, float]) -> Values:
    """Return the times in a part of the series; ``shares`` says when each was measured, from 0 to 1."""
    low, high = part
    return times[(shares >= low) & ((shares < high) | (high == 1.0))]


def level_ratio(times: Values, shares: Values, part: tuple[float, float] = LATE) -> Ratio | None:
    """Return the ratio of the times in a part of the series to the early ones; None if one of both has no times.

    ``times`` are in order, and ``shares`` says when each was measured, from 0 to 1.

    The value is the median of the ratios of every later time to every early one (Hodges & Lehmann 1963), which
    disturbed trials hardly change. The interval is Welch's over the pseudo-values of a jackknife that leaves out one
    block of successive times at a time: correlated neighbours are in the same block (Künsch 1989, "The jackknife and
    the bootstrap for general stationary observations"). It is widened by what a drift of the machine adds, which lasts
    longer than a block (`drift_inflation`). Without two blocks on each side there is no interval.
    """
    later, early = window(times, shares, part), window(times, shares, EARLY)
    if not len(later) or not len(early):
        return None
    ratio = unpaired_ratio(_blocks(later, _BLOCKS), _blocks(early, _EARLY_BLOCKS))
    drift = drift_inflation(times, shares)
    if ratio.standard_error is None or drift is None:
        return ratio
    freedom = min(math.inf if ratio.freedom is None else ratio.freedom, drift[1])
    return ratio_from(math.log(ratio.value), ratio.standard_error * math.sqrt(drift[0]), freedom)


def _blocks(times: Values, count: int) -> list[Values]:
    """Return successive blocks; one with more values than `_MOST_VALUES` has the medians of as many parts of it."""
    return [_shortened(block) for block in np.array_split(times, min(count, len(times)))]


def _shortened(block: Values) -> Values:
    if len(block) <= _MOST_VALUES:
        return block
    return np.array([np.median(part) for part in np.array_split(block, _MOST_VALUES)])


def change_point(times: Values, before: float, after: float) -> int:
    """Return the index of the first time at the level ``after``, if all earlier ones are at the level ``before``.

    It has the lowest sum of absolute differences of logarithms from the levels, which is the maximum likelihood
    estimate for noise with a Laplace distribution (Hinkley 1970, "Inference about the change-point in a sequence of
    random variables", with known levels). Of a gradual change, it is where the times pass the middle.
    """
    logs = np.log(times)
    # what a time costs if it is counted as before the change, compared with after it
    costs = np.abs(logs - np.log(before)) - np.abs(logs - np.log(after))
    return int(np.argmin(np.concatenate([[0.0], np.cumsum(costs)])))
