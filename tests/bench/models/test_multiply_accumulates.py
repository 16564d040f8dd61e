"""Multiply-accumulates of single operators, counted by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.model_formats.tflite import parse_tflite, read_tflite
from edge_bench.bench.models.cost import ModelCost, model_cost
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import lstm_model

Shape = tuple[int, ...]
IN, CELLS, OUT, STEPS, BATCH = 4, 16, 5, 12, 3


def cost_of(
    kind: str | int, inputs: Sequence[Shape | None], output: Shape, options: Any = None, custom: str | None = None
) -> ModelCost:
    """Return the cost of one operator; None is an omitted input, and all but the first are weights."""
    made = TfliteBuilder()
    tensors = [-1 if shape is None else made.tensor(*shape, data=True if n else None) for n, shape in enumerate(inputs)]
    given = made.tensor(*output)
    made.operator(kind, tensors, [given], options, custom=custom)
    return model_cost(parse_tflite(made.content(tensors[:1], [given])))


def cell(
    *, cifg: bool = False, peephole: bool = False, projection: bool = False, inputs: int = IN
) -> list[Shape | None]:
    """Return the weights of an LSTM cell, in the order of the operator."""
    given = OUT if projection else CELLS
    input_gate = [None] if cifg else [1]
    return [
        *[gate and (CELLS, inputs) for gate in (*input_gate, 1, 1, 1)],
        *[gate and (CELLS, given) for gate in (*input_gate, 1, 1, 1)],
        *[(CELLS,) if peephole else None] * 3,
        *[gate and (CELLS,) for gate in (*input_gate, 1, 1, 1)],
        (OUT, CELLS) if projection else None,
        (OUT,) if projection else None,
    ]  # fmt: skip


FULL = 4 * (IN * CELLS + CELLS * CELLS)


@pytest.mark.parametrize("time_major", [False, True])
def test_the_lstm_layer_of_the_issue_is_counted(tmp_path: Path, time_major: bool) -> None:
    file = read_tflite(lstm_model(tmp_path / "lstm.tflite", time_major=time_major))
    cost = model_cost(file)
    assert (cost.macs, cost.uncounted) == (12 * 4 * (4 * 16 + 16 * 16), ())
    assert cost.parameters == 4 * (4 * 16 + 16 * 16 + 16)


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({}, FULL),
        ({"cifg": True}, FULL * 3 // 4),
        ({"peephole": True}, FULL + 3 * CELLS),
        ({"projection": True}, 4 * (IN * CELLS + OUT * CELLS) + CELLS * OUT),
    ],
)
def test_every_kind_of_lstm_is_counted(options: dict[str, bool], weights: int) -> None:
    given = OUT if options.get("projection") else CELLS
    states: list[Shape | None] = [(BATCH, given), (BATCH, CELLS), None, None, None, None]
    sequence = cost_of(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", [(BATCH, STEPS, IN), *cell(**options), *states], (BATCH, STEPS, given)
    )
    assert sequence.macs == BATCH * STEPS * weights
    step = cost_of("LSTM", [(BATCH, IN), *cell(**options), *states], (BATCH, given))
    assert step.macs == BATCH * weights


def test_the_basic_lstm_kernel_has_one_matrix() -> None:
    inputs: list[Shape | None] = [(BATCH, IN), (BATCH, CELLS), (4 * CELLS, IN + CELLS), (4 * CELLS,), (BATCH, CELLS)]
    assert cost_of("LSTM", inputs, (BATCH, CELLS)).macs == BATCH * FULL


@pytest.mark.parametrize("auxiliary", [0, 7])
def test_both_directions_are_counted(auxiliary: int) -> None:
    states: list[Shape | None] = [(BATCH, CELLS)] * 4
    own: list[Shape | None] = [(CELLS, auxiliary) if auxiliary else None] * 8
    more = [(BATCH, STEPS, auxiliary) if auxiliary else None, *own]
    inputs = [(BATCH, STEPS, IN), *cell(), *cell(), *states, *more]
    cost = cost_of("BIDIRECTIONAL_SEQUENCE_LSTM", inputs, (BATCH, STEPS, 2 * CELLS))
    assert cost.macs == BATCH * STEPS * (2 * FULL + 8 * CELLS * auxiliary)
    rnn: list[Shape | None] = [(CELLS, IN), (CELLS, CELLS), (CELLS,), (BATCH, CELLS)]
    aux: list[Shape | None] = [(CELLS, auxiliary) if auxiliary else None] * 2
    inputs = [(BATCH, STEPS, IN), *rnn, *rnn, more[0], *aux]
    cost = cost_of("BIDIRECTIONAL_SEQUENCE_RNN", inputs, (BATCH, STEPS, 2 * CELLS))
    assert cost.macs == BATCH * STEPS * (2 * CELLS * (IN + CELLS) + 2 * CELLS * auxiliary)


@pytest.mark.parametrize(
    ("kind", "inputs", "output", "macs"),
    [
        ("RNN", [(3, 4), (16, 4), (16, 16), (16,), (3, 16)], (3, 16), 3 * 16 * 20),
        ("UNIDIRECTIONAL_SEQUENCE_RNN", [(3, 12, 4), (16, 4), (16, 16), (16,), (3, 16)], (3, 12, 16), 36 * 16 * 20),
        ("SVDF", [(3, 4), (6, 4), (6, 10), None, (3, 60)], (3, 6), 3 * (6 * 4 + 6 * 10)),
        ("CONV_2D", [(1, 8, 8, 4), (6, 3, 3, 2), (6,)], (1, 8, 8, 6), 8 * 8 * 6 * 3 * 3 * 2),
        ("CONV_3D", [(1, 5, 8, 8, 4), (2, 3, 3, 4, 6)], (1, 4, 6, 6, 6), 4 * 6 * 6 * 6 * 2 * 3 * 3 * 4),
        (
            "CONV_3D_TRANSPOSE",
            [(5,), (2, 3, 3, 6, 4), (1, 4, 6, 6, 4)],
            (1, 5, 8, 8, 6),
            4 * 6 * 6 * 4 * 2 * 3 * 3 * 6,
        ),
        ("TRANSPOSE_CONV", [(4,), (6, 3, 3, 4), (1, 5, 5, 4)], (1, 10, 10, 6), 5 * 5 * 4 * 6 * 3 * 3),
        ("FULLY_CONNECTED", [(3, 7, 4), (16, 4), (16,)], (3, 7, 16), 3 * 7 * 16 * 4),
        ("BATCH_MATMUL", [(2, 3, 4), (2, 4, 5)], (2, 3, 5), 2 * 3 * 5 * 4),
        ("EMBEDDING_LOOKUP", [(9,), (100, 8)], (9, 8), 0),
        ("AVERAGE_POOL_2D", [(1, 8, 8, 4)], (1, 4, 4, 4), 0),
        ("MUL", [(1, 8), (1, 8)], (1, 8), 0),
    ],
)
def test_single_operators_are_counted(kind: str, inputs: list[Shape | None], output: Shape, macs: int) -> None:
    cost = cost_of(kind, inputs, output)
    assert (cost.macs, cost.is_complete) == (macs, True)


def test_a_transposed_first_matrix_is_summed_over_its_other_axis() -> None:
    cost = cost_of("BATCH_MATMUL", [(2, 4, 3), (2, 4, 5)], (2, 3, 5), schema.BatchMatMulOptionsT(adjX=True))
    assert cost.macs == 2 * 3 * 5 * 4


@pytest.mark.parametrize(
    ("kind", "custom", "name"),
    [
        ("CUSTOM", "Mine", "CUSTOM Mine"),
        ("CUSTOM", "FlexMatMul", "CUSTOM FlexMatMul"),
        ("CUSTOM", None, "CUSTOM"),
        ("STABLEHLO_DOT_GENERAL", None, "STABLEHLO_DOT_GENERAL"),
        ("RFFT2D", None, "RFFT2D"),
        ("IF", None, "IF"),
        ("WHILE", None, "WHILE"),
        (250, None, "BUILTIN 250"),
    ],
)
def test_operators_that_may_multiply_are_named(kind: str | int, custom: str | None, name: str) -> None:
    cost = cost_of(kind, [(1, 8)], (1, 8), custom=custom)
    assert cost.uncounted == (name,)
    assert not cost.is_complete
    assert [each.counted for each in cost.operators] == [False]


def test_operators_of_other_graphs_are_named_if_they_multiply() -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 8)
    made.operator("ABS", [taken], [taken])
    made.new_graph("body")
    made.operator("FULLY_CONNECTED", [made.tensor(1, 8), made.tensor(4, 8, data=True)], [made.tensor(1, 4)])
    made.operator("ABS", [0], [0])
    cost = model_cost(parse_tflite(made.content([taken], [taken])))
    assert (cost.macs, cost.uncounted, cost.uncounted_elsewhere) == (0, (), ("FULLY_CONNECTED",))
    assert not cost.is_complete


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("CONV_2D", [(1, 8, 8, 3), (6, 3)]),
        ("FULLY_CONNECTED", [(1, 8), None]),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", [(1, 8, 3), None, (4, 3)]),
        ("LSTM", [(1, 8), *[None] * 19]),
        ("SVDF", []),
    ],
)
def test_tensors_that_do_not_fit_are_refused(kind: str, inputs: list[Shape | None]) -> None:
    with pytest.raises(ValueError, match=kind):
        cost_of(kind, inputs, (1, 4))
