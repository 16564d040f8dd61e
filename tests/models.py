"""Small models in several formats, and MLPerf Tiny's models if they are on this machine."""

import os
from pathlib import Path
from typing import Any

import pytest

from edge_bench.bench.runtimes import RUNTIMES, installed_version
from tests.made.onnx import OnnxBuilder

_DATA = os.environ.get("EDGE_BENCH_DATA", "")
#: The folder of MLPerf Tiny's models, next to the folder of data sets; None if it does not exist.
MLPERF = next(
    (place for place in [Path(_DATA).resolve().parent / "models" / "mlperf-tiny"] if _DATA and place.is_dir()), None
)
#: The folder of detection, segmentation, pose, audio, text and recurrent models by others.
MODELS = MLPERF.parent if MLPERF else None
#: 128 photographs with boxes and masks.
COCO = Path(_DATA).resolve() / "coco128" / "val" if MLPERF else None
#: 1,000 real JPEGs in ten folders.
CIFAR_JPEGS = Path(_DATA).resolve() / "cifar10-images" / "test" if MLPERF else None

#: The installed runtimes with TensorFlow Lite's interpreter.
INTERPRETERS = [name for name, each in RUNTIMES.items() if each.has_interpreter and installed_version(each)]
NEEDS_OPENVINO = pytest.mark.skipif(not installed_version(RUNTIMES["openvino"]), reason="OpenVINO is not installed")
#: A parameter of tests, skipped without OpenVINO.
OPENVINO = pytest.param("openvino", marks=NEEDS_OPENVINO)
NEEDS_NCNN = pytest.mark.skipif(not installed_version(RUNTIMES["ncnn"]), reason="ncnn is not installed")


def mlperf(name: str) -> Path:
    """Return the path of one of MLPerf Tiny's models."""
    assert MLPERF is not None
    return MLPERF / f"{name}.tflite"


def model_file(name: str) -> Path:
    """Return the path of a model or of one of its files in MODELS; skip the test without it."""
    if MODELS is None or not (MODELS / name).exists():
        pytest.skip("needs EDGE_BENCH_DATA beside a models folder")
    return MODELS / name


def coco_images() -> Path:
    """Return COCO; skip the test without it."""
    if COCO is None or not COCO.is_dir():
        pytest.skip("needs coco128 in EDGE_BENCH_DATA")
    return COCO


def tflite_of(model: Any, path: Path) -> Path:
    """Write a Keras model as a float32 .tflite file."""
    import tensorflow as tf

    from edge_bench.app.conversion.precisions import convert_to_precision

    path.write_bytes(convert_to_precision(lambda: tf.lite.TFLiteConverter.from_keras_model(model), "float32", None))
    return path


def onnx_of(keras_path: Path, path: Path) -> Path:
    """Write the paper's CNN in a .keras file as .onnx, with channels first and any batch size."""
    import keras

    model, made = keras.models.load_model(keras_path, compile=False), OnnxBuilder()
    last, flat = "x", False
    for layer in model.layers:
        name = layer.name
        weights = [made.constant(f"{name} {number}", value) for number, value in enumerate(_onnx_weights(layer))]
        match type(layer).__name__:
            case "Conv2D":
                last = made.add("Conv", [last, *weights], f"{name} sum", kernel_shape=[3, 3])
                last = made.add("Relu", [last], name)
            case "MaxPooling2D":
                last = made.add("MaxPool", [last], name, kernel_shape=[2, 2], strides=[2, 2])
            case "Flatten":
                last = made.add("Flatten", [last], name)
            case "Dense":
                last = made.add("Gemm", [last, *weights], f"{name} sum")
                last = made.add("Softmax", [last], "y", axis=1) if flat else made.add("Relu", [last], name)
                flat = True
    size = model.input_shape[1]
    return made.save(path, ["batch", 1, size, size], ["batch", model.output_shape[1]])


def _onnx_weights(layer: Any) -> list[Any]:
    """Return the weights of a layer; kernels of convolutions with their output channels first."""
    return [value.transpose(3, 2, 0, 1) if value.ndim == 4 else value for value in layer.get_weights()]
