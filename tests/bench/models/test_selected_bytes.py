"""Bytes of operators that select values of a large tensor."""

import pytest

from edge_bench.bench.models.operators.work import ModelWork, NodeWork


@pytest.mark.parametrize(
    ("kind", "inputs", "moved"),
    [
        ("GATHER", ("table", "indices"), 10 + 40 + 40),
        ("EMBEDDING_LOOKUP", ("indices", "table"), 10 + 40 + 40),
        ("ADD", ("table", "indices"), 1000 + 10 + 40),
    ],
)
def test_only_the_selected_values_of_a_table_are_moved(kind: str, inputs: tuple[str, ...], moved: int) -> None:
    node = NodeWork(kind, "rows", 0, inputs, ("rows",), "")
    assert ModelWork([node], {"table": 1000, "indices": 10, "rows": 40}).of([0]).bytes_moved == moved
