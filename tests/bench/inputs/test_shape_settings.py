"""Shapes of open axes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_bench.bench.errors import BadInput
from edge_bench.bench.inputs.shape_settings import parse_shape, with_shapes
from edge_bench.bench.inputs.specs import InputSpec

TOKENS = InputSpec("tokens", "int32", (-1, -1))
MASK = InputSpec("a=b", "float32", (1, -1, 4))
FIXED = InputSpec("fixed", "float32", (1, 3))


@settings(deadline=None)
@given(st.text(min_size=1, max_size=20), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_any_name_and_sizes(name: str, sizes: list[int]) -> None:
    assert parse_shape(f"{name}={'x'.join(map(str, sizes))}") == (name, tuple(sizes))


@pytest.mark.parametrize(
    "text",
    ["", "tokens", "tokens=", "=1x2", "tokens=1x", "tokens=x1", "tokens=1 x 2", "tokens=1,2", "tokens=-1x2",
     "tokens=1.5", "tokens=0x2", "tokens=1x²", "tokens=99999999999", "tokens=100000x100000",
     "tokens=" + "x".join(["1"] * 33), "tokens=?x2", "tokens=1x2\n"],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_shape(text)
    assert caught.value.exit_code == 2


def test_open_axes_take_the_stated_sizes() -> None:
    tokens, mask, fixed = with_shapes([TOKENS, MASK, FIXED], ["tokens=1x128", "a=b=1x7x4"])
    assert (tokens.shape, tokens.example_shape) == ((1, 128), (128,))
    assert (mask.shape, mask.known_shape) == ((1, 7, 4), (7, 4))
    assert fixed == FIXED
    (several,) = with_shapes([TOKENS], ["tokens=8x128"])
    assert several.example_shape == (128,)  # the first axis was open, so it is the examples
    assert with_shapes([FIXED], ["fixed=1×3"])[0].shape == (1, 3)
    (wave,) = with_shapes([InputSpec("wave", "float32", (-1,))], ["wave=15600"])
    assert wave.example_shape == (15600,)


@pytest.mark.parametrize(
    "settings",
    [
        ["token=1x128"],
        ["tokens=128"],
        ["tokens=1x1x128"],
        ["a=b=2x7x4"],
        ["a=b=1x7x5"],
        ["fixed=1x4"],
        ["tokens=1x128", "tokens=1x128"],
        ["tokens=1x128", "tokens=1x64"],
    ],
)
def test_shapes_that_do_not_fit_are_refused(settings: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        with_shapes([TOKENS, MASK, FIXED], settings)
    assert "\n" not in caught.value.problem + caught.value.remedy


@pytest.mark.parametrize(
    ("shape", "stated", "example"),
    [
        ((1, 256), None, (256,)),
        ((-1, 256), None, (256,)),
        ((-1,), None, ()),
        ((15_600,), None, (15_600,)),
        ((1,), None, (1,)),
        ((), None, ()),
        ((2, 1, 64), None, (2, 1, 64)),
        ((8, 64), True, (64,)),
        ((1, 64), False, (1, 64)),
    ],
)
def test_the_shape_of_an_example(shape: tuple[int, ...], stated: bool | None, example: tuple[int, ...]) -> None:
    assert InputSpec("x", "float32", shape, stated).example_shape == example


def test_an_example_of_unknown_shape_requires_the_shape_option() -> None:
    with pytest.raises(BadInput) as caught:
        assert TOKENS.known_shape
    assert "tokens=NxN" in caught.value.remedy
    with pytest.raises(BadInput):
        assert InputSpec("words", "str", (1,)).type
    with pytest.raises(BadInput):
        with_shapes([TOKENS, TOKENS], [])
