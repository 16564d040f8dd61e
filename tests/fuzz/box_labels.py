"""Labels of boxes: COCO's annotations, YOLO's lines, names of classes, and packed boxes of a Run."""

import json
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.bench.dataset.box_labels.coco import read_coco
from edge_bench.bench.dataset.box_labels.names import read_class_names
from edge_bench.bench.dataset.box_labels.yolo import read_yolo
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.outputs.boxes import PackedBoxes
from edge_bench.bench.tasks.detection.packed import pack_boxes, unpack_boxes
from tests.made.graph.boxes import boxes

__all__ = ["annotations", "class_names", "label_lines", "packed", "use_annotations", "use_class_names",
           "use_label_lines", "use_packed"]  # fmt: skip

SIZES = np.array([[640, 480], [32, 32]])
FILES = ["a.png", "b/c.png"]


def annotations() -> list[bytes]:
    """COCO's annotations of both images."""
    content = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 640, "height": 480},
            {"id": "x", "file_name": "b/c.png", "width": 32, "height": 32},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2.5, 30, 40], "iscrowd": 0, "area": 1200},
            {"id": 2, "image_id": "x", "category_id": 1, "bbox": [0, 0, 32, 32], "iscrowd": 1},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 3, "name": "dog"}],
    }
    return [json.dumps(content).encode()]


def use_annotations(path: Path) -> None:
    """Read them."""
    read_coco(path, path.parent, FILES, SIZES)


def label_lines() -> list[bytes]:
    """Lines of an image."""
    return [b"0 0.5 0.5 0.25 0.25\n1 0.1 0.1 0.2 0.2\n", b""]


def use_label_lines(path: Path) -> None:
    """Read them."""
    read_yolo([path, None], FILES, SIZES, ["cat", "dog"])
    read_yolo([path, None], FILES, SIZES, None)


def class_names() -> list[bytes]:
    """Names in YAML."""
    return [b"nc: 2\nnames: [cat, dog]\n", b"names:\n  0: cat\n  1: &a dog\nx: *a\n"]


def use_class_names(path: Path) -> None:
    """Read them."""
    read_class_names(path)


def packed() -> list[bytes]:
    """Packed boxes of both images."""
    found = [boxes([1, 2, 30, 40, 7, 0.9], [0, 0, 5, 5, 0, 0.1]), boxes()]
    return [msgspec.json.encode(pack_boxes(found, SIZES))]


def use_packed(path: Path) -> None:
    """Decode and unpack them."""
    try:
        unpack_boxes(msgspec.json.decode(path.read_bytes(), type=PackedBoxes), SIZES)
    except (ValueError, RecursionError) as cause:  # includes msgspec's errors
        raise BadInput(str(cause)) from None
