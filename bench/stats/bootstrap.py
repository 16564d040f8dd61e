"""The bootstrap over examples: intervals of any statistic that can be computed from how often each example is drawn."""

from collections.abc import Callable, Iterator
from statistics import NormalDist

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import CONFIDENCE, Interval

__all__ = ["MIN_EXAMPLES", "REPEATS", "Estimate", "Statistic", "bootstrap", "paired", "repeats_for", "resamples"]

Values = npt.NDArray[np.float64]
#: Takes how often each example is drawn, shape [b, examples], and returns its value for each of the b rows, shape [b];
#: NaN if undefined.
Statistic = Callable[[Values], Values]

REPEATS = 2000
_LEAST_REPEATS = 400
#: Fewer examples give no interval, because its coverage would be too low.
MIN_EXAMPLES = 30
#: The statistic must be defined for this fraction of the resamples.
_DEFINED = 0.95
#: Groups that are left out one by one to estimate the skewness. With fewer examples, all are left out one by one.
_GROUPS = 200
#: Maximum number of counts in memory, and of values that all resamples of a statistic may visit.
_MOST_COUNTS, _MOST_VISITS = 1 << 20, 400_000_000


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A statistic of all examples and its 95 % interval."""

    value: float
    interval: Interval | None = None  # None: too few examples, or no two resamples that differ


def bootstrap(
    statistic: Statistic, examples: int, seed: int | None, *, repeats: int = REPEATS, constant: bool = False
) -> Estimate | None:
    """Return a statistic of all examples and its bias-corrected, accelerated (BCa) interval; None if it is undefined.

    Each resample draws ``examples`` examples with replacement. The same seed, number of examples and ``repeats`` draw
    the same resamples. There is no interval without a seed, for fewer than MIN_EXAMPLES examples, or if the statistic
    is undefined for 5 % of the resamples. Unless it may be ``constant``, there is also none if it is the same for all
    resamples: a perfect score only means that no error was drawn. For 50 to 300 examples, the coverage in simulations
    was 94 to 95 % for AUC and average precision, 91 to 94 % for a mean error, and 88 to 90 % for a root mean square
    error with a heavy tail. Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 14.3.
    """
    if examples < 1:
        return None
    value = float(statistic(np.ones((1, examples)))[0])
    if not np.isfinite(value):
        return None
    if seed is None or examples < MIN_EXAMPLES:
        return Estimate(value=value)
    drawn = np.concatenate([statistic(counts) for counts in resamples(examples, seed, repeats)])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < _DEFINED * repeats or (not constant and drawn.min() == drawn.max()):
        return Estimate(value=value)
    low, high = (float(end) for end in np.quantile(drawn, _tails(drawn, value, _acceleration(statistic, examples))))
    return Estimate(value=value, interval=Interval(low, high))


def _tails(drawn: Values, value: float, acceleration: float) -> tuple[float, float]:
    """Return the fractions of resamples below the ends of the interval."""
    normal = NormalDist()
    below = (np.count_nonzero(drawn < value) + np.count_nonzero(drawn == value) / 2) / len(drawn)
    bias = normal.inv_cdf(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn)))
    ends = []
    for tail in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2):
        shifted = bias + normal.inv_cdf(tail)
        stretch = 1 - acceleration * shifted
        ends.append(normal.cdf(bias + shifted / stretch) if stretch > 0 else tail)
    return ends[0], ends[1]


def _acceleration(statistic: Statistic, examples: int) -> float:
    """Return a sixth of the skewness of the jackknife's values; 0 if they are all equal or one is undefined."""
    groups = min(examples, _GROUPS)
    group = np.arange(examples) * groups // examples
    rows = max(1, min(64, _MOST_COUNTS // examples))
    left = [
        statistic((group != np.arange(start, min(start + rows, groups))[:, np.newaxis]).astype(np.float64))
        for start in range(0, groups, rows)
    ]
    values = np.concatenate(left)
    distances = values.mean() - values
    squares = float(distances @ distances)
    return float((distances**3).sum() / (6 * squares**1.5)) if 0 < squares < np.inf else 0.0


def paired(first: Statistic, second: Statistic) -> Statistic:
    """Return the statistic that is the first minus the second, of the same examples."""
    return lambda counts: first(counts) - second(counts)


def resamples(examples: int, seed: int, repeats: int = REPEATS) -> Iterator[Values]:
    """Yield how often each example is drawn in each resample, in parts of shape [b, examples]."""
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = max(1, min(64, _MOST_COUNTS // examples))
    for start in range(0, repeats, rows):
        counts = np.empty((min(rows, repeats - start), examples))
        for row in counts:
            row[:] = np.bincount(generator.integers(0, examples, examples), minlength=examples)
        yield counts


def repeats_for(values: int) -> int:
    """Return the number of resamples of a statistic of ``values`` values: REPEATS, or down to 400 if it is slow."""
    return max(_LEAST_REPEATS, min(REPEATS, _MOST_VISITS // max(1, values)))
