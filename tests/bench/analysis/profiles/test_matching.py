"""Operators of two profiles that do the same are found by name, otherwise by kind, work and position."""

import pytest

from edge_bench.bench.analysis.profiles import matching
from edge_bench.bench.analysis.profiles.matching import matched
from edge_bench.bench.analysis.profiles.names import operator_names
from edge_bench.bench.records.profile import OperatorTime
from tests.made.profiles import FLOAT32, INT8, operator_time


def indices(first: list[OperatorTime], second: list[OperatorTime]) -> list[tuple[int | None, int | None]]:
    return [(a.index if a else None, b.index if b else None) for a, b in matched(first, second)]


def test_variants_of_a_model_match_by_name_around_operators_that_only_one_has() -> None:
    expected = [(None, 0), (0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert indices(FLOAT32.operators, INT8.operators) == expected
    assert indices(INT8.operators, FLOAT32.operators) == [(b, a) for a, b in expected]


def test_other_formats_match_by_kind_and_work() -> None:
    tflite = [
        operator_time(0, "CONV_2D", 1, name="a", macs=10), operator_time(1, "CONV_2D", 1, name="b", macs=30),
        operator_time(2, "AVERAGE_POOL_2D", 1, name="c", macs=0), operator_time(3, "FULLY_CONNECTED", 1, name="d"),
    ]  # fmt: skip
    onnx = [
        operator_time(0, "ReorderInput", 1, name="x", macs=0), operator_time(1, "Conv", 1, name="y", macs=30),
        operator_time(2, "GlobalAveragePool", 1, name="z", macs=0), operator_time(3, "Gemm", 1, name="d"),
    ]  # fmt: skip
    assert indices(tflite, onnx) == [(0, None), (None, 0), (1, 1), (2, 2), (3, 3)]
    assert indices(tflite, []) == [(0, None), (1, None), (2, None), (3, None)]


def test_large_models_match_by_unique_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_CELLS", 1)
    # Identity and Identity_int8 have different names
    expected = [(None, 0), (0, 1), (1, 2), (2, 3), (3, 4), (4, None), (None, 5)]
    assert indices(FLOAT32.operators, INT8.operators) == expected


def test_operators_are_called_after_their_layer_and_differ() -> None:
    assert operator_names(FLOAT32.operators) == ["conv2d", "max_pooling2d", "conv2d_1", "dense", "softmax"]
    made = [
        operator_time(3, "QUANTIZE", 1, name="tfl.quantize"), operator_time(4, "QUANTIZE", 1, name=""),
        operator_time(5, "RESHAPE", 1, name="net/flatten/Reshape"), operator_time(6, "Conv", 1, name="/l/conv/Conv_0"),
    ]  # fmt: skip
    assert operator_names(made) == ["quantize #3", "quantize #4", "flatten", "conv"]
