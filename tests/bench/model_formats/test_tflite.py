"""Operators, graphs and signatures in .tflite files."""

from pathlib import Path

import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import parse_tflite, read_tflite
from edge_bench.bench.model_formats.tflite_operators import custom_code, is_flex
from tests.made.tflite import TfliteBuilder


def with_operator(kind: str | int, custom: str | None = None) -> bytes:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 4), made.tensor(1, 4)
    made.operator(kind, [taken], [given], custom=custom)
    return made.content([taken], [given])


@pytest.mark.parametrize(
    ("written", "name"),
    [("Mine", "Mine"), ("a:b c", "a:b c"), ("FlexErf", "FlexErf"), ("", ""), (None, ""), ("x" * 5000, "x" * 100)],
)
def test_custom_operators_have_their_names(written: str | None, name: str) -> None:
    (operator,) = parse_tflite(with_operator("CUSTOM", written)).operators
    assert custom_code(operator.name) == name
    assert is_flex(operator.name) == name.startswith("Flex")


def test_built_in_operators_are_not_custom_and_newer_ones_have_a_number() -> None:
    for kind, name in (("ABS", "ABS"), (250, "BUILTIN 250")):
        (operator,) = parse_tflite(with_operator(kind)).operators
        assert operator.name == name
        assert custom_code(operator.name) is None


def test_an_operator_without_a_code_is_refused() -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 4)
    made.operator("ABS", [taken], [taken])
    made.graph.operators[0].opcodeIndex = 7
    with pytest.raises(ValueError, match="7"):
        parse_tflite(made.content([taken], [taken]))


def test_a_file_without_graphs_is_refused(tmp_path: Path) -> None:
    made = TfliteBuilder()
    content = made.content([], [])
    made.model.subgraphs = []
    import flatbuffers

    builder = flatbuffers.Builder(256)
    builder.Finish(made.model.Pack(builder), b"TFL3")
    (tmp_path / "x.tflite").write_bytes(bytes(builder.Output()))
    with pytest.raises(BadInput):
        read_tflite(tmp_path / "x.tflite")
    assert parse_tflite(content).graphs[0].name == "main"


def test_signatures_have_their_names_and_shapes() -> None:
    made = TfliteBuilder()
    taken, given = made.tensor(1, 8, open_shape=(-1, 8)), made.tensor(1, 8, open_shape=(-1, 8))
    made.operator("ADD", [taken, taken], [given], schema.AddOptionsT())
    made.signature("double", {"x": taken}, {"twice": given})
    made.new_graph("second")
    other = made.tensor(3, kind="INT32")
    made.operator("ABS", [other], [other])
    made.signature("magnitude", {}, {"y": other}, graph=1)
    file = parse_tflite(made.content([taken], [given]))
    first, second = file.signatures
    assert (first.key, first.graph, second.key, second.graph) == ("double", 0, "magnitude", 1)
    assert [(name, tensor.signature) for name, tensor in (*first.inputs, *first.outputs)] == [
        ("x", (-1, 8)),
        ("twice", (-1, 8)),
    ]
    assert second.inputs == ()
    assert [(name, tensor.dtype, tensor.shape) for name, tensor in second.outputs] == [("y", "int32", (3,))]
    assert [(graph.name, graph.nodes) for graph in file.graphs] == [("main", 1), ("second", 1)]


@pytest.mark.parametrize(("tensor", "graph"), [(9, 0), (0, 5)])
def test_signatures_of_nothing_are_refused(tensor: int, graph: int) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 4)
    made.operator("ABS", [taken], [taken])
    made.signature("f", {"x": tensor}, {}, graph)
    with pytest.raises(ValueError, match=str(max(tensor, graph)) if graph else "signature"):
        parse_tflite(made.content([taken], [taken]))


def test_a_file_without_signatures_has_none() -> None:
    assert parse_tflite(with_operator("ABS")).signatures == ()
