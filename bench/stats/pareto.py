"""Which choices nothing else beats in both respects at once."""

import numpy as np
import numpy.typing as npt

__all__ = ["pareto_front"]


def pareto_front(cost: npt.ArrayLike, value: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Shape [n]: whether no other point costs at most as much and is worth at least as much, one of them strictly.

    ``cost`` (less is better) and ``value`` (more is better) have shape [n]. Equal points are on the front together.
    Source: Pareto efficiency, as in Kung, Luccio & Preparata 1975, "On finding the maxima of a set of vectors".
    """
    costs, values = np.asarray(cost, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if costs.shape != values.shape or costs.ndim != 1:
        raise ValueError("costs and values are two lists of the same length")
    front = np.zeros(len(costs), dtype=np.bool_)
    best = -np.inf  # value of anything cheaper
    for price in np.unique(costs):
        tied = costs == price
        top = values[tied].max()
        if top > best:
            front |= tied & (values == top)
            best = top
    return front
