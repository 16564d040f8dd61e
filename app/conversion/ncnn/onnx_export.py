"""A Keras classifier as an .onnx file in the form that pnnx reads. Used in the converter process only."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.preprocessing.shapes import CHANNELS
from edge_bench.bench.runtimes.tensorflow.keras_model import KerasModel

__all__ = ["keras_scores", "write_onnx"]

_OPSET = 17
_INPUT = "example"
#: Examples per call of the Keras model.
_BATCH = 10


def write_onnx(model: Any, file: Path) -> list[int]:
    """Write a Keras classifier with float32 weights and one example per invocation. Return the shape of an example.

    Images of 1 or 3 channels have them first, as in ncnn. tf2onnx converts a function, because its converter of Keras
    models does not work with all models of Keras 3, and Keras' own export cannot exchange the axes of the input.
    Raise BadInput if the size of its input is open or its batch size fixed, and any exception if tf2onnx fails.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    classifier = KerasModel(model)
    sizes = list(classifier.input.shape[1:])
    if None in sizes:
        raise BadInput(
            "ncnn needs the size of its input, but it is open in the model",
            "set all sizes in keras.Input, for example keras.Input((224, 224, 3))",
        )
    if classifier.fixed_batch not in (None, 1):
        raise BadInput(
            f"it takes only batches of {classifier.fixed_batch}, but ncnn takes one example at a time",
            "leave the batch size in keras.Input open",
        )
    channels_first = len(sizes) == 3 and sizes[2] in CHANNELS
    spec = tf.TensorSpec((1, *sizes), tf.float32, name=_INPUT)

    def scores(example: Any) -> Any:
        return classifier.unwrapped(model(classifier.wrapped(example), training=False))

    proto, _ = tf2onnx.convert.from_function(
        tf.function(scores, input_signature=[spec]),
        [spec],
        opset=_OPSET,
        inputs_as_nchw=[_INPUT] if channels_first else None,
    )
    _state_default_mode(proto)
    onnx.save(proto, str(file))
    return [sizes[2], *sizes[:2]] if channels_first else sizes


def _state_default_mode(proto: Any) -> None:
    """State the mode of every Pad. pnnx does not convert a Pad that relies on the default."""
    import onnx

    for node in proto.graph.node:
        if node.op_type == "Pad" and not any(each.name == "mode" for each in node.attribute):
            node.attribute.append(onnx.helper.make_attribute("mode", "constant"))


def keras_scores(model: Any, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the scores of examples [n, …], as float32 [n, classes]."""
    classifier, found = KerasModel(model), []
    step = classifier.fixed_batch or _BATCH
    for start in range(0, len(inputs), step):
        scores = classifier.unwrapped(model(classifier.wrapped(inputs[start : start + step]), training=False))
        found.append(np.asarray(scores, np.float32).reshape(len(scores), -1))
    return np.concatenate(found)
