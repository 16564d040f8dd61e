"""Runs of models with unusual scores, shapes or state."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edge_bench.bench.analysis.labels.agreement import agreement_of, common_predictions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.outputs.union import TensorOutputs
from edge_bench.bench.records.run import UNCLASSIFIED, Settings
from tests.made.brightness import bright_inputs, brightness_weights
from tests.made.images import class_folders
from tests.made.keras import saved_model_of_running_sum
from tests.made.onnx import OnnxBuilder, brightness_onnx
from tests.made.tflite import TfliteBuilder
from tests.made.tflite_models import brightness_tflite
from tests.measured import arrays, correct, run_files
from tests.models import INTERPRETERS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

LITERT = Selection(runtimes=["litert"])
ONNX_RUNTIME = Selection(runtimes=["onnxruntime"])


def binary(path: Path, *, logits: bool = False, scale: float | None = None) -> Path:
    """Write a model with a single score: a bright image is class 1."""
    graph = TfliteBuilder()
    value = graph.tensor(1, 8, 8, 3)
    score = graph.dense(value, np.full((192, 1), 40 / 192, np.float32), np.array([-16.0]))
    if scale is not None:
        options = schema.QuantizeOptionsT()
        probability = graph.operator("LOGISTIC", [score], [graph.tensor(1, 1)])
        score = graph.operator(
            "QUANTIZE", [probability], [graph.tensor(1, 1, kind="INT8", scale=scale, zero_point=-128)], options
        )
    elif not logits:
        score = graph.operator("LOGISTIC", [score], [graph.tensor(1, 1)])
    return graph.save(path, [value], [score])


def test_scores_that_are_not_finite_are_wrong_and_reported(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add_brightness(range(5), 192, "scores")
    graph.add("Sub", ["scores", "scores"], "zero")
    graph.add("Div", ["zero", "zero"], "y")
    model = graph.save(tmp_path / "nan.onnx", ["N", 3, 8, 8], ["N", 5])
    run = run_files([model], data=class_folders(tmp_path / "images", range(5), each=8), preprocess="unit")
    assert set(correct(run)) == {(0, 40)}
    for result in run.results:
        assert result.unclassified_positions is not None
        assert unpack(result.unclassified_positions).tolist() == list(range(40))
        assert set(result.labels()) == {UNCLASSIFIED}
        assert any("40 of 40" in warning for warning in result.warnings)
        # it agrees with nothing, not even with itself
        first, second, common = common_predictions(run, result, run, result)
        agreement = agreement_of(first, second, common)
        assert (agreement.same, agreement.total) == (0, 40)


def test_single_images_without_finite_scores(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Identity", ["x"], "y")
    model = graph.save(tmp_path / "same.onnx", ["N", 6], ["N", 6])
    inputs = np.eye(6, dtype=np.float32)[[0, 1, 2, 3, 4, 5]]
    inputs[2, 0], inputs[4, 5] = np.nan, np.inf
    run = run_files([model], **arrays(tmp_path, inputs, range(6)))
    assert set(correct(run)) == {(4, 6)}
    for result in run.results:
        assert run.correct_in_top_5(result) == (4, 6)
        assert result.labels().tolist() == [0, 1, UNCLASSIFIED, 3, UNCLASSIFIED, 5]
        assert result.trials[0].correct == 4


def test_ties_give_the_lower_class_in_top_1_and_top_5(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("MatMul", ["x", graph.constant("w", np.zeros((3, 100), np.float32))], "y")
    model = graph.save(tmp_path / "equal.onnx", ["N", 3], ["N", 100])
    labels = np.zeros(50, np.int64)
    labels[25:49], labels[49] = np.arange(24) + 3, 99
    inputs = np.random.default_rng(0).random((50, 3), np.float32)
    run = run_files([model], ONNX_RUNTIME, **arrays(tmp_path, inputs, labels))
    assert correct(run) == [(25, 50)]
    assert run.correct_in_top_5(run.results[0]) == (27, 50)
    assert run.results[0].tied_images == 50
    assert any("50 of 50" in warning for warning in run.results[0].warnings)
    assert any("same label" in warning for warning in run.results[0].warnings)


def test_no_warning_about_predictions_that_are_right(tmp_path: Path) -> None:
    model = brightness_onnx(tmp_path / "a.onnx", range(5))
    run = run_files([model], ONNX_RUNTIME, data=class_folders(tmp_path / "images", range(5)), preprocess="unit")
    assert correct(run) == [(20, 20)]
    assert not any("label" in each or "chance" in each or "scores" in each for each in run.results[0].warnings)


def test_an_accuracy_of_chance_is_reported(tmp_path: Path) -> None:
    graph = OnnxBuilder()
    graph.add("Identity", ["x"], "y")
    model = graph.save(tmp_path / "same.onnx", ["N", 4], ["N", 4])
    predicted = np.arange(40) % 4
    labels = np.where(np.arange(40) % 3 == 0, predicted, (predicted + 1) % 4)  # 14 of 40 are right
    run = run_files([model], ONNX_RUNTIME, **arrays(tmp_path, np.eye(4, dtype=np.float32)[predicted], labels))
    assert correct(run) == [(14, 40)]
    assert any("chance" in warning for warning in run.results[0].warnings)


def test_examples_of_a_model_with_state_are_independent(tmp_path: Path) -> None:
    graph, inputs = TfliteBuilder(), np.random.default_rng(1).random((60, 4), np.float32)
    value = graph.tensor(1, 4)
    model = graph.save(tmp_path / "sum.tflite", [value], [graph.running_sum(value, 4)])
    named = arrays(tmp_path, inputs, inputs.argmax(axis=1))
    selection = Selection(runtimes=INTERPRETERS)
    assert set(correct(run_files([model], selection, **named))) == {(60, 60)}
    streamed = run_files([model], selection, Settings(trials=2, processes=1, stateful=True), **named)
    for result in streamed.results:
        assert not streamed.scored(result)
        assert result.predictions is not None


def test_resource_variables_are_initialised_before_every_example(tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    folder, inputs = saved_model_of_running_sum(tmp_path / "sum"), np.random.default_rng(1).random((30, 3), np.float32)
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.experimental_enable_resource_variables = True
    (tmp_path / "sum.tflite").write_bytes(converter.convert())
    run = run_files([tmp_path / "sum.tflite"], **arrays(tmp_path, inputs, inputs.argmax(axis=1)))
    runnable = [result for result in run.results if result.failure is None]
    assert [run.correct(result) for result in runnable] == [(30, 30)] * len(runnable)
    assert runnable
    assert all(any("first invocation" in warning for warning in result.warnings) for result in runnable)


@pytest.mark.parametrize("scale", [None, 1 / 256])
def test_a_single_score_has_two_classes(scale: float | None, tmp_path: Path) -> None:
    images = class_folders(tmp_path / "images", [1, 9], each=10)
    run = run_files([binary(tmp_path / "binary.tflite", scale=scale)], LITERT, data=images, preprocess="unit")
    assert correct(run) == [(20, 20)]
    assert run.results[0].in_top_5 is None
    strict = run_files(
        [binary(tmp_path / "binary.tflite", scale=scale)], LITERT, data=images, preprocess="unit", threshold=1.5
    )
    assert correct(strict) == [(10, 20)]
    assert strict.bundle.sha256 != run.bundle.sha256


def test_a_single_score_that_is_no_probability_is_refused_unless_the_threshold_is_stated(tmp_path: Path) -> None:
    model, images = binary(tmp_path / "logit.tflite", logits=True), class_folders(tmp_path / "images", [1, 9], each=10)
    with pytest.raises(BadInput) as caught:
        run_files([model], LITERT, data=images, preprocess="unit")
    assert "--threshold" in caught.value.remedy
    assumed = run_files([model], LITERT, data=images, preprocess="unit", assume=True)
    assert assumed.accuracy_assumed
    assert any("--threshold" in warning for warning in assumed.results[0].warnings)
    stated = run_files([model], LITERT, data=images, preprocess="unit", threshold=0.0)
    assert correct(stated) == [(20, 20)]
    assert not any("--threshold" in warning for warning in stated.results[0].warnings)


def test_scores_on_one_side_of_the_threshold_are_refused_unless_it_is_stated(tmp_path: Path) -> None:
    model, images = binary(tmp_path / "half.tflite"), class_folders(tmp_path / "images", [1, 7], each=10)
    with pytest.raises(BadInput) as caught:  # all images are darker than the model's limit, if pixels are halved
        run_files([model], LITERT, data=images, scale=[1 / 510])
    assert "--threshold" in caught.value.remedy


def test_exchanged_classes_are_a_warning_if_their_order_was_stated(tmp_path: Path) -> None:
    classes = tmp_path / "classes.txt"
    classes.write_text("# a comment\n1\n0\n2\n3\n")
    model = brightness_tflite(tmp_path / "m.tflite", range(4))
    images = class_folders(tmp_path / "images", range(4), each=6)
    run = run_files([model], LITERT, data=images, preprocess="unit", classes=classes)
    assert correct(run) == [(12, 24)]
    assert any("another class" in warning for warning in run.results[0].warnings)


@pytest.mark.parametrize("gives", [["N", 5, 1, 1], ["N", 1, 5], ["N", "classes"]])
def test_scores_with_more_axes(gives: list[Any], tmp_path: Path) -> None:
    graph = OnnxBuilder()
    scores = graph.add_brightness(range(5), 192, "scores")
    sizes = [-1, *(size if isinstance(size, int) else 5 for size in gives[1:])]
    graph.add("Reshape", [scores, graph.constant("shape", np.array(sizes))], "y")
    model = graph.save(tmp_path / "a.onnx", ["N", 3, 8, 8], gives)
    run = run_files([model], data=class_folders(tmp_path / "images", range(5)), preprocess="unit")
    assert set(correct(run)) == {(20, 20)}


def fixed_tflite(path: Path, batch: int) -> Path:
    graph = TfliteBuilder()
    value = graph.tensor(batch, 8, 8, 3)
    return graph.save(path, [value], [graph.dense(value, *brightness_weights(range(5), 192), batch=batch)])


@pytest.mark.parametrize("kind", ["onnx", "tflite"])
def test_the_only_batch_size_of_a_file_is_its_default(kind: str, tmp_path: Path) -> None:
    onnx = kind == "onnx"
    path = tmp_path / f"four.{kind}"
    model = brightness_onnx(path, range(5), [4, 3, 8, 8]) if onnx else fixed_tflite(path, 4)
    named: dict[str, Any] = {"data": class_folders(tmp_path / "images", range(5), each=3), "preprocess": "unit"}
    for batch_sizes in (None, [4]):
        run = run_files([model], batch_sizes=batch_sizes, **named)
        assert {result.configuration.batch_size for result in run.results} == {4}
        assert {run.correct(result) for result in run.results if result.failure is None} == {(15, 15)}
    with pytest.raises(BadInput) as refused:
        run_files([model], batch_sizes=[1], **named)
    assert "--batch-size 4" in refused.value.remedy
    several = run_files([model], batch_sizes=[1, 4], **named)
    assert {result.configuration.batch_size for result in several.results_with_trials} == {4}
    assert all(result.failure for result in several.results if result.configuration.batch_size == 1)


def test_each_model_has_its_own_batch_size(tmp_path: Path) -> None:
    models = [fixed_tflite(tmp_path / "four.tflite", 4), fixed_tflite(tmp_path / "one.tflite", 1)]
    images = class_folders(tmp_path / "images", range(5), each=2)
    run = run_files(models, LITERT, data=images, preprocess="unit")
    assert [result.configuration.batch_size for result in run.results] == [4, 1]
    assert correct(run) == [(10, 10), (10, 10)]


def test_a_waveform_without_a_batch_axis_is_one_example(tmp_path: Path) -> None:
    graph = TfliteBuilder()
    value = graph.tensor(192)
    model = graph.save(tmp_path / "wave.tflite", [value], [graph.dense(value, *brightness_weights(range(5), 192))])
    levels = np.repeat(np.arange(5), 3)
    run = run_files([model], LITERT, **arrays(tmp_path, bright_inputs(levels.tolist(), 192), levels))
    assert correct(run) == [(15, 15)]
    with pytest.raises(BadInput) as refused:
        run_files([model], batch_sizes=[8])
    assert "--batch-size 1" in refused.value.remedy


def tokens(path: Path) -> Path:
    graph = TfliteBuilder()
    value = graph.tensor(1, 16, kind="INT32")
    table = graph.tensor(100, 3, data=np.zeros((100, 3), np.float32))
    looked_up = graph.operator("GATHER", [table, value], [graph.tensor(1, 16, 3)], schema.GatherOptionsT())
    axis = graph.tensor(1, data=np.array([1], np.int32), kind="INT32")
    mean = graph.operator("MEAN", [looked_up, axis], [graph.tensor(1, 3)], schema.ReducerOptionsT())
    return graph.save(path, [value], [mean])


def picture(path: Path, outputs: int = 1) -> Path:
    graph = TfliteBuilder()
    value = graph.tensor(1, 8, 8, 3)
    made = [graph.operator("LOGISTIC", [value], [graph.tensor(1, 8, 8, 3)]) for _ in range(outputs)]
    return graph.save(path, [value], made)


def test_models_that_are_no_classifiers_are_measured_without_classes(tmp_path: Path) -> None:
    for outputs, model in ((1, picture(tmp_path / "picture.tflite")), (2, picture(tmp_path / "heads.tflite", 2))):
        run = run_files([model], LITERT, Settings(trials=1, processes=1, limit=3))
        recorded = run.results[0].outputs
        assert run.task == "tensor"
        assert isinstance(recorded, TensorOutputs)
        assert [each.stored for each in recorded.outputs] == outputs * [3]
        with pytest.raises(BadInput) as refused:
            run_files([model], task="classify")
        assert str(model) in refused.value.problem


def test_integers_that_may_be_indices_need_a_range(tmp_path: Path) -> None:
    model = tokens(tmp_path / "tokens.tflite")
    with pytest.raises(BadInput) as refused:
        run_files([model])
    (name,) = re.findall(r"--range (\S+)=", refused.value.remedy)
    settings = Settings(trials=1, processes=1, limit=3)
    run = run_files([model], LITERT, settings, task="tensor", ranges=(f"{name}=0..99",))
    assert run.results[0].outputs is not None


@pytest.mark.parametrize("variable", ["EDGE_BENCH_WARM_UP_SECONDS", "EDGE_BENCH_TRIAL_SECONDS"])
@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf"])
def test_a_duration_that_is_no_number_is_refused(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fixed_tflite(tmp_path / "one.tflite", 1)
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadInput, match=variable):
        run_files([model], LITERT)


def test_shorter_warm_ups_and_trials_are_findings_that_do_not_spoil(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_BENCH_WARM_UP_SECONDS", "0.01")
    run = run_files([fixed_tflite(tmp_path / "one.tflite", 1)], LITERT, Settings(trials=1, processes=1, limit=4))
    for variable in ("EDGE_BENCH_WARM_UP_SECONDS", "EDGE_BENCH_TRIAL_SECONDS"):
        assert [each.spoils for each in run.findings if variable in each.what] == [False]
