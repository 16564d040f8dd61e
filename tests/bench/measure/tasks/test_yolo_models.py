"""YOLO models that find known boxes in images that are not square: these boxes are found, and score 100 %."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_bench.bench.analysis.quality.scored import measures_of
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.truth import unpacked_detections
from tests.made.graph.yolo_models import CLASSES, Scenes, heads_of, scenes, yolo_onnx, yolo_tflite
from tests.measured import run_files

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("measure_here")]

SIDE = 64
WRITERS = {"tflite": yolo_tflite, "onnx": yolo_onnx}
OPTIONS: dict[str, Any] = {"preprocess": "unit", "channel_order": "rgb"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    return scenes(tmp_path_factory.mktemp("scenes"))


def model(folder: Path, made: Scenes, suffix: str, *, objectness: bool = False, pixels: bool = True) -> Path:
    heads = heads_of(made, SIDE, objectness=objectness, pixels=pixels)
    return WRITERS[suffix](folder / f"yolo.{suffix}", heads, SIDE)


def quality(run: Run) -> list[float | None]:
    """The mean average precision on each runtime."""
    assert [each.failure for each in run.results] == [None] * len(run.results)
    return [measures_of(run, result, intervals=False)[0].value for result in run.results]


def found_boxes(run: Run, runtime: str) -> list[Boxes]:
    (result,) = [each for each in run.results if each.configuration.runtime == runtime]
    assert isinstance(result.outputs, Detections)
    return unpacked_detections(result.outputs)


def assert_found(found: list[Boxes], made: Scenes) -> None:
    assert len(found) == len(made.known)
    for boxes, known in zip(found, made.known, strict=True):
        assert boxes.classes.tolist() == known.classes.tolist()
        assert boxes.scores == pytest.approx(known.scores, rel=1e-5)
        assert boxes.corners == pytest.approx(known.corners, abs=1e-3)


@pytest.mark.parametrize(
    ("suffix", "objectness", "pixels", "labels"),
    [("tflite", False, False, "coco"), ("tflite", True, True, "yolo"), ("onnx", True, False, "coco")],
)  # fmt: skip
def test_known_boxes_are_found(
    tmp_path: Path, made: Scenes, suffix: str, objectness: bool, pixels: bool, labels: str
) -> None:
    path = model(tmp_path, made, suffix, objectness=objectness, pixels=pixels)
    settings = Settings(trials=1, processes=1, with_postprocess=objectness)
    run = run_files([path], settings=settings, data=made.images, labels=getattr(made, labels), **OPTIONS)
    assert quality(run) == pytest.approx([1.0] * len(run.results))
    for result in run.results:
        assert_found(found_boxes(run, result.configuration.runtime), made)
        assert (result.postprocess is not None) == objectness
        if result.postprocess is not None:
            durations = unpack(result.postprocess)
            assert (len(durations), durations.min() > 0) == (len(made.known), True)


def test_images_that_are_squashed_lose_their_boxes(tmp_path: Path, made: Scenes) -> None:
    path = model(tmp_path, made, "tflite")
    litert = Selection(runtimes=["litert"])
    (lost,) = quality(run_files([path], litert, data=made.images, labels=made.yolo, squash=True, **OPTIONS))
    assert lost is not None
    assert lost < 0.6  # only the square images are right


def test_wrong_statements_lower_the_score(tmp_path: Path, made: Scenes) -> None:
    path = model(tmp_path, made, "tflite")
    litert = Selection(runtimes=["litert"])
    common: dict[str, Any] = {"data": made.images, "labels": made.coco, **OPTIONS}
    for wrong in ({"coordinates": "shares", "class_order": "id"}, {"label_offset": 0}):
        (lost,) = quality(run_files([path], litert, **common, **wrong))
        assert lost is not None
        assert lost < 0.2, wrong


def test_names_of_classes_tell_the_categories_of_coco(tmp_path: Path, made: Scenes) -> None:
    path, names = model(tmp_path, made, "tflite"), tmp_path / "names.txt"
    names.write_text("".join(f"{name}\n" for name in CLASSES))
    options: dict[str, Any] = {"data": made.images, "labels": made.coco, "classes": names, **OPTIONS}
    assert quality(run_files([path], Selection(runtimes=["litert"]), **options)) == pytest.approx([1.0])


def test_batches_of_an_open_model_give_the_same_boxes(tmp_path: Path, made: Scenes) -> None:
    path = model(tmp_path, made, "onnx")
    run = run_files([path], Selection(batch_sizes=[1, 4]), data=made.images, labels=made.yolo, **OPTIONS)
    assert quality(run) == pytest.approx([1.0] * len(run.results))
    one, four = [each for each in run.results if each.configuration.runtime == "onnxruntime"]
    assert one.outputs == four.outputs


def test_a_limit_measures_some_of_the_images(tmp_path: Path, made: Scenes) -> None:
    path = model(tmp_path, made, "tflite")
    settings = Settings(trials=1, processes=1, limit=4)
    run = run_files(
        [path],
        Selection(runtimes=["litert"]),
        settings,
        data=made.images,
        labels=made.yolo,
        class_order="id",
        **OPTIONS,
    )
    assert quality(run) == pytest.approx([1.0])
    chosen = unpack(run.images.indices)
    assert len(chosen) == 4
    for boxes, number in zip(found_boxes(run, "litert"), chosen.tolist(), strict=True):
        assert boxes.corners == pytest.approx(made.known[number].corners, abs=1e-3)
    assert np.array_equal(np.unique(chosen), np.sort(chosen))
