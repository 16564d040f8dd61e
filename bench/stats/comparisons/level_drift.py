"""How much a drift of the machine adds to the uncertainty of a change of level."""

import numpy as np

from edge_bench.bench.stats.intervals import Values

__all__ = ["drift_inflation"]

#: Shares of the time at which a change may begin and end, when its shape is estimated.
_KNOTS = np.linspace(0.1, 0.7, 13)
#: Long blocks per tenth of the time. Each has two short ones, which are about as long as the jackknife's blocks.
_LONG_PER_TENTH, _SHORT_PER_TENTH = 2, 4
#: Parameters of the shape of a change: its start, its end and the mean of what is between them.
_SHAPE_PARAMETERS = 3
#: The correlation of neighbouring blocks comes out too small, because each window has its mean subtracted from few
#: blocks. Offset and factor are those of simulated noise without correlation and with much of it.
_CORRELATION_OFFSET, _CORRELATION_FACTOR, _MOST_CORRELATION = 0.12, 0.7, 0.85
_FEWEST_FREEDOM = 4.0


def drift_inflation(times: Values, shares: Values) -> tuple[float, float] | None:
    """Return by how much the variance of a level ratio exceeds that of the jackknife, and its degrees of freedom.

    ``times`` are in order, and ``shares`` says when each was measured, from 0 to 1. The factor is at least 1. None:
    the times are too few, or do not reach the end.

    The jackknife of `level_ratio` sees correlations that are shorter than its blocks, but the speed of a shared or
    warming machine drifts for longer. The residuals from the estimated change are replaced by their ranks, which
    disturbed trials hardly influence, and averaged in long blocks. Their variance and the correlation of neighbouring
    blocks give the variance of the difference between the first tenth and the last three tenths, as for a first-order
    autoregression. Short blocks, taken as independent, give what the jackknife sees of it.
    """
    pieces = [shares < _KNOTS[0], (shares >= _KNOTS[0]) & (shares < _KNOTS[-1]), shares >= _KNOTS[-1]]
    tenths = (1, 6, 3)  # of the time in each piece
    if any(piece.sum() < _SHORT_PER_TENTH * count for piece, count in zip(pieces, tenths, strict=True)):
        return None
    scores = _ranks(_residuals(np.log(times), shares, pieces[0], pieces[2]))
    windows = [scores[piece] for piece in pieces]
    long, short = (
        [_centred_means(window, number * count) for window, count in zip(windows, tenths, strict=True)]
        for number in (_LONG_PER_TENTH, _SHORT_PER_TENTH)
    )
    seen = _variance(short) * (_of_mean(len(short[0]), 0) + _of_mean(len(short[2]), 0))
    if not seen:
        return 1.0, np.inf
    correlation = _correlation(long[1:])
    whole = _variance(long) * (_of_mean(len(long[0]), correlation) + _of_mean(len(long[2]), correlation))
    freedom = _freedom(long) * (1 - correlation) / (1 + correlation)
    return max(1.0, whole / seen), max(freedom, _FEWEST_FREEDOM)


def _residuals(logs: Values, shares: Values, early: Values, late: Values) -> Values:
    """Return the logarithms without the change: a step, or linear in time, whichever leaves the least behind."""
    before, after = np.median(logs[early]), np.median(logs[late])
    shapes = [
        np.clip((shares - begin) / (end - begin), 0, 1) if end > begin else (shares >= begin).astype(np.float64)
        for number, begin in enumerate(_KNOTS)
        for end in _KNOTS[number:]
    ]
    residuals = (logs - before - (after - before) * shape for shape in shapes)
    least: Values = min(residuals, key=lambda each: float(np.abs(each).sum()))
    return least


def _ranks(values: Values) -> Values:
    """Return the ranks of the values between -0.5 and 0.5; equal values have the same one."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Values = ((np.cumsum(counts) - (counts + 1) / 2) / len(values) - 0.5)[places]
    return ranks


def _centred_means(scores: Values, blocks: int) -> Values:
    means = np.array([block.mean() for block in np.array_split(scores, blocks)])
    centred: Values = means - means.mean()
    return centred


def _freedom(windows: list[Values]) -> int:
    early, middle, late = (len(window) for window in windows)
    return early - 1 + middle - _SHAPE_PARAMETERS + late - 1


def _variance(windows: list[Values]) -> float:
    return sum(float(window @ window) for window in windows) / _freedom(windows)


def _correlation(windows: list[Values]) -> float:
    """Return the correlation of neighbouring blocks, at least 0; a window of two blocks would say nothing about it."""
    squares = sum(float(window @ window) for window in windows)
    if not squares:
        return 0.0
    found = sum(float(window[1:] @ window[:-1]) for window in windows) / squares
    return min(max(0.0, (found + _CORRELATION_OFFSET) / _CORRELATION_FACTOR), _MOST_CORRELATION)


def _of_mean(blocks: int, correlation: float) -> float:
    """Return the variance of the mean of successive blocks, as a share of that of one block."""
    lags = np.arange(1, blocks)
    return float(1 + 2 * ((1 - lags / blocks) * correlation**lags).sum()) / blocks
