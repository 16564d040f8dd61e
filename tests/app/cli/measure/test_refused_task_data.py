"""Data, true values and options that do not fit the models of a task: one or two lines, exit code 2."""

import json
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command_line import CommandLine, Refuses, assert_refused
from tests.made.graph.graph_models import brightness_detector, colour_segmenter, regressor
from tests.made.graph.graph_workloads import box_images
from tests.made.graph.graphs import mixed_onnx, mixed_tflite, two_signatures_tflite
from tests.made.images import class_folders
from tests.made.tflite_models import brightness_tflite

pytestmark = pytest.mark.slow

NAMES = ("ant", "bee", "cat", "dog")
SIZE = (20, 10)
Options = tuple[object, ...]


def refused(refuses: Refuses, *arguments: object) -> str:
    """Assert that ``run`` refuses in at most two lines; return them."""
    error = refuses("run", *arguments)
    assert error.exit_code == 2
    lines = [error.problem, error.remedy]
    assert all("\n" not in line and len(line) < 400 for line in lines), lines
    assert "--" in " ".join(lines) or error.remedy
    return " ".join(lines)


def changed_boxes(truth: Path, change: Callable[[Any], Any]) -> Path:
    content = json.loads(truth.read_text())
    change(content)
    path = truth.with_name("changed.json")
    path.write_text(json.dumps(content))
    return path


def first_box(**fields: Any) -> Callable[[Any], Any]:
    return lambda content: content["annotations"][0].update(fields)


def names_of_others(content: Any) -> None:
    for image in content["images"]:
        image["file_name"] = f"x{image['id']}.png"


@pytest.mark.parametrize(
    ("change", "mention"),
    [
        (names_of_others, "changed.json"),
        (first_box(bbox=[70, 30, 40, 40]), "annotation"),
        (first_box(bbox=[10, 10, -5, 10]), "annotation"),
        (first_box(bbox=[1, 2, 3]), "changed.json"),
        (first_box(bbox=[1, 2, 3, "four"]), "changed.json"),
        (first_box(category_id=77), "77"),
        (first_box(image_id=99), "99"),
        (lambda content: content["images"][0].update(width=81), "81"),
        (lambda content: content["categories"].append({"id": 1, "name": "ant"}), "1"),
        (lambda content: content.pop("annotations"), "annotations"),
        (lambda content: content.pop("categories"), "categories"),
    ],
)
def test_boxes_of_coco(tmp_path: Path, refuses: Refuses, change: Callable[[Any], Any], mention: str) -> None:
    folder, truth = box_images(tmp_path / "images", [3, 0, 1, 2], NAMES)
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    text = refused(refuses, model, "--data", folder, "--labels", changed_boxes(truth, change))
    assert mention in text


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}", '{"images": 3}', "\x00\xff"])
def test_files_that_are_no_coco_file(tmp_path: Path, refuses: Refuses, content: str) -> None:
    folder, truth = box_images(tmp_path / "images", [0, 1], NAMES)
    truth.write_text(content, encoding="latin-1")
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    assert truth.name in refused(refuses, model, "--data", folder, "--labels", truth)


@pytest.mark.parametrize(
    ("files", "mention"),
    [
        ({"000.txt": "0 40 20 20 10"}, "fraction"),
        ({"000.txt": "0 0.9 0.5 0.4 0.2"}, "000.txt"),
        ({"000.txt": "0 0.5 0.5 0.4"}, "000.txt"),
        ({"000.txt": "ant 0.5 0.5 0.4 0.2"}, "000.txt"),
        ({"000.txt": "-1 0.5 0.5 0.4 0.2"}, "000.txt"),
        ({"000.txt": "0 0.5 0.5 0.4 nan"}, "000.txt"),
        ({"other.txt": "0 0.5 0.5 0.4 0.2"}, "labels"),
        ({"000.txt": "7 0.5 0.5 0.4 0.2", "classes.txt": "\n".join(NAMES)}, "7"),
        ({"000.txt": "0 0.5 0.5 0.4 0.2", "000.png": ""}, "--task"),
    ],
)
def test_boxes_of_yolo(tmp_path: Path, refuses: Refuses, files: Mapping[str, str], mention: str) -> None:
    folder, _ = box_images(tmp_path / "images", [0, 1], NAMES)
    (tmp_path / "labels").mkdir()
    for name, content in files.items():
        (tmp_path / "labels" / name).write_text(content)
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    assert mention in refused(refuses, model, "--data", folder, "--labels", tmp_path / "labels")


