"""Small images and models that are right by construction: the class of an image is its brightness.

Class k has the grey level 20k + 10. The nearest level is a linear decision: the greatest of
level × mean - level² / 2 over all classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["brightness_onnx", "brightness_tflite", "brightness_weights", "grey_images"]


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
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    pixels, classes = size * size * 3, len(order)
    weights, biases = brightness_weights(order, pixels)
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []

    def tensor(name: str, shape: Sequence[int], value: npt.NDArray[Any] | None = None, kind: str = "FLOAT32") -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), getattr(schema.TensorType, kind), 0
        if value is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(kind: str, inputs: Sequence[int], output: int, options: Any) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 1
        model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, list(inputs), [output]
        made.builtinOptions = options
        made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        graph.operators.append(made)

    image, flat, scores = tensor("x", [1, size, size, 3]), tensor("flat", [1, pixels]), tensor("y", [1, classes])
    shape = tensor("shape", [2], np.array([1, pixels], np.int32), "INT32")
    operator("RESHAPE", [image, shape], flat, schema.ReshapeOptionsT())
    dense = [flat, tensor("w", [classes, pixels], weights.T), tensor("b", [classes], biases)]
    operator("FULLY_CONNECTED", dense, scores, schema.FullyConnectedOptionsT())
    graph.inputs, graph.outputs, model.subgraphs = [image], [scores], [graph]
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(builder.Output()))
    return path
