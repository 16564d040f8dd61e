"""YOLO models that find known boxes: each image's level of grey tells the model which image it is."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.heads.yolo_layout import HeadLayout
from edge_bench.bench.tasks.detection.letterbox import letterboxed
from tests.made.graph.boxes import boxes, yolo_head
from tests.made.onnx import OnnxBuilder
from tests.made.tflite import TfliteBuilder

__all__ = ["CLASSES", "Scenes", "heads_of", "scenes", "yolo_onnx", "yolo_tflite"]

CLASSES = ("ant", "bee", "cat")
#: Grey levels between one image and the next.
_LEVEL = 5
#: Width and height of the images.
_SIZES = ((120, 60), (60, 120), (90, 31), (64, 64), (200, 150))
#: Boxes as shares of the sides, with class and score; parts of the list are in each image.
_BOXES = (
    (0.05, 0.1, 0.3, 0.4, 0, 0.9), (0.4, 0.1, 0.6, 0.5, 1, 0.8), (0.7, 0.2, 0.95, 0.7, 2, 0.7),
    (0.1, 0.6, 0.5, 0.95, 1, 0.6), (0.55, 0.55, 0.65, 0.9, 0, 0.5),
)  # fmt: skip


class Scenes(NamedTuple):
    """Images of one colour each, and the boxes that are said to be in them, in pixels."""

    images: Path  # a folder
    coco: Path  # true boxes as a COCO file, whose categories have the ids 1, 2, 3
    yolo: Path  # true boxes as a folder of YOLO's .txt files
    known: list[Boxes]
    sizes: list[tuple[int, int]]


def scenes(folder: Path, count: int = 40) -> Scenes:
    """Write images of five sizes with one to four boxes, and their true boxes."""
    made = Scenes(folder / "images", folder / "boxes.json", folder / "labels", [], [])
    made.images.mkdir(parents=True)
    made.yolo.mkdir()
    images, annotations = list[dict[str, object]](), list[dict[str, object]]()
    for number in range(count):
        size = width, height = _SIZES[number % len(_SIZES)]
        rows = [_BOXES[(number + each) % len(_BOXES)] for each in range(1 + number % 4)]
        known = boxes(*([x0 * width, y0 * height, x1 * width, y1 * height, c, s] for x0, y0, x1, y1, c, s in rows))
        made.known.append(known)
        made.sizes.append(size)
        Image.new("RGB", size, (number * _LEVEL,) * 3).save(made.images / f"{number:02}.png")
        images.append({"id": number, "file_name": f"{number:02}.png", "width": width, "height": height})
        lines = []
        for (x0, y0, x1, y1), category in zip(known.corners.tolist(), known.classes.tolist(), strict=True):
            lines.append(f"{category} {(x0 + x1) / 2 / width} {(y0 + y1) / 2 / height} "
                         f"{(x1 - x0) / width} {(y1 - y0) / height}\n")  # fmt: skip
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": category + 1,
                 "bbox": [x0, y0, x1 - x0, y1 - y0]}
            )  # fmt: skip
        (made.yolo / f"{number:02}.txt").write_text("".join(lines))
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(CLASSES)]
    made.coco.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return made


def heads_of(made: Scenes, side: int, *, objectness: bool, pixels: bool) -> npt.NDArray[np.float32]:
    """Return the head that has each image's boxes, letterboxed into a square; [images, numbers of the head]."""
    layout = HeadLayout(boxes_first=objectness, objectness=objectness, classes=len(CLASSES))
    number = sum((side // stride) ** 2 for stride in (8, 16, 32)) * (3 if objectness else 1)
    draw = np.random.default_rng(0)
    heads = [
        yolo_head(
            known, layout, draw.permutation(number)[: len(known.classes)], number, letterboxed(size, (side, side)),
            pixels=pixels,
        )
        for known, size in zip(made.known, made.sizes, strict=True)
    ]  # fmt: skip
    return np.concatenate(heads)


def yolo_tflite(path: Path, heads: npt.NDArray[np.float32], side: int) -> Path:
    """Write a model of images of 0 to 1 that returns the head of the number (pixel in the middle) * 255 / 5."""
    made = TfliteBuilder()
    taken = made.tensor(1, side, side, 3)
    begin, size = (
        made.tensor(4, data=np.array(values, np.int32), kind="INT32")
        for values in ([0, side // 2, side // 2, 0], [1, 1, 1, 1])
    )
    pixel = made.operator("SLICE", [taken, begin, size], [made.tensor(1, 1, 1, 1)], schema.SliceOptionsT())
    level = made.dense(pixel, np.full((1, 1), 255 / _LEVEL), np.array([0.5]))
    options = schema.CastOptionsT(inDataType=schema.TensorType.FLOAT32, outDataType=schema.TensorType.INT32)
    number = made.operator("CAST", [made.reshape(level, 1)], [made.tensor(1, kind="INT32")], options)
    table = made.tensor(*heads.shape, data=heads)
    found = made.operator("GATHER", [table, number], [made.tensor(1, *heads.shape[1:])], schema.GatherOptionsT(axis=0))
    return made.save(path, [taken], [found])


def yolo_onnx(path: Path, heads: npt.NDArray[np.float32], side: int, *, batch: int | str = "N") -> Path:
    """Write the model of `yolo_tflite` as .onnx, channels first."""
    made = OnnxBuilder()

    def integers(name: str, *values: int) -> str:
        return made.constant(name, np.array(values, np.int64))

    middle = side // 2
    ends = [integers(name, *values) for name, values in (
        ("begin", (0, middle, middle)), ("end", (1, middle + 1, middle + 1)), ("axes", (1, 2, 3)),
    )]  # fmt: skip
    made.add("Slice", ["x", *ends], "pixel")
    made.add("Reshape", ["pixel", integers("flat", -1)], "values")
    made.add("Mul", ["values", made.constant("factor", np.array([255 / _LEVEL], np.float32))], "levels")
    made.add("Round", ["levels"], "rounded")
    made.add("Cast", ["rounded"], "number", to=7)
    made.add("Gather", [made.constant("heads", heads), "number"], "y", axis=0)
    return made.save(path, [batch, 3, side, side], [batch, *heads.shape[1:]])
