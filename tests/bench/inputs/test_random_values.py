"""Seeded random inputs."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.random_values import ValueRange, parse_range, random_graph_inputs
from edge_bench.bench.inputs.specs import GraphInputs, InputSpec
from edge_bench.bench.inputs.stored import PART_VALUES
from edge_bench.bench.io.npy import open_npy

TOKENS = InputSpec("tokens", "int32", (1, 16))


def values(inputs: GraphInputs, name: str) -> npt.NDArray[Any]:
    return open_npy(inputs.arrays[name])


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("tokens=0..9999", "tokens", (0, 9999)),
        ("a=b=-1..1", "a=b", (-1, 1)),
        ("x=-0.5..1e3", "x", (-0.5, 1000.0)),
        ("x=1.5..1.5", "x", (1.5, 1.5)),
        ("x=+1.0..2.0", "x", (1.0, 2.0)),
        ("x..y=0..1", "x..y", (0, 1)),
    ],
)
def test_ranges(text: str, name: str, expected: tuple[float, float]) -> None:
    found, given = parse_range(text)
    assert (found, given) == (name, ValueRange(*expected))
    assert [type(end) for end in given] == [type(end) for end in expected]


@pytest.mark.parametrize(
    "text",
    ["", "tokens", "tokens=", "=0..1", "x=1..0", "x=0-1", "x=0...5", "x=0.5...7", "x=nan..1", "x=0..inf", "x=0..1e999",
     "x=0..", "x=0..1..2", "x=0 .. 1", "x=" + "9" * 99 + "..1", "x=0x10..0x20", "x=²..³"],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_range(text)
    assert caught.value.exit_code == 2


def test_values_are_in_their_range_with_both_ends() -> None:
    inputs = [
        TOKENS,
        InputSpec("pixels", "uint8", (1, 8, 8)),
        InputSpec("real", "float32", (-1, 50)),
        InputSpec("half", "float16", (1, 50)),
        InputSpec("truth", "bool", (1, 9)),
        InputSpec("wide", "uint64", (1, 50)),
    ]
    found = random_graph_inputs(inputs, ["tokens=3..7", "half=-2..-1", f"wide=0..{2**64 - 1}"], 40, seed=1)
    assert found.examples == 40
    tokens = values(found, "tokens")
    assert (tokens.shape, tokens.dtype.name) == ((40, 16), "int32")
    assert set(np.unique(tokens)) == {3, 4, 5, 6, 7}
    assert (values(found, "pixels").min(), values(found, "pixels").max()) == (0, 255)
    real = values(found, "real")
    assert 0 <= real.min() < 0.01 < 0.99 < real.max() <= 1
    half = values(found, "half")
    assert -2 <= half.min() < -1.9 < -1.1 < half.max() <= -1
    assert set(np.unique(values(found, "truth"))) == {False, True}
    assert values(found, "wide").max() > 2**63
    assert len(found.notes) == len(inputs)


def test_the_seed_and_the_name_decide_and_the_first_examples_do_not_change() -> None:
    shape = (1, PART_VALUES // 4 + 3)  # several parts
    inputs = [InputSpec(name, "uint8", shape) for name in "ab"]
    seven, same, three, other = (random_graph_inputs(inputs, [], *each) for each in ((7, 1), (7, 1), (3, 1), (7, 2)))
    assert seven.sha256 == same.sha256
    assert len({seven.sha256, three.sha256, other.sha256}) == 3
    assert np.array_equal(values(seven, "a")[:3], values(three, "a"))
    assert not np.array_equal(values(seven, "a"), values(seven, "b"))
    assert not np.array_equal(values(seven, "a"), values(other, "a"))


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32", "uint32", "int64", "uint64"])
def test_integers_that_may_be_indices_need_a_range(dtype: str) -> None:
    with pytest.raises(BadInput) as caught:
        random_graph_inputs([InputSpec("tokens", dtype, (1, 4))], [], 1, 1)
    assert "tokens=" in caught.value.remedy


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        (TOKENS, ["token=0..9"]),
        (TOKENS, ["tokens=0..9", "tokens=0..9"]),
        (TOKENS, ["tokens=0.5..9"]),
        (TOKENS, [f"tokens=0..{2**31}"]),
        (TOKENS, [f"tokens={-(2**31) - 1}..0"]),
        (InputSpec("x", "uint8", (1, 4)), ["x=-1..4"]),
        (InputSpec("x", "float16", (1, 4)), ["x=0..70000"]),
        (InputSpec("x", "float64", (1, 4)), ["x=-1.7e308..1.7e308"]),
        (InputSpec("x", "bool", (1, 4)), ["x=0..2"]),
        (InputSpec("x", "float32", (-1, -1)), []),
        (InputSpec("x", "str", (1, 4)), []),
    ],
)
def test_ranges_that_are_not_possible_are_refused(spec: InputSpec, settings: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        random_graph_inputs([spec], settings, 2, 1)
    assert "\n" not in caught.value.problem + caught.value.remedy
