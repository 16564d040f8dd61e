"""Ratios of times from separate runs, whose speeds differ from run to run, as pure functions.

Two runs of the same configuration on the same machine differ by more than the trials within each of them explain:
memory layout, temperature, background work, other users of a shared machine. Runs are a separate level of variation,
and only several runs show how large it is (Kalibera & Jones 2013, "Rigorous benchmarking in reasonable time").
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import MATERIAL, Ratio, ratio_from, unpaired_ratio
from edge_bench.bench.stats.student import t_quantile

__all__ = [
    "ASSUMED_VARIATION",
    "RunTimes",
    "SeparateRatio",
    "Side",
    "VariationSource",
    "level_of",
    "separate_ratio",
    "undecided_below",
]

#: Standard deviation from run to run, as a fraction of the time, without repeated runs (docs/calibration.md).
ASSUMED_VARIATION = 0.03

#: Minimum degrees of freedom of an estimate of the variation: Student's t for one is 12.7 standard errors wide.
_MIN_FREEDOM = 2

RunTimes = Sequence[Values]  # times of the trials of one run, one array per process


class Side(NamedTuple):
    """The runs of one side, and levels of earlier runs of the same configuration on the same machine."""

    runs: Sequence[RunTimes]
    earlier: Sequence[float] = ()  # results of `level_of`; used only for the variation


class VariationSource(StrEnum):
    """The source of the variation from run to run."""

    REPEATED = "repeated runs"
    EARLIER = "earlier runs"
    ASSUMED = "assumed"


class SeparateRatio(NamedTuple):
    """A ratio of two sides with its interval, which includes the variation from run to run."""

    ratio: Ratio
    source: VariationSource
    variation: float  # the larger standard deviation from run to run of both sides, as a fraction of the time


class _Variation(NamedTuple):
    variance: float  # of the logarithm of a run's level
    freedom: float
    source: VariationSource


def level_of(run: RunTimes) -> float:
    """Return the logarithm of the median of all trials of a run."""
    return math.log(float(np.median(np.concatenate([values for values in run if len(values)]))))


def separate_ratio(first: Side, second: Side, *, same_machine: bool) -> SeparateRatio:
    """Return the ratio of ``first`` to ``second``, each with at least one run.

    The value is the ratio of the geometric means of the runs' medians. For one run each, it is that of
    `unpaired_ratio`. The interval is Welch's over the runs of each side (1947). Earlier runs of a side add degrees of
    freedom to its variation. A side with fewer than three runs in total takes the other side's variation if the machine
    is the same and its runs are not much shorter. Otherwise its variation is `ASSUMED_VARIATION`, or more if its two
    runs differ by more, and the error within its runs is added. There is no interval if such a side has runs of a
    single process.
    """
    levels = [np.array([level_of(run) for run in side.runs]) for side in (first, second)]
    counts = [len(each) for each in levels]
    known = [_variation(each, side.earlier) for each, side in zip(levels, (first, second), strict=True)]
    within = unpaired_ratio(first.runs[0], second.runs[0]) if counts == [1, 1] else None
    centre = math.log(within.value) if within else float(levels[0].mean() - levels[1].mean())
    if same_machine and (known[0] is None) != (known[1] is None):
        shared = known[0] or known[1]
        lender, borrower = (first, second) if known[0] else (second, first)
        if shared is not None and _as_long(
            borrower.runs, lender.runs
        ):  # one estimate for both sides: its error is counted once
            error = math.sqrt(shared.variance * (1 / counts[0] + 1 / counts[1]))
            return SeparateRatio(ratio_from(centre, error, shared.freedom), shared.source, math.sqrt(shared.variance))
    parts = [
        each or _assumed(each_levels, side.runs)
        for each, each_levels, side in zip(known, levels, (first, second), strict=True)
    ]
    variances = [part.variance / count for part, count in zip(parts, counts, strict=True)]
    if math.isinf(sum(variances)):
        return SeparateRatio(ratio_from(centre, None, None), VariationSource.ASSUMED, ASSUMED_VARIATION)
    freedom = _satterthwaite(variances, [part.freedom for part in parts])
    sources = {part.source for part in parts}
    return SeparateRatio(
        ratio_from(centre, math.sqrt(sum(variances)), freedom),
        next(source for source in reversed(VariationSource) if source in sources),  # the weakest
        max(math.sqrt(part.variance) for part in parts),
    )


def _as_long(runs: Sequence[RunTimes], others: Sequence[RunTimes]) -> bool:
    """Return whether every run has at least half as many trials as the median of the other runs.

    The median of a shorter run, for example of an interrupted one, is less certain than the variation of the others
    suggests.
    """
    trials = [[sum(map(len, run)) for run in side] for side in (runs, others)]
    return 2 * min(trials[0]) >= float(np.median(trials[1]))


def undecided_below(first_runs: int, second_runs: int, variation: float = ASSUMED_VARIATION) -> float:
    """Return the minimum relative difference of times for a verdict, with a known variation from run to run."""
    error = variation * math.sqrt(1 / first_runs + 1 / second_runs)
    return (1 + MATERIAL) * math.exp(t_quantile(math.inf) * error) - 1


def _variation(levels: Values, earlier: Sequence[float]) -> _Variation | None:
    """Return the pooled variance of a side's runs and of its earlier ones; None for too few degrees of freedom."""
    groups = [levels, np.array(earlier, dtype=np.float64)]
    freedom = sum(max(len(group) - 1, 0) for group in groups)
    if freedom < _MIN_FREEDOM:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if len(group))
    source = VariationSource.REPEATED if len(levels) > 1 else VariationSource.EARLIER
    return _Variation(squares / freedom, freedom, source)


def _assumed(levels: Values, runs: Sequence[RunTimes]) -> _Variation:
    """Return the assumed variance between runs plus that of the median within a run; infinite for a single process."""
    between = max(ASSUMED_VARIATION**2, float(levels.var(ddof=1)) if len(levels) > 1 else 0.0)
    inside, freedom = 0.0, 0
    for run in runs:
        medians = np.array([np.log(np.median(values)) for values in run if len(values)])
        if len(medians) < 2:
            return _Variation(math.inf, math.inf, VariationSource.ASSUMED)
        inside += float(medians.var(ddof=1)) / len(medians) / len(runs)
        freedom += len(medians) - 1
    variance = between + inside
    return _Variation(variance, variance**2 / (inside**2 / freedom) if inside else math.inf, VariationSource.ASSUMED)


def _satterthwaite(variances: Sequence[float], freedoms: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of variances (Satterthwaite 1946)."""
    divisor = sum(variance**2 / freedom for variance, freedom in zip(variances, freedoms, strict=True))
    return math.inf if divisor == 0 else sum(variances) ** 2 / divisor
