"""A trained Keras model in every precision, and what each file asks of the runtime that loads it."""

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from app.training.quiet import native_output_to
from bench.bundle import Operator, TensorSpec

__all__ = ["PRECISIONS", "convert", "describe"]

Calibration = npt.NDArray[np.float32]  # [n, height, width, channels], the model's real-valued input

#: Variant name → what its numbers are.
PRECISIONS = {
    "float32": "float32 weights and arithmetic",
    "float16": "float16 weights, float32 arithmetic",
    "dynamic": "int8 weights, float32 activations quantized on the fly (dynamic range)",
    "int8": "int8 weights and activations, uint8 in and out",
}


def convert(model: Any, calibration: Calibration) -> Iterator[tuple[str, bytes]]:
    """Yields (variant name, .tflite bytes) for every precision; ``calibration`` sets the ranges of ``int8``."""
    import tensorflow as tf

    prepare: dict[str, Callable[[Any], None]] = {
        "float32": lambda _: None,
        "float16": _float16,
        "dynamic": _dynamic,
        "int8": lambda converter: _int8(converter, calibration),
    }
    for name, configure in prepare.items():
        with tempfile.TemporaryFile() as log, native_output_to(log), warnings.catch_warnings():
            # TensorFlow warns that the statistics which the calibration is about to gather are not there yet
            warnings.simplefilter("ignore", UserWarning)
            converter = tf.lite.TFLiteConverter.from_keras_model(model)
            configure(converter)
            content: bytes = converter.convert()
        yield name, content


def _float16(converter: Any) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Per-channel dense layers would be FULLY_CONNECTED version 12, which tflite-runtime 2.14, the last release,
    # does not have; per-tensor ones load everywhere, as fast and as accurate on the paper's model.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int8(converter: Any, calibration: Calibration) -> None:
    import tensorflow as tf

    _dynamic(converter)
    converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8


def describe(content: bytes) -> tuple[TensorSpec, TensorSpec, list[Operator]]:
    """Input, output and operators with their versions, read from the .tflite flatbuffer itself."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    counts = Counter(operator.opcodeIndex for operator in graph.operators)
    operators = [
        Operator(
            # files written before 2021 hold the code in the deprecated field only
            name=names[max(code.builtinCode, code.deprecatedBuiltinCode)],
            version=code.version,
            count=counts[index],
        )
        for index, code in enumerate(model.operatorCodes)
        if counts[index]
    ]
    types = {code: name.lower() for name, code in vars(schema.TensorType).items() if not name.startswith("_")}
    tensor_in, tensor_out = (_spec(graph.tensors[ends[0]], types) for ends in (graph.inputs, graph.outputs))
    return tensor_in, tensor_out, sorted(operators, key=lambda operator: operator.name)


def _spec(tensor: Any, types: dict[int, str]) -> TensorSpec:
    quantization = tensor.quantization
    quantized = quantization is not None and quantization.scale is not None and len(quantization.scale) == 1
    return TensorSpec(
        dtype=types[tensor.type],
        shape=[int(size) for size in tensor.shape],
        scale=float(quantization.scale[0]) if quantized else 0.0,
        zero_point=int(quantization.zeroPoint[0]) if quantized else 0,
    )
