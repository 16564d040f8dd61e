"""Small images and models that are right by construction: the class of an image is its brightness.

Class k has the grey level 20k + 10. The nearest level is a linear decision: the greatest of
level × mean - level² / 2 over all classes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.tflite_files import TfliteBuilder

__all__ = ["brightness_onnx", "brightness_tflite", "brightness_weights", "grey_images", "linear_tflite"]


def grey_level(label: int) -> int:
    """Return the grey level of a class, 0 to 255 for classes 0 to 12."""
    return 20 * label + 10


def grey_images(folder: Path, classes: int = 4, each: int = 3, size: int = 8) -> Path:
    """Write uncompressed images of one colour, ``each`` of them in a folder per class, and return the folder."""
    for label in range(classes):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            pixels = np.full((size, size, 3), grey_level(label) + number, np.uint8)
            Image.fromarray(pixels).save(folder / str(label) / f"{number}.bmp")
    return folder


def brightness_weights(order: Sequence[int], pixels: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return weights, [pixels, classes], and biases, [classes], for pixels from 0 to 1.

    Output n is the score of class ``order[n]``.
    """
    levels = np.array([grey_level(label) for label in order]) / 255
    return np.tile(levels / pixels, (pixels, 1)).astype(np.float32), (-levels * levels / 2).astype(np.float32)


def brightness_onnx(path: Path, order: Sequence[int], location: str = "") -> Path:
    """Write a classifier of 8×8 images; with ``location``, its weights are in that file of the same folder."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights, biases = brightness_weights(order, 8 * 8 * 3)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["product"]),
            helper.make_node("Add", ["product", "b"], ["y"]),
        ],
        "brightness",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", len(order)])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(biases, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    if location:
        (path.parent / location).unlink(missing_ok=True)  # onnx would append to it
        onnx.save_model(
            model, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=location,
            size_threshold=0,
        )  # fmt: skip
    else:
        onnx.save_model(model, str(path))
    return path


def brightness_tflite(path: Path, order: Sequence[int], size: int = 8) -> Path:
    """Write a classifier of images of ``size`` × ``size`` pixels, from 0 to 1."""
    weights, biases = brightness_weights(order, size * size * 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(linear_tflite(weights, biases, (1, size, size, 3)))
    return path


def linear_tflite(
    weights: npt.NDArray[np.float32],
    biases: npt.NDArray[np.float32],
    shape: Sequence[int],
    *,
    kind: str = "FLOAT32",
    scale: float = 0,
    zero_point: int = 0,
    metadata: bytes | None = None,
) -> bytes:
    """Return a .tflite of one dense layer: weights [values, outputs], input of this shape, type and quantization."""
    from ai_edge_litert import schema_py_generated as schema

    made, (values, outputs) = TfliteBuilder(), weights.shape
    taken = last = made.tensor(*shape, kind=kind, scale=scale, zero_point=zero_point)
    if scale:
        last = made.tensor(*shape)
        made.operator("DEQUANTIZE", [taken], [last], schema.DequantizeOptionsT())
    flat, scores = made.tensor(1, values), made.tensor(1, outputs)
    target = made.tensor(2, data=np.array([1, values], np.int32), kind="INT32")
    made.operator("RESHAPE", [last, target], [flat], schema.ReshapeOptionsT())
    dense = [flat, made.tensor(outputs, values, data=weights.T.copy()), made.tensor(outputs, data=biases)]
    made.operator("FULLY_CONNECTED", dense, [scores], schema.FullyConnectedOptionsT())
    if metadata is not None:
        made.metadata("TFLITE_METADATA", metadata)
    return made.content([taken], [scores])