@pytest.mark.parametrize(
    ("options", "mention"),
    [
        (("--labels", "nowhere.json"), "nowhere.json"),
        (("--labels", "nowhere"), "nowhere"),
        (("--labels", "images.json", "--head", "yolov5"), "--head"),
        (("--labels", "images.json", "--task", "segment"), "outputs"),
        (("--labels", "images.json", "--task", "regress"), "images.json"),
        (("--labels", "images.json", "--threshold", "0.5"), "--threshold"),
        (("--labels", "images.json", "--classes", "few.txt"), "dog"),
        (("--letterbox", "--squash"), "--letterbox"),
        (("--shape", "t0=1x9x9x3"), "t0"),
    ],
)
def test_options_of_detectors(tmp_path: Path, refuses: Refuses, options: Options, mention: str) -> None:
    folder, _ = box_images(tmp_path / "images", [3, 0, 1, 2], NAMES)
    (tmp_path / "few.txt").write_text("ant\nbee\ncat\n")
    model = brightness_detector(tmp_path / "d.tflite", labels=NAMES)
    assert mention in refused(refuses, model, "--data", folder, *options)


@pytest.mark.parametrize(
    ("mask", "options", "mention"),
    [
        ({"size": (19, 10)}, (), "19"),
        ({"mode": "RGB"}, (), "0.png"),
        ({"value": 3}, (), "3"),
        ({"name": "other.png"}, (), "masks"),
        ({"content": b"no image"}, (), "0.png"),
        ({}, ("--mask-values", "values.txt"), "values.txt"),
        ({}, ("--ignore-mask-values", "white"), "white"),
        ({}, ("--task", "detect"), "masks"),
        ({}, ("--classes", "few.txt"), "2"),
    ],
)
def test_masks(tmp_path: Path, refuses: Refuses, mask: Mapping[str, Any], options: Options, mention: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    Image.new("RGB", SIZE, (0, 200, 0)).save(tmp_path / "images" / "0.jpg")
    path = tmp_path / "masks" / mask.get("name", "0.png")
    mode = mask.get("mode", "L")
    Image.new(mode, mask.get("size", SIZE), mask.get("value", 1) if mode == "L" else (1, 1, 1)).save(path)
    if "content" in mask:
        path.write_bytes(mask["content"])
    (tmp_path / "values.txt").write_text("1 purple\n")
    (tmp_path / "few.txt").write_text("red\ngreen\n")
    model = colour_segmenter(tmp_path / "s.tflite")
    common = ("--data", "images", "--labels", "masks", "--preprocess", "raw", "--channel-order", "rgb")
    assert mention in refused(refuses, model, *common, *options)


VALUES, IDS = np.ones((4, 3), np.float32), np.ones((4, 2), np.int64)


@pytest.mark.parametrize(
    ("arrays", "mention"),
    [
        ({"values": VALUES}, "ids"),
        ({"values": VALUES, "ids": IDS[:3]}, "3"),
        ({"values": VALUES[:, :2], "ids": IDS}, "values"),
        ({"values": VALUES[0], "ids": IDS}, "values"),
        ({"values": VALUES.astype(np.float64), "ids": IDS}, "float64"),
        ({"values": VALUES, "ids": IDS.astype(np.int32)}, "int32"),
        ({"values": VALUES.astype(str), "ids": IDS}, "values"),
        ({"values": VALUES.astype(object), "ids": IDS}, "values"),
        ({"values": VALUES[:0], "ids": IDS[:0]}, "0"),
        ({}, "ids"),
    ],
)
def test_arrays_of_inputs(tmp_path: Path, refuses: Refuses, arrays: Mapping[str, Any], mention: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    assert mention in refused(refuses, mixed_tflite(tmp_path / "m.tflite", signature="serve"), "--data", "x.npz")


def sound(path: Path, rate: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(40))


@pytest.mark.parametrize(
    ("options", "mention"),
    [
        (("--data", "nowhere.npz"), "nowhere.npz"),
        (("--data", "x.npy"), "x.npy"),
        (("--data", "text.txt"), "text.txt"),
        (("--data", "images"), "images"),
        (("--data", "sounds"), "inputs"),
        (("--shape", "values=9"), "values"),
        (("--shape", "values=2xfour"), "four"),
        (("--shape", "other=1x3"), "other"),
        (("--range", "values=0..1", "--range", "ids=9..1"), "ids"),
        (("--range", "values=0..1", "--range", "ids=0.5..1"), "ids"),
        (("--range", "other=0..1"), "other"),
        (("--range", "ids=0..9", "--data", "x.npz"), "--range"),
        ((), "--range ids="),
        (("--signature", "other"), "serve"),
        (("--task", "transcribe"), "transcribe"),
        (("--task", "classify"), "inputs"),
        (("--task", "detect", "--range", "ids=0..9"), "images"),
        (("--task", "segment", "--range", "ids=0..9"), "m"),
        (("--task", "regress", "--range", "ids=0..9"), "--output"),
        (("--task", "regress", "--range", "ids=0..9", "--output", "none"), "none"),
        (("--task", "binary", "--range", "ids=0..9", "--output", "sums"), "sums"),
        (("--data", "x.npz", "--labels", "y.npy"), "--task"),
        (("--data", "x.npz", "--labels", "y.npy", "--task", "tensor"), "y.npy"),
        (("--data", "x.npz", "--labels", "y.npy", "--task", "regress", "--output", "sums"), "sums"),
        (("--data", "x.npz", "--range", "ids=0..9"), "--range"),
        (("--range", "ids=0..9", "--output", "sums"), "--output"),
        (("--range", "ids=0..9", "--letterbox"), "--letterbox"),
        (("--range", "ids=0..9", "--crop", "0.5"), "--crop"),
        (("--range", "ids=0..9", "--preprocess", "unit"), "--preprocess"),
        (("--range", "ids=0..9", "--image-size", "9x9"), "--image-size"),
        (("--range", "ids=0..9", "--sample-rate", "8000"), "--sample-rate"),
    ],
)
def test_options_of_graphs(tmp_path: Path, refuses: Refuses, options: Options, mention: str) -> None:
    np.savez(tmp_path / "x.npz", values=VALUES, ids=IDS)
    np.save(tmp_path / "x.npy", VALUES)
    np.save(tmp_path / "y.npy", np.zeros((4, 2)))
    (tmp_path / "text.txt").write_text("text")
    sound(tmp_path / "sounds" / "a.wav", 8000)
    (tmp_path / "images").mkdir()
    Image.new("RGB", SIZE).save(tmp_path / "images" / "0.png")
    assert mention in refused(refuses, mixed_tflite(tmp_path / "m.tflite", signature="serve"), *options)


@pytest.mark.parametrize(
    ("labels", "mention"),
    [
        (np.zeros(3), "3"),
        (np.zeros((4, 2)), "2"),
        (np.array([0, 1, np.nan, 1]), "finite"),
        (np.array(["a", "b", "c", "d"]), "y.npy"),
        (np.array([None] * 4), "y.npy"),
        (np.zeros(0), "y.npy"),
        ("a.npy is no array", "y.npy"),
    ],
)
def test_true_values(tmp_path: Path, refuses: Refuses, labels: Any, mention: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 4), np.float32))
    if isinstance(labels, str):
        (tmp_path / "y.npy").write_text(labels)
    else:
        np.save(tmp_path / "y.npy", labels)
    model = regressor(tmp_path / "r.tflite")
    assert mention in refused(refuses, model, "--data", "x.npy", "--labels", "y.npy", "--task", "regress")


