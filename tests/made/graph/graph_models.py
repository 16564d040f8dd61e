"""Tiny .tflite models of other tasks, whose outputs depend on the pixels of an image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tests.made.tflite import TfliteBuilder
from tests.made.tflite_metadata import LabelFile, metadata_buffer, with_files

__all__ = ["BOX", "LEVEL", "SIDE", "brightness_detector", "colour_segmenter", "regressor", "yolo_model"]

SIDE = 8
#: Grey levels between the classes of `brightness_detector`.
LEVEL = 20
#: The box that it finds in every image: left, top, right and bottom as shares of the sides.
BOX = (0.25, 0.125, 0.75, 0.5)
_PIXELS = SIDE * SIDE * 3


def brightness_detector(path: Path, *, labels: Sequence[str] = (), order: Sequence[int] = (0, 1, 2, 3)) -> Path:
    """Write a detector that finds one box in each image, of the class brightness / LEVEL, with four outputs.

    labels: classes in its metadata, which also says that pixels are taken as they are; order: of the outputs boxes,
    classes, scores and number
    """
    made = TfliteBuilder()
    taken = made.tensor(1, SIDE, SIDE, 3)
    left, top, right, bottom = BOX

    def constant(*values: float) -> int:
        return made.dense(taken, np.zeros((_PIXELS, len(values)), np.float32), np.array(values, np.float32))

    level = made.dense(taken, np.full((_PIXELS, 1), 1 / LEVEL / _PIXELS, np.float32), np.array([0.5], np.float32))
    classes = made.operator("FLOOR", [level], [made.tensor(1, 1)])
    boxes = made.reshape(constant(top, left, bottom, right), 1, 1, 4)
    outputs = [boxes, classes, constant(0.875), made.reshape(constant(1.0), 1)]
    if not labels:
        return made.save(path, [taken], [outputs[each] for each in order])
    files = [(), [LabelFile("labels.txt", kind=3)], (), ()]
    metadata = metadata_buffer([((0.0,), (1.0,))], outputs=[files[each] for each in order], color_space=1)
    made.metadata("TFLITE_METADATA", metadata)
    content = made.content([taken], [outputs[each] for each in order])
    path.write_bytes(with_files(content, {"labels.txt": "\n".join(labels).encode()}))
    return path


def colour_segmenter(path: Path, *, channels_first: bool = False, indices: bool = False) -> Path:
    """Write a model whose score of class 0, 1 or 2 is the red, green or blue of a pixel; or that returns the class."""
    made = TfliteBuilder()
    taken = made.tensor(1, SIDE, SIDE, 3)
    scores = made.operator("ADD", [taken, made.tensor(1, data=True)], [made.tensor(1, SIDE, SIDE, 3)])
    if indices:
        axis = made.tensor(1, data=np.array([3], np.int32), kind="INT32")
        options = schema.ArgMaxOptionsT(outputType=schema.TensorType.INT32)
        scores = made.operator("ARG_MAX", [scores, axis], [made.tensor(1, SIDE, SIDE, kind="INT32")], options)
    elif channels_first:
        order = made.tensor(4, data=np.array([0, 3, 1, 2], np.int32), kind="INT32")
        scores = made.operator(
            "TRANSPOSE", [scores, order], [made.tensor(1, 3, SIDE, SIDE)], schema.TransposeOptionsT()
        )
    return made.save(path, [taken], [scores])


def yolo_model(path: Path, head: npt.NDArray[np.float32], side: int) -> Path:
    """Write a model of square images that returns the same head for each of them."""
    made = TfliteBuilder()
    taken = made.tensor(1, side, side, 3)
    values = made.dense(taken, np.zeros((side * side * 3, head.size), np.float32), head.reshape(-1))
    return made.save(path, [taken], [made.reshape(values, *head.shape)])


def regressor(path: Path, outputs: int = 1, values: int = 4, scale: float = 1.0) -> Path:
    """Write a model whose outputs are ``scale`` times the mean of its ``values`` numbers."""
    made = TfliteBuilder()
    taken = made.tensor(1, values)
    weights = np.full((values, outputs), scale / values, np.float32)
    return made.save(path, [taken], [made.dense(taken, weights, np.zeros(outputs, np.float32))])
