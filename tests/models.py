"""Small models in several formats, and MLPerf Tiny's models if they are on this machine."""

import os
from pathlib import Path
from typing import Any

import numpy as np

_DATA = os.environ.get("EDGE_BENCH_DATA", "")
#: The folder of MLPerf Tiny's models, next to the folder of data sets; None if it does not exist.
MLPERF = next(
    (place for place in [Path(_DATA).resolve().parent / "models" / "mlperf-tiny"] if _DATA and place.is_dir()), None
)
#: 1,000 real JPEGs in ten folders.
CIFAR_JPEGS = Path(_DATA).resolve() / "cifar10-images" / "test" if MLPERF else None


def mlperf(name: str) -> Path:
    """Return the path of one of MLPerf Tiny's models."""
    assert MLPERF is not None
    return MLPERF / f"{name}.tflite"


def tflite_of(model: Any, path: Path) -> Path:
    """Write a Keras model as a float32 .tflite file."""
    import tensorflow as tf

    from edge_bench.app.conversion.precisions import convert_to_precision

    path.write_bytes(convert_to_precision(lambda: tf.lite.TFLiteConverter.from_keras_model(model), "float32", None))
    return path


def onnx_of(keras_path: Path, path: Path) -> Path:
    """Write the paper's CNN in a .keras file as .onnx, with channels first and any batch size."""
    import keras
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = keras.models.load_model(keras_path, compile=False)
    nodes: list[Any] = []
    constants: list[Any] = []
    last, flat = "image", False

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind}{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    for layer in model.layers:
        name, weights = layer.name, layer.get_weights()
        match type(layer).__name__:
            case "Conv2D":
                kernel, bias = (
                    constant(f"{name}_w", weights[0].transpose(3, 2, 0, 1)),
                    constant(f"{name}_b", weights[1]),
                )
                last = add("Relu", [add("Conv", [last, kernel, bias], kernel_shape=[3, 3])])
            case "MaxPooling2D":
                last = add("MaxPool", [last], kernel_shape=[2, 2], strides=[2, 2])
            case "Flatten":
                last = add("Flatten", [last])
            case "Dense":
                last = add("Gemm", [last, constant(f"{name}_w", weights[0]), constant(f"{name}_b", weights[1])])
                last = add("Softmax", [last], axis=1) if flat else add("Relu", [last])
                flat = True
    size = model.input_shape[1]
    graph = helper.make_graph(
        nodes,
        "paper_cnn",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, size, size])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["batch", model.output_shape[1]])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())
    return path
