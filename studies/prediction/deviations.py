"""How much predictions of unseen families and devices deviate, which sets the widths of the intervals.

Both are estimated from rows that the fit did not see, and for a row of the error table also without the errors of its
own family or device, so that no interval is set with the row that it is tested on.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from studies.prediction.folds import Group, Unseen

__all__ = ["device_factor", "family_deviation"]

#: The assumed deviation counts like this many families or devices.
_ASSUMED_FAMILIES, _ASSUMED_DEVICES = 2, 1
#: If at most one family was measured, nothing shows how families differ: the assumed deviation is so many times larger
#: with one and with several threads, but at most that of in-order cores.
_ONE_FAMILY = {False: 1.5, True: 2.5}
_MOST_ASSUMED = 0.25


def family_deviation(unseen: Sequence[Unseen], group: Group, assumed: float, without: str = "") -> float:
    """Return the standard deviation of the logarithm between families of models.

    The mean errors of the families on this device are compared with zero, after subtraction of the variance that the
    parameters explain.
    """
    errors = defaultdict(list)
    for each in unseen:
        if each.left_out == "family" and each.group == group and each.row.family != without:
            errors[each.row.family].append(each)
    if len(errors) <= 1:
        assumed = max(assumed, min(_ONE_FAMILY[group[-1]] * assumed, _MOST_ASSUMED))
    squares = [max(0.0, _mean(of_family) ** 2 - _variance(of_family)) for of_family in errors.values()]
    return float(np.sqrt((_ASSUMED_FAMILIES * assumed**2 + sum(squares)) / (_ASSUMED_FAMILIES + len(squares))))


def device_factor(unseen: Sequence[Unseen], kernels: str, without: str = "") -> float:
    """Return the factor of the standard deviations of the parameters of a device without rows.

    One is the prior's. It is the root mean square of the errors in units of their standard deviations, each device and
    precision counted once.
    """
    squares = defaultdict(list)
    for each in unseen:
        cell = each.row.cell
        if each.left_out == "device" and cell.kernels == kernels and cell.device != without:
            expected = each.variance + each.between_families**2 + each.residual**2
            squares[cell.device].append(each.log_error**2 / expected)
    means = [float(np.mean(of_device)) for of_device in squares.values()]
    return float(np.sqrt((_ASSUMED_DEVICES + sum(means)) / (_ASSUMED_DEVICES + len(means))))


def _mean(unseen: Sequence[Unseen]) -> float:
    return float(np.mean([each.log_error for each in unseen]))


def _variance(unseen: Sequence[Unseen]) -> float:
    return float(np.mean([each.variance for each in unseen]))
