"""Results that are cached by the content of records."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.tasks.content_cache import cached_by_content
from tests.made.graph.task_runs import tensors


def test_equal_records_are_one_and_others_are_not() -> None:
    calls = list[int]()

    @cached_by_content
    def number(record: msgspec.Struct, positions: npt.NDArray[np.integer[Any]], seed: int | None) -> int:
        calls.append(1)
        return len(calls)

    values, positions = np.arange(6.0).reshape(3, 2), np.arange(3)
    first = number(tensors(a=values), positions, 0)
    assert number(tensors(a=values.copy()), positions.copy(), 0) == first
    others = [
        number(tensors(a=values + 1), positions, 0),
        number(tensors(a=values), positions[::-1].copy(), 0),
        number(tensors(a=values), positions.astype(np.int32), 0),
        number(tensors(a=values), positions, None),
        number(tensors(**{"\udcff": values}), positions, 0),  # a name that cannot be encoded is computed each time
        number(tensors(**{"\udcff": values}), positions, 0),
    ]
    assert len({first, *others}) == 1 + len(others)
