"""How much predictions of unseen families and devices deviate, which sets the widths of the intervals.

Both are estimated from rows that the fit did not see, and for a row of the error table also without the errors of its
own family or device, so that no interval is set with the row that it is tested on. Few families and devices were
measured, so the estimates have few degrees of freedom: Student's t has heavier ends, and the interval is wider.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from studies.prediction.folds import Group, Unseen
from studies.prediction.hardware import BIG_LITTLE, CORES

__all__ = ["FREEDOM", "Estimate", "device_factor", "family_deviation", "freedom_of"]

#: Degrees of freedom of what is known better than the deviations here, and of no interval more.
FREEDOM = 30.0
#: The assumed deviation counts like this many families or devices.
_ASSUMED_FAMILIES, _ASSUMED_DEVICES = 2, 1
#: If no family was measured on the device with these kernels, the assumed deviation is multiplied by the first,
#: but is at most the second, that of in-order cores.
_NO_FAMILY, _MOST_ASSUMED = 1.5, 0.25
_VISIBLE = 3.0
_FEW_THREADS = 4  # all cores of a Raspberry Pi


class Estimate(NamedTuple):
    """A standard deviation, or a factor of some, and its degrees of freedom."""

    value: float
    freedom: float


def family_deviation(unseen: Sequence[Unseen], group: Group, assumed: float, without: str = "") -> Estimate:
    """Return the standard deviation of the logarithm between families of models.

    The errors of the other families on this device count most. What is assumed before is corrected by the errors on
    other devices that use their cores alike: on the same order of execution, and if several, on more than four cores
    or two kinds of them, or on fewer.
    """
    errors = _by_family(unseen)
    alike = _class_of(group, [each for (other, _), rows in errors.items() if other == group for each in rows])
    own, others = [], []
    for (other, family), rows in errors.items():
        if family == without or _says_nothing(rows, assumed):
            continue
        if other == group:
            own.append(_square(rows))
        elif other[0] != group[0] and _class_of(other, rows) == alike:
            others.append(_square(rows))
    if not own:
        assumed = max(assumed, min(_NO_FAMILY * assumed, _MOST_ASSUMED))
    before = _mean_with(assumed**2, _ASSUMED_FAMILIES, others)
    variance = _mean_with(before, _ASSUMED_FAMILIES, own)
    return Estimate(float(np.sqrt(variance)), float(_ASSUMED_FAMILIES + len(own)))


def device_factor(unseen: Sequence[Unseen], kernels: str, without: str = "") -> Estimate:
    """Return the factor of the standard deviations of the parameters of a device without rows.

    One is the prior's. It is the root mean square of the errors in units of their standard deviations, each device
    counted once.
    """
    squares = defaultdict(list)
    for each in unseen:
        cell = each.row.cell
        if each.left_out == "device" and cell.kernels == kernels and cell.device != without:
            expected = each.variance + each.between_families**2 + each.residual**2
            squares[cell.device].append(each.log_error**2 / expected)
    means = [float(np.mean(of_device)) for of_device in squares.values()]
    return Estimate(float(np.sqrt(_mean_with(1.0, _ASSUMED_DEVICES, means))), float(_ASSUMED_DEVICES + len(means)))


def freedom_of(parts: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own (Welch 1947, Satterthwaite 1946)."""
    total = sum(variance for variance, _ in parts)
    return min(FREEDOM, total**2 / sum(variance**2 / freedom for variance, freedom in parts))


def _by_family(unseen: Sequence[Unseen]) -> dict[tuple[Group, str], list[Unseen]]:
    """Return the rows of each family on each device, predicted without the family."""
    rows = defaultdict(list)
    for each in unseen:
        if each.left_out == "family":
            rows[each.group, each.row.family].append(each)
    return rows


def _square(rows: Sequence[Unseen]) -> float:
    """Return the mean square error, less the variance that is known without it."""
    return max(0.0, float(np.mean([each.log_error**2 - each.variance - each.residual**2 for each in rows])))


def _says_nothing(rows: Sequence[Unseen], assumed: float) -> bool:
    """Return whether a family is predicted so badly without it that the assumed deviation could not be seen."""
    return float(np.mean([each.variance for each in rows])) > (_VISIBLE * assumed) ** 2


def _class_of(group: Group, rows: Sequence[Unseen]) -> tuple[object, ...]:
    """Return kernels, precision, several threads, order of execution, and many or mixed cores."""
    device, kernels, precision, _, several = group
    order = CORES[rows[0].row.cell.core].order if rows else ""
    many = device in BIG_LITTLE or any(each.row.cell.threads > _FEW_THREADS for each in rows)
    return kernels, precision, several, order, many


def _mean_with(before: float, count: int, values: Sequence[float]) -> float:
    return (count * before + sum(values)) / (count + len(values))
