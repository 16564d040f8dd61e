"""Regression: mean absolute error, root mean square error, R²."""

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import DatasetError
from edge_bench.bench.stats.bootstrap import Estimate, Statistic, bootstrap, paired, repeats_for
from edge_bench.bench.tasks.scores.rows import same_examples, table

__all__ = ["RegressionDifferences", "RegressionScores", "regression_differences", "regression_scores"]

Values = npt.NDArray[np.float64]
#: A remaining sum of squares below this fraction of the original is rounding.
_ROUNDING = 1e-12


class RegressionScores(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of a model on n examples with one or more values each; None if undefined.

    If a prediction is not finite, no error is computed, because leaving it out would make the model look better.
    """

    examples: int
    not_finite: int  # examples with a prediction that is not finite
    mae: Estimate | None = None  # mean of |prediction - truth| over all values, in their unit
    rmse: Estimate | None = None  # root of the mean of its square, in their unit
    r2: Estimate | None = None  # mean over the columns of 1 - Σ(truth - prediction)² / Σ(truth - mean)²


class RegressionDifferences(msgspec.Struct, frozen=True, kw_only=True):
    """The first model's errors minus the second's, on the same examples."""

    differing: int  # examples with different predictions; with few of them, an interval is not reliable
    mae: Estimate | None = None
    rmse: Estimate | None = None
    r2: Estimate | None = None


def regression_scores(predictions: npt.ArrayLike, truth: npt.ArrayLike, seed: int | None) -> RegressionScores:
    """Score predictions, shape [n, …], against true values of the same shape, with bootstrap intervals over examples.

    R² is that of scikit-learn's r2_score, with equal weights of the columns. A column whose true values are all equal
    has none, and then R² is None. Raise DatasetError if the shapes differ, or a true value is not finite.
    """
    errors = _Errors(predictions, truth)
    if errors.not_finite:
        return RegressionScores(examples=errors.examples, not_finite=errors.not_finite)
    found = {
        name: bootstrap(statistic, errors.examples, seed, repeats=repeats_for(errors.squares.size))
        for name, statistic in errors.statistics().items()
    }
    return RegressionScores(examples=errors.examples, not_finite=0, **found)


def regression_differences(
    first: npt.ArrayLike, second: npt.ArrayLike, truth: npt.ArrayLike, seed: int
) -> RegressionDifferences:
    """Return the paired differences of two models' errors. Negative MAE and RMSE mean that the first is better."""
    sides = _Errors(first, truth), _Errors(second, truth)
    differing = int(np.count_nonzero((sides[0].predictions != sides[1].predictions).any(axis=1)))
    if any(side.not_finite for side in sides):
        return RegressionDifferences(differing=differing)
    ours, theirs = (side.statistics() for side in sides)
    repeats = repeats_for(2 * sides[0].squares.size)
    found = {
        name: bootstrap(paired(ours[name], theirs[name]), sides[0].examples, seed, repeats=repeats, constant=True)
        for name in ours
    }
    return RegressionDifferences(differing=differing, **found)


class _Errors:
    """The errors of each example, from which all statistics of resamples are computed."""

    def __init__(self, predictions: npt.ArrayLike, truth: npt.ArrayLike) -> None:
        self.predictions, true_values = table(predictions, "predictions"), table(truth, "true values")
        same_examples(true_values, self.predictions)
        _refuse_unknown(true_values)
        self.examples = len(true_values)
        self.not_finite = int(np.count_nonzero(~np.isfinite(self.predictions).all(axis=1)))
        with np.errstate(invalid="ignore", over="ignore"):
            errors = self.predictions - true_values
            self.absolute, self.squares = np.abs(errors).mean(axis=1), errors**2
        # around the mean, so that the sums of squares keep their digits
        self.centred = true_values - true_values.mean(axis=0)
        self.varies = bool((true_values != true_values[0]).any(axis=0).all())

    def statistics(self) -> dict[str, Statistic]:
        return {"mae": self._mae, "rmse": self._rmse, "r2": self._r2}

    def _mae(self, counts: Values) -> Values:
        result: Values = counts @ self.absolute / counts.sum(axis=1)
        return result

    def _rmse(self, counts: Values) -> Values:
        result: Values = np.sqrt(counts @ self.squares.mean(axis=1) / counts.sum(axis=1))
        return result

    def _r2(self, counts: Values) -> Values:
        if not self.varies:
            return np.full(len(counts), np.nan)
        total = counts.sum(axis=1, keepdims=True)
        mean, squares = counts @ self.centred / total, counts @ self.centred**2
        spread = squares - total * mean**2
        spread[spread <= _ROUNDING * squares] = np.nan  # a resample of equal values
        with np.errstate(invalid="ignore", divide="ignore"):
            result: Values = np.mean(1 - (counts @ self.squares) / spread, axis=1)
        return result


def _refuse_unknown(truth: Values) -> None:
    """Raise DatasetError for the first true value that is not finite."""
    wrong = ~np.isfinite(truth).all(axis=1)
    if wrong.any():
        raise DatasetError(
            f"true values: not finite at example {int(wrong.argmax()):,}",
            "remove examples with unknown true values",
        )