@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_flags_that_are_neither_0_nor_1(tmp_path: Path, refuses: Refuses, task: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 4), np.float32))
    np.save(tmp_path / "y.npy", np.array([0, 1, 2, 1]))
    model = regressor(tmp_path / "r.tflite")
    assert "2" in refused(refuses, model, "--data", "x.npy", "--labels", "y.npy", "--task", task)


def test_signatures(tmp_path: Path, refuses: Refuses) -> None:
    model = two_signatures_tflite(tmp_path / "m.tflite")
    assert "double" in refused(refuses, model, "--signature", "none")
    one = mixed_onnx(tmp_path / "one.onnx")
    assert "--signature" in refused(refuses, one, "--signature", "serve")
    assert "--shape values" in refused(refuses, one, "--shape", "values=9")


def test_refusals_of_a_process_are_two_lines(tmp_path: Path, edge_bench: CommandLine) -> None:
    np.savez(tmp_path / "x.npz", values=VALUES)
    assert_refused(edge_bench("run", mixed_onnx(tmp_path / "m.onnx"), "--data", "x.npz"), "ids", "x.npz")


@pytest.mark.parametrize("option", [("--letterbox",), ("--sample-rate", "8000"), ("--signature", "serve")])
def test_options_of_other_tasks_than_classification(tmp_path: Path, refuses: Refuses, option: Options) -> None:
    class_folders(tmp_path / "images", range(4), 3)
    model = brightness_tflite(tmp_path / "m.tflite", range(4))
    text = refused(refuses, model, "--data", "images", "--preprocess", "unit", "--task", "classify", *option)
    assert str(option[0]) in text
