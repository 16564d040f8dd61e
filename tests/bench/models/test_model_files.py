"""Model files of any kind: which are classifiers, and the names, types and shapes of all others."""

from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.models.model_files import ModelFiles
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import brightness_tflite, detection_model


def two_to_one(path: Path, *, kind: str = "FLOAT32", signatures: int = 0) -> Path:
    """Write a model that adds two inputs of 2 numbers."""
    made = TfliteBuilder()
    first, second = made.tensor(1, 2, kind=kind), made.tensor(1, 2, open_shape=[-1, 2])
    total = made.operator("ADD", [first, second], [made.tensor(1, 2)])
    for number in range(signatures):
        made.signature(f"f{number}", {"b": second, "a": first}, {"sum": total})
    return made.save(path, [first, second], [total])


def test_a_classifier_has_no_list_of_inputs(tmp_path: Path) -> None:
    models = ModelFiles.open([brightness_tflite(tmp_path / "c.tflite", [0, 1, 2])], 10)
    assert (models.variants[0].inputs, models.variants[0].outputs, models.graphs) == ([], [], {})


def test_the_same_file_is_a_graph_for_another_task(tmp_path: Path) -> None:
    models = ModelFiles.open([brightness_tflite(tmp_path / "c.tflite", [0, 1, 2])], 10, task="regress")
    (only,) = models.variants[0].inputs
    assert (only.shape, only.name, models.graphs["c"].has_batch_axis) == ([1, 8, 8, 3], "t0", [True])


def test_several_outputs_are_a_graph_unless_the_task_is_to_classify(tmp_path: Path) -> None:
    path = detection_model(tmp_path / "d.tflite")
    variant = ModelFiles.open([path], 10).variants[0]
    assert [spec.shape for spec in variant.outputs] == [[1, 3, 4], [1, 3], [1, 3], [1]]
    assert (variant.input, variant.output) == (variant.inputs[0], variant.outputs[0])
    with pytest.raises(BadInput):
        ModelFiles.open([path], 10, task="classify")


def test_names_of_the_only_signature_in_the_order_of_the_graph(tmp_path: Path) -> None:
    variant = ModelFiles.open([two_to_one(tmp_path / "s.tflite", signatures=1)], 10).variants[0]
    assert [spec.name for spec in variant.inputs] == ["a", "b"]
    assert [spec.shape for spec in variant.inputs] == [[1, 2], [-1, 2]]
    assert variant.outputs[0].name == "sum"


def test_names_of_tensors_if_there_are_several_signatures(tmp_path: Path) -> None:
    path = two_to_one(tmp_path / "s.tflite", signatures=2)
    assert [spec.name for spec in ModelFiles.open([path], 10).variants[0].inputs] == ["t0", "t1"]
    stated = ModelFiles.open([path], 10, signature="f1")
    assert [spec.name for spec in stated.variants[0].inputs] == ["a", "b"]
    assert stated.variants[0].signature == "f1"
    assert [each.name for each in stated.graphs["s"].signatures] == ["f0", "f1"]


def test_an_unknown_signature_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([two_to_one(tmp_path / "s.tflite", signatures=2)], 10, signature="g")
    assert "f0, f1" in caught.value.remedy


def test_strings_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        ModelFiles.open([two_to_one(tmp_path / "s.tflite", kind="STRING")], 10)
    assert "t0" in caught.value.problem
