"""Numerical differences of two tensors of the same shape."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec

__all__ = ["Sums", "TensorDifference", "difference_of", "real_values", "sums_of"]

Values = npt.NDArray[np.float64]


class TensorDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Differences of two tensors a (the reference) and b, over the values that are finite in both.

    NaN and NaN are equal, and so are infinities of one sign. Booleans are 0 and 1. None: the number is undefined, for
    the reason stated beside it, or too large for a float64.
    """

    values: int  # that are finite in both
    mismatched: int  # finite in one only, or different ones of NaN, ∞ and -∞
    max_abs: float | None  # max |a - b|; None: no value
    rms: float | None  # √(mean of (a - b)²); None: no value
    cosine: float | None  # a·b / (|a| |b|); None: one of the two is all zeros
    snr_db: float | None  # 10 log₁₀(Σa² / Σ(a - b)²); None: nothing differs, or a is all zeros

    @property
    def same(self) -> bool:
        """Whether all values are equal."""
        return not self.mismatched and (not self.values or self.max_abs == 0)


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the values of some examples, from which the differences are computed."""

    values: int = 0
    mismatched: int = 0
    max_abs: float = 0.0
    squares: float = 0.0  # Σ(a - b)²
    product: float = 0.0  # Σab
    first: float = 0.0  # Σa²
    second: float = 0.0  # Σb²


def real_values(stored: npt.NDArray[Any], spec: TensorSpec) -> npt.NDArray[Any]:
    """Return (stored - zero_point) × scale as float64 for a quantized output; other values unchanged."""
    if not spec.scale or stored.dtype.kind not in "iu":
        return stored
    real: Values = (stored.astype(np.float64) - spec.zero_point) * spec.scale
    return real


def sums_of(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Sums:
    """Return the sums of two tensors with the same number of values, of any types of numbers.

    Differences of integers of one type are exact before they are rounded to float64. Raise ValueError for tensors of
    different sizes.
    """
    if first.size != second.size:
        raise ValueError(f"tensors of {first.size:,} and {second.size:,} values")
    first, second = first.reshape(-1), second.reshape(-1)
    a, b = first.astype(np.float64), second.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    mismatched = 0
    if not finite.all():
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        mismatched = int(np.count_nonzero(~finite & ~same))
        first, second, a, b = first[finite], second[finite], a[finite], b[finite]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        distances = _distances(first, second) if first.dtype == second.dtype else np.abs(a - b)
        return Sums(
            values=len(a),
            mismatched=mismatched,
            max_abs=float(distances.max(initial=0.0)),
            squares=float(distances @ distances),
            product=float(a @ b),
            first=float(a @ a),
            second=float(b @ b),
        )


def _distances(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Values:
    """Return |first - second| of finite values of one type."""
    if first.dtype.kind not in "iu":
        distances: Values = np.abs(first.astype(np.float64) - second.astype(np.float64))
        return distances
    unsigned = f"u{first.itemsize}"
    # modulo 2ⁿ, so that the difference of the lowest and the highest integer is right
    high, low = (extreme(first, second).astype(unsigned) for extreme in (np.maximum, np.minimum))
    exact: Values = (high - low).astype(np.float64)
    return exact


def difference_of(parts: Sequence[Sums]) -> TensorDifference:
    """Return the differences over all values of some examples together."""
    values = sum(part.values for part in parts)
    greatest = max((part.max_abs for part in parts), default=0.0)
    squares, product, first, second = (
        _total([getattr(part, name) for part in parts]) for name in ("squares", "product", "first", "second")
    )
    return TensorDifference(
        values=values,
        mismatched=sum(part.mismatched for part in parts),
        max_abs=_finite(greatest) if values else None,
        rms=_rms(squares, values, greatest),
        cosine=_cosine(product, first, second),
        snr_db=10 * (math.log10(first) - math.log10(squares)) if _usable(first) and _usable(squares) else None,
    )


def _total(values: Sequence[float]) -> float:
    return math.fsum(values) if all(map(math.isfinite, values)) else math.nan


def _usable(squares: float) -> bool:
    """Return whether a sum of squares is accurate: not 0, not infinite, and without underflow of the squares."""
    return 1e-290 < squares < math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rms(squares: float, values: int, greatest: float) -> float | None:
    if not values:
        return None
    if greatest == 0:
        return 0.0
    return math.sqrt(squares / values) if _usable(squares) else None


def _cosine(product: float, first: float, second: float) -> float | None:
    if not (_usable(first) and _usable(second) and math.isfinite(product)):
        return None
    return max(-1.0, min(1.0, product / math.sqrt(first) / math.sqrt(second)))
