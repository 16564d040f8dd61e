"""The Pareto front, checked against its definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_bench.bench.stats.pareto import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=20)


@given(POINTS)
def test_the_front_is_every_point_that_no_other_point_beats(points: list[tuple[int, int]]) -> None:
    cost, value = np.array(points, dtype=np.float64).T
    beaten = [any(c <= x and v >= y and (c < x or v > y) for c, v in points) for x, y in points]
    assert pareto_front(cost, value).tolist() == [not each for each in beaten]
