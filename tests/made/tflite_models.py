"""Tiny .tflite models: classifiers of brightness, and models with state, several outputs or custom operators."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tests.made.brightness import brightness_weights
from tests.made.tflite import TfliteBuilder

__all__ = ["brightness_tflite", "detection_model", "linear_tflite", "lstm_model", "recurrent_model"]


def brightness_tflite(path: Path, order: Sequence[int], shape: Sequence[int] = (1, 8, 8, 3)) -> Path:
    """Write a classifier of images with values from 0 to 1, for an input of this shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(linear_tflite(*brightness_weights(order, int(np.prod(shape[1:]))), shape))
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
    made = TfliteBuilder()
    taken = last = made.tensor(*shape, kind=kind, scale=scale, zero_point=zero_point)
    if scale:
        last = made.operator("DEQUANTIZE", [taken], [made.tensor(*shape)], schema.DequantizeOptionsT())
    scores = made.dense(last, weights, biases)
    if metadata is not None:
        made.metadata("TFLITE_METADATA", metadata)
    return made.content([taken], [scores])


def detection_model(path: Path) -> Path:
    """Write a model with two inputs, four outputs and the custom operator TFLite_Detection_PostProcess."""
    from flatbuffers import flexbuffers

    made = TfliteBuilder()
    inputs = [made.tensor(1, 6, 4), made.tensor(1, 6, 3)]
    anchors = made.tensor(6, 4, data=np.random.default_rng(0).random((6, 4)).astype(np.float32))
    outputs = [made.tensor(*shape) for shape in ((1, 3, 4), (1, 3), (1, 3), (1,))]
    options = {"max_detections": 3, "max_classes_per_detection": 1, "num_classes": 2, "use_regular_nms": False}
    scales = {"nms_score_threshold": 0.1, "nms_iou_threshold": 0.5, "y_scale": 10.0, "x_scale": 10.0}
    packed = bytes(flexbuffers.Dumps({**options, **scales, "h_scale": 5.0, "w_scale": 5.0}))
    made.operator("CUSTOM", [*inputs, anchors], outputs, custom="TFLite_Detection_PostProcess", custom_options=packed)
    return made.save(path, inputs, outputs)


def lstm_model(path: Path, *, time_major: bool = False, signature: str = "") -> Path:
    """Write a model of one UNIDIRECTIONAL_SEQUENCE_LSTM layer: 12 steps, 4 features, 16 cells."""
    made = TfliteBuilder()
    sizes = (12, 1) if time_major else (1, 12)
    taken, given = made.tensor(*sizes, 4), made.tensor(*sizes, 16)
    _add_lstm(made, taken, given, lambda *shape: made.tensor(*shape, data=True), time_major=time_major)
    if signature:
        made.signature(signature, {"x": taken}, {"y": given})
    return made.save(path, [taken], [given])


def recurrent_model(path: Path, kind: str) -> Path:
    """Write a classifier of one LSTM, RNN or SVDF operator, with random weights and a state that lasts."""
    made, generator = TfliteBuilder(), np.random.default_rng(7)
    steps, features, units, rank, classes = 6, 4, 8, 2, 5

    def weights(*shape: int) -> int:
        return made.tensor(*shape, data=generator.normal(size=shape).astype(np.float32))

    taken, values = made.tensor(1, features), units
    if kind == "LSTM":
        taken, given, values = made.tensor(1, steps, features), made.tensor(1, steps, units), steps * units
        _add_lstm(made, taken, given, weights)
    elif kind == "RNN":
        given, values = made.running_sum(taken, features), features
    else:
        state = made.tensor(1, units * rank * steps, state=True)
        tensors = [taken, weights(units * rank, features), weights(units * rank, steps), -1, state]
        given = made.operator("SVDF", tensors, [made.tensor(1, units)], schema.SVDFOptionsT(rank=rank))
    return made.save(path, [taken], [made.dense(given, generator.normal(size=(values, classes)), np.zeros(classes))])


def _add_lstm(
    made: TfliteBuilder, taken: int, given: int, weights: Callable[..., int], *, time_major: bool = False
) -> None:
    """Add a UNIDIRECTIONAL_SEQUENCE_LSTM between two tensors; ``weights`` adds a constant of a shape."""
    features, cells = made.graph.tensors[taken].shape[-1], made.graph.tensors[given].shape[-1]
    gates = [weights(cells, features) for _ in range(4)] + [weights(cells, cells) for _ in range(4)]
    biases = [weights(cells) for _ in range(4)]
    states = [made.tensor(1, cells, state=True) for _ in range(2)]
    tanh = schema.ActivationFunctionType.TANH
    options = schema.UnidirectionalSequenceLSTMOptionsT(fusedActivationFunction=tanh, timeMajor=time_major)
    tensors = [taken, *gates, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1]
    made.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [given], options)
