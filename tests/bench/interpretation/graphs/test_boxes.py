"""Detectors: how their outputs are read, and which category each class is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput, DatasetError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.interpretation import Source
from edge_bench.bench.records.outputs.boxes import BoxTruth
from edge_bench.bench.records.outputs.decoding import BoxDecoding
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import letterboxed
from edge_bench.bench.tasks.detection.truth import unpacked_truth
from tests.made.graph.boxes import boxes, yolo_head
from tests.made.graph.graph_models import brightness_detector, yolo_model
from tests.made.graph.graph_workloads import box_images, workload

NAMES = ("ant", "bee", "cat", "dog")
CLASSES = [0, 1, 2, 3] * 8


def source_of(found: Workload, subject: str) -> Source:
    return next(each.source for each in found.interpretations if each.subject == subject)


def decoding_of(found: Workload) -> BoxDecoding:
    decoding = next(iter(found.graphs.values())).decoding
    assert isinstance(decoding, BoxDecoding)
    return decoding


def test_names_in_the_model_tell_the_categories(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    found = workload(brightness_detector(tmp_path / "e.tflite", labels=NAMES), data=folder, labels=truth)
    assert (found.task, source_of(found, "task")) == ("detect", Source.DATA)
    assert found.graphs["e"].categories == (0, 1, 2, 3)
    assert source_of(found, "labels") is Source.MODEL
    assert found.identity.classes == list(NAMES)
    assert isinstance(found.truth, BoxTruth)
    assert [each.categories.tolist() for each in unpacked_truth(found.truth).images] == [[each] for each in CLASSES]


def test_images_fill_the_input_and_their_own_sizes_are_kept(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    found = workload(brightness_detector(tmp_path / "d.tflite", labels=NAMES), data=folder, labels=truth, limit=5)
    decoding = decoding_of(found)
    assert (decoding.form, decoding.letterbox, decoding.input_size) == ("postprocess", False, (8, 8))
    assert decoding.sizes is not None
    assert unpack(decoding.sizes).tolist() == [80, 40] * 5
    assert found.sizes is not None
    assert found.sizes.tolist() == [[80, 40]] * 5
    assert (len(found.indices), found.total_images) == (5, 32)


def test_without_names_the_map_is_tested(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES, first_id=1)
    model = brightness_detector(tmp_path / "d.tflite")
    found = workload(model, data=folder, labels=truth, preprocess="raw")
    assert found.graphs["d"].categories == (0, 1, 2, 3)
    assert source_of(found, "labels") is Source.TESTED


def test_names_that_are_one_class_off_are_refused(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", [0, 1, 2] * 10, NAMES[:3])
    names = tmp_path / "names.txt"
    names.write_text("background\nant\nbee\ncat\n")
    with pytest.raises(BadInput) as caught:
        workload(brightness_detector(tmp_path / "d.tflite"), data=folder, labels=truth, classes=names, preprocess="raw")
    assert "--classes" in caught.value.remedy


def test_a_stated_order_of_classes_needs_no_test(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES, first_id=10)
    model = brightness_detector(tmp_path / "d.tflite")
    found = workload(model, data=folder, labels=truth, preprocess="raw", class_order="id")
    assert found.graphs["d"].categories == (0, 1, 2, 3)
    found = workload(model, data=folder, labels=truth, preprocess="raw", label_offset=-10)
    assert found.graphs["d"].categories == (0, 1, 2, 3)
    assert source_of(found, "labels") is Source.STATED


def test_the_order_of_outputs_follows_from_values_or_is_stated(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    model = brightness_detector(tmp_path / "d.tflite", order=(2, 1, 3, 0))
    found = workload(model, data=folder, labels=truth, preprocess="raw")
    assert decoding_of(found).order == "scores,classes,number,boxes"
    assert source_of(found, "outputs") is Source.TESTED
    stated = workload(model, data=folder, task="detect", preprocess="raw", output_order="scores,classes,number,boxes")
    assert source_of(stated, "outputs") is Source.STATED


def test_ambiguous_preprocessing_must_be_given_if_there_are_true_values(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    model = brightness_detector(tmp_path / "d.tflite")
    with pytest.raises(BadInput) as caught:
        workload(model, data=folder, labels=truth)
    assert "--preprocess" in caught.value.remedy
    assert source_of(workload(model, data=folder, task="detect"), "preprocessing") is Source.DEFAULT
    assumed = workload(model, data=folder, labels=truth, assume=True)
    assert source_of(assumed, "preprocessing") is Source.ASSUMED


@pytest.mark.parametrize("objectness", [False, True])
@pytest.mark.parametrize("pixels", [False, True])
def test_a_yolo_head_gets_letterboxed_images(tmp_path: Path, objectness: bool, pixels: bool) -> None:
    folder, _ = box_images(tmp_path / "images", [1, 2], NAMES, size=(64, 32))
    layout = HeadLayout(boxes_first=objectness, objectness=objectness, classes=3)
    known = boxes((8, 4, 40, 20, 2, 0.75))
    placement = letterboxed((64, 32), (32, 32))
    number = 21 * (3 if objectness else 1)
    head = yolo_head(known, layout, np.array([5]), number, placement, pixels=pixels)
    found = workload(yolo_model(tmp_path / "y.tflite", head, 32), data=folder)
    decoding = decoding_of(found)
    assert (found.task, source_of(found, "task")) == ("detect", Source.MODEL)
    assert (decoding.form, decoding.letterbox, decoding.pixels) == ("yolo", True, pixels)
    assert (decoding.objectness, decoding.classes, decoding.boxes_first) == (objectness, 3, objectness)
    assert (decoding.score_threshold, decoding.iou_threshold) == (0.001, 0.45)


def test_boxes_of_other_images_and_other_problems_of_true_boxes_are_refused(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", [0, 1], NAMES)
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    content = json.loads(truth.read_text())
    changes: dict[str, Callable[[Any], Any]] = {
        "other images": lambda each: [image.update(file_name=f"x{image['id']}.png") for image in each["images"]],
        "outside": lambda each: each["annotations"][0].update(bbox=[70, 30, 40, 40]),
        "category": lambda each: each["annotations"][0].update(category_id=77),
        "size": lambda each: each["images"][0].update(width=81),
    }
    for name, change in changes.items():
        changed = json.loads(json.dumps(content))
        change(changed)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(changed))
        with pytest.raises(DatasetError):
            workload(model, data=folder, labels=path)


def test_selected_examples_keep_their_boxes_and_sizes(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    found = workload(brightness_detector(tmp_path / "d.tflite", labels=NAMES), data=folder, labels=truth)
    part = found.selected(np.array([3, 0]))
    assert isinstance(part.truth, BoxTruth)
    assert [each.categories.tolist() for each in unpacked_truth(part.truth).images] == [[3], [0]]
    decoding = decoding_of(part)
    assert decoding.sizes is not None
    assert decoding.sizes.length == 4
    assert part.graphs["d"].rows.tolist() == [3, 0]


def test_names_in_another_order_than_the_classes_are_refused(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    names = tmp_path / "names.txt"
    names.write_text("\n".join(reversed(NAMES)))
    with pytest.raises(BadInput) as caught:
        workload(brightness_detector(tmp_path / "d.tflite"), data=folder, labels=truth, classes=names, preprocess="raw")
    assert "--classes" in caught.value.remedy


def test_boxes_with_swapped_axes_are_refused(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    content = json.loads(truth.read_text())
    for each in content["annotations"]:
        left, top, width, height = each["bbox"]
        each["bbox"] = [2 * top, left / 2, 2 * height, width / 2]  # images are twice as wide as high
    truth.write_text(json.dumps(content))
    model = brightness_detector(tmp_path / "d.tflite")
    with pytest.raises(BadInput) as caught:
        workload(model, data=folder, labels=truth, preprocess="raw", class_order="id")
    assert "--task" in caught.value.remedy


def test_the_only_class_is_the_only_category_with_boxes(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", [1, 1], NAMES, size=(64, 32))
    layout = HeadLayout(boxes_first=False, objectness=False, classes=1)
    head = yolo_head(
        boxes((8, 4, 40, 20, 0, 0.75)), layout, np.array([5]), 84, letterboxed((64, 32), (64, 64)), pixels=True
    )
    model = yolo_model(tmp_path / "y.tflite", head, 64)
    found = workload(model, data=folder, labels=truth, preprocess="raw")
    assert found.graphs["y"].categories == (1,)
    assert source_of(found, "labels") is Source.DATA
    folder, truth = box_images(tmp_path / "others", [1, 2], NAMES, size=(64, 32))
    with pytest.raises(BadInput):
        workload(model, data=folder, labels=truth, preprocess="raw")


def test_true_boxes_of_turned_images_need_the_orientation_stated(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    exif = Image.Exif()
    exif[0x0112] = 3
    path = folder / "000.png"
    Image.open(path).save(path, exif=exif)
    with pytest.raises(BadInput) as caught:
        workload(model, data=folder, labels=truth)
    assert "--no-exif-orientation" in caught.value.remedy
    for stated in (True, False):
        assert workload(model, data=folder, labels=truth, exif_orientation=stated).task == "detect"
    assert workload(model, data=folder, task="detect").truth is None


def test_detectors_with_other_classes_are_compared_by_number_with_a_note(tmp_path: Path) -> None:
    folder, truth = box_images(tmp_path / "images", CLASSES, NAMES)
    models = [
        brightness_detector(tmp_path / f"{name}.tflite", labels=names)
        for name, names in (("a", NAMES), ("b", NAMES), ("c", NAMES[::-1]))
    ]
    same = workload(*models[:2], data=folder, task="detect").notes
    assert len(workload(models[0], models[2], data=folder, task="detect").notes) == len(same) + 1
    with pytest.raises(BadInput):
        workload(models[0], models[2], data=folder, labels=truth)
