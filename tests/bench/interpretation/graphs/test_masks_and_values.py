"""Segmentation, regression and scores: which output is read, and true values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.records.outputs.decoding import MaskDecoding, ScoreDecoding
from edge_bench.bench.records.outputs.scores import FlagTruth, ValueTruth
from edge_bench.bench.tasks.scores.tables import unpacked_flags, unpacked_values
from edge_bench.bench.tasks.segmentation.mask_values import IGNORED
from tests.made.graph.graph_models import colour_segmenter, regressor
from tests.made.graph.graph_workloads import workload
from tests.made.tflite import TfliteBuilder

SIZE = (20, 10)
MASK_OPTIONS: dict[str, Any] = {"preprocess": "raw", "channel_order": "rgb"}


def mask_images(
    folder: Path, count: int = 3, *, value: int = 1, mask_size: tuple[int, int] = SIZE
) -> tuple[Path, Path]:
    """Images in a folder, and their masks in a folder below it."""
    masks = folder / "masks"
    masks.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", SIZE, (0, 200, 0)).save(folder / f"{number}.jpg")
        Image.fromarray(np.full(mask_size[::-1], value, np.uint8)).save(masks / f"{number}.png")
    return folder, masks


@pytest.mark.parametrize(("first", "axis"), [(False, "last"), (True, "first")])
def test_masks_tell_the_task_and_the_shape_the_axis(tmp_path: Path, first: bool, axis: str) -> None:
    folder, masks = mask_images(tmp_path / "images")
    model = colour_segmenter(tmp_path / "s.tflite", channels_first=first)
    found = workload(model, data=folder, labels=masks, **MASK_OPTIONS)
    assert found.task == "segment"
    assert found.graphs["s"].decoding == MaskDecoding(output=0, classes=3, axis=axis)  # type: ignore[arg-type]
    assert found.total_images == 3  # masks are no images
    assert found.true_masks is not None
    assert found.sizes is not None
    mask = found.true_masks.read(2, (SIZE[1], SIZE[0]))
    assert mask is not None
    assert (mask == 1).all()
    part = found.selected(np.array([2]))
    assert part.true_masks is not None
    assert part.true_masks.files == ("2.png",)


def test_class_indices_need_the_names_of_classes(tmp_path: Path) -> None:
    folder, masks = mask_images(tmp_path / "images")
    model = colour_segmenter(tmp_path / "s.tflite", indices=True)
    with pytest.raises(BadInput) as caught:
        workload(model, data=folder, labels=masks, **MASK_OPTIONS)
    assert "--classes" in caught.value.remedy
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    found = workload(model, data=folder, labels=masks, classes=tmp_path / "names.txt", **MASK_OPTIONS)
    assert found.graphs["s"].decoding == MaskDecoding(output=0, classes=3, axis="none")
    assert found.identity.classes == ["red", "green", "blue"]


def test_values_of_masks_are_stated(tmp_path: Path) -> None:
    folder, masks = mask_images(tmp_path / "images", value=200)
    model = colour_segmenter(tmp_path / "s.tflite")
    with pytest.raises(DatasetError) as caught:
        workload(model, data=folder, labels=masks, **MASK_OPTIONS)
    assert "--mask-values" in caught.value.remedy
    table = tmp_path / "values.txt"
    table.write_text("200 2\n")
    found = workload(model, data=folder, labels=masks, mask_values=table, **MASK_OPTIONS)
    assert found.true_masks is not None
    assert found.true_masks.values.classes_of(np.array([[200]]), table).tolist() == [[2]]
    ignored = workload(model, data=folder, labels=masks, ignore_mask_values="200", **MASK_OPTIONS)
    assert ignored.true_masks is not None
    assert ignored.true_masks.values.classes_of(np.array([[200]]), table).tolist() == [[IGNORED]]


def test_masks_of_a_wrong_size_are_refused_at_once(tmp_path: Path) -> None:
    folder, masks = mask_images(tmp_path / "images", mask_size=(21, 10))
    with pytest.raises(DatasetError):
        workload(colour_segmenter(tmp_path / "s.tflite"), data=folder, labels=masks, **MASK_OPTIONS)


def numbers(folder: Path, count: int = 6) -> Path:
    path = folder / "x.npy"
    np.save(path, np.arange(count * 4, dtype=np.float32).reshape(count, 4))
    return path


def test_fractions_are_a_regression(tmp_path: Path) -> None:
    truth = tmp_path / "y.csv"
    truth.write_text("value\n" + "".join(f"{number + 0.5}\n" for number in range(6)))
    found = workload(regressor(tmp_path / "r.tflite"), data=numbers(tmp_path), labels=truth, limit=3)
    assert found.task == "regress"
    assert found.graphs["r"].decoding == ScoreDecoding(output=0)
    assert isinstance(found.truth, ValueTruth)
    assert unpacked_values(found.truth)[:, 0].tolist() == (found.indices + 0.5).tolist()
    part = found.selected(np.array([1]))
    assert isinstance(part.truth, ValueTruth)
    assert unpacked_values(part.truth).tolist() == [[found.indices[1] + 0.5]]


def test_sets_of_classes_are_multilabel(tmp_path: Path) -> None:
    flags = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    np.save(tmp_path / "y.npy", flags)
    model = regressor(tmp_path / "m.tflite", outputs=3, scale=0.01)
    found = workload(model, data=numbers(tmp_path), labels=tmp_path / "y.npy")
    assert found.task == "multilabel"
    assert isinstance(found.truth, FlagTruth)
    assert unpacked_flags(found.truth).tolist() == flags.astype(bool).tolist()
    np.save(tmp_path / "y.npy", flags[:, :2])
    with pytest.raises(BadInput):  # two columns, three scores
        workload(model, data=numbers(tmp_path), labels=tmp_path / "y.npy")


def test_a_score_that_is_no_probability_needs_a_threshold(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.array([0, 1, 0, 1, 1, 0]))
    model = regressor(tmp_path / "b.tflite")
    options: dict[str, Any] = {"data": numbers(tmp_path), "labels": tmp_path / "y.npy", "task": "binary"}
    with pytest.raises(BadInput) as caught:
        workload(model, **options)
    assert "--threshold" in caught.value.remedy
    found = workload(model, **options, threshold=0.0)
    assert isinstance(found.truth, FlagTruth)
    assert (found.truth.threshold, found.truth.columns) == (0.0, 1)


@pytest.mark.parametrize("values", [np.array([0.5, np.nan, 1, 1, 1, 1]), np.array([0.5, 1.0])])
def test_true_values_that_are_unknown_or_too_few_are_refused(tmp_path: Path, values: Any) -> None:
    np.save(tmp_path / "y.npy", values)
    with pytest.raises(DatasetError):
        workload(regressor(tmp_path / "r.tflite"), data=numbers(tmp_path), labels=tmp_path / "y.npy")


def test_of_several_outputs_the_one_that_fits_or_the_stated_one(tmp_path: Path) -> None:
    made = TfliteBuilder()
    taken = made.tensor(1, 4)
    outputs = [made.dense(taken, np.ones((4, count), np.float32), np.zeros(count, np.float32)) for count in (2, 1, 1)]
    made.signature("serve", {"x": taken}, {"two": outputs[0], "one": outputs[1], "other": outputs[2]})
    model = made.save(tmp_path / "m.tflite", [taken], outputs)
    np.save(tmp_path / "y.npy", np.full((6, 2), 0.5))
    np.save(tmp_path / "one.npy", np.full(6, 0.5))
    options: dict[str, Any] = {"data": numbers(tmp_path)}
    found = workload(model, labels=tmp_path / "y.npy", **options)
    assert found.graphs["m"].decoding == ScoreDecoding(output=0)
    with pytest.raises(BadInput) as caught:
        workload(model, labels=tmp_path / "one.npy", **options)
    assert "--output" in caught.value.remedy
    for output in ("other", "2"):
        found = workload(model, labels=tmp_path / "one.npy", output=output, **options)
        assert found.graphs["m"].decoding == ScoreDecoding(output=2)
        assert next(each.source for each in found.interpretations if each.subject == "output") is Source.STATED
    with pytest.raises(BadInput):
        workload(model, labels=tmp_path / "one.npy", output="none", **options)


def test_columns_of_true_labels_are_in_the_order_of_the_classes_that_their_headings_name(tmp_path: Path) -> None:
    flags = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 1, 1]])
    (tmp_path / "classes.txt").write_text("cat\ndog\ncow\n")
    options: dict[str, Any] = {
        "data": numbers(tmp_path), "task": "multilabel", "classes": tmp_path / "classes.txt", "threshold": 0.5,
        "labels": tmp_path / "labels.csv",
    }  # fmt: skip
    model = regressor(tmp_path / "m.tflite", outputs=3)
    for headings, order in (("cat,dog,cow", [0, 1, 2]), ("cow,cat,dog", [2, 0, 1]), ("a,b,c", [0, 1, 2])):
        rows = [",".join(map(str, row)) for row in flags[:, order].tolist()]
        (tmp_path / "labels.csv").write_text("\n".join([headings, *rows]))
        found = workload(model, **options)
        assert isinstance(found.truth, FlagTruth)
        assert unpacked_flags(found.truth).tolist() == flags.astype(bool).tolist()
    (tmp_path / "labels.csv").write_text("\n".join(["cow,pig,dog", *rows]))
    with pytest.raises(DatasetError):
        workload(model, **options)


def test_an_output_stated_by_number_is_the_same_one_in_all_models(tmp_path: Path) -> None:
    models = []
    for number, names in enumerate((("one", "two"), ("two", "one"))):
        made = TfliteBuilder()
        taken = made.tensor(1, 4)
        outputs = {name: made.dense(taken, np.ones((4, 1), np.float32), np.zeros(1, np.float32)) for name in names}
        made.signature("serve", {"x": taken}, outputs)
        models.append(made.save(tmp_path / f"{number}.tflite", [taken], list(outputs.values())))
    np.save(tmp_path / "y.npy", np.full(6, 0.5))
    options: dict[str, Any] = {"data": numbers(tmp_path), "labels": tmp_path / "y.npy"}
    found = workload(*models, output="one", **options)
    assert [each.decoding for each in found.graphs.values()] == [ScoreDecoding(output=0), ScoreDecoding(output=1)]
    with pytest.raises(BadInput) as caught:
        workload(*models, output="0", **options)
    assert "one" in caught.value.remedy


def test_masks_of_letterboxed_images_are_refused(tmp_path: Path) -> None:
    folder, masks = mask_images(tmp_path / "images")
    with pytest.raises(BadInput):
        workload(colour_segmenter(tmp_path / "s.tflite"), data=folder, labels=masks, letterbox=True, **MASK_OPTIONS)
