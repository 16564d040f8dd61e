"""Pareto front of points with a cost and a value."""

import numpy as np
import numpy.typing as npt

__all__ = ["pareto_front"]


def pareto_front(cost: npt.ArrayLike, value: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether each point is Pareto-optimal, shape [n].

    ``cost`` (less is better) and ``value`` (more is better) have shape [n]; other shapes raise ValueError. A point is
    optimal if no other has at most its cost and at least its value, one strictly. Equal points are all optimal or not.
    Source: Pareto efficiency, as in Kung, Luccio & Preparata 1975, "On finding the maxima of a set of vectors".
    """
    costs, values = np.asarray(cost, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if costs.shape != values.shape or costs.ndim != 1:
        raise ValueError("costs and values are two lists of the same length")
    front = np.zeros(len(costs), dtype=np.bool_)
    best_value = -np.inf  # highest value of all cheaper points
    for current_cost in np.unique(costs):
        same_cost = costs == current_cost
        highest = values[same_cost].max()
        if highest > best_value:
            front |= same_cost & (values == highest)
            best_value = highest
    return front
