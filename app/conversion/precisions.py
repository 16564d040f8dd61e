"""Conversion to .tflite in several precisions, and the tensors and operators of the files."""

import re
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.app.conversion.tensorflow_output import native_output_to
from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import parse_tflite
from edge_bench.bench.records.manifest import Operator, TensorSpec
from edge_bench.bench.runtimes.tensorflow.keras_names import keras_signature

__all__ = [
    "MAIN_SIGNATURE",
    "PRECISIONS",
    "Calibration",
    "convert_all_precisions",
    "convert_graph",
    "convert_to_precision",
    "describe",
    "with_names",
]

Calibration = npt.NDArray[np.float32]  # [n, height, width, channels]: model inputs before quantization

#: The signature of a SavedModel that is loaded by default.
MAIN_SIGNATURE = "serving_default"
#: Tensor names that TensorFlow accepts and that the converter keeps.
_TENSOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
#: Variant name → number formats of its weights and arithmetic.
PRECISIONS = {
    "float32": "float32 weights and arithmetic",
    "float16": "float16 weights, float32 arithmetic",
    "dynamic": "int8 weights, float32 activations quantized on the fly (dynamic range)",
    "int8": "int8 weights and activations, uint8 in and out",
}


def convert_all_precisions(model: Any, calibration: Calibration) -> Iterator[tuple[str, bytes]]:
    """Yield (variant name, .tflite bytes) for every precision. ``calibration`` determines the ranges of ``int8``."""
    import tensorflow as tf

    for name in PRECISIONS:
        yield name, convert_to_precision(lambda: tf.lite.TFLiteConverter.from_keras_model(model), name, calibration)


def convert_to_precision(make_converter: Callable[[], Any], precision: str, calibration: Calibration | None) -> bytes:
    """Return the .tflite bytes of one precision. Raise ValueError for ``int8`` without calibration."""
    with tempfile.TemporaryFile() as log, native_output_to(log), warnings.catch_warnings():
        # TensorFlow warns about missing statistics, which the calibration is about to collect
        warnings.simplefilter("ignore", UserWarning)
        converter = make_converter()
        match precision:
            case "float16":
                _float16(converter)
            case "dynamic":
                _dynamic(converter)
            case "int8":
                if calibration is None:
                    raise ValueError("int8 needs calibration data")
                _int8(converter, calibration)
        content: bytes = converter.convert()
        return content


def convert_graph(make_converter: Callable[[], Any], precision: str, examples: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the .tflite bytes of one precision of any graph. Inputs and outputs keep their types.

    ``examples`` maps input names to arrays [n, whole input], which determine the ranges of ``int8``. Operators without
    int8 support stay float32. Raise ValueError for ``int8`` without examples.
    """

    def make() -> Any:
        converter = make_converter()
        if precision == "int8":
            if not examples:
                raise ValueError("int8 needs calibration data")
            _dynamic(converter)
            count = min(map(len, examples.values()))
            converter.representative_dataset = lambda: (
                {name: np.array(values[row]) for name, values in examples.items()} for row in range(count)
            )
        return converter

    return convert_to_precision(make, "float32" if precision == "int8" else precision, None)


def with_names(model: Any, *, one_example: bool) -> "tempfile.TemporaryDirectory[str]":
    """Return a SavedModel of a Keras model. Its signature has the model's own names, which the converter keeps.

    With ``one_example``, an open first axis (the batch) gets size 1.
    """
    import keras
    import tensorflow as tf

    own = keras_signature(model)
    specs = []
    for each in own.inputs:
        if not _TENSOR_NAME.fullmatch(each.name):
            raise BadInput(
                f"{model.name}: TensorFlow cannot export an input called {each.name[:80]!r}",
                "use only letters, digits, underscores, dots and hyphens in its name",
            )
        sizes = [None if size < 0 else size for size in each.shape]
        if one_example and sizes[:1] == [None]:
            sizes[0] = 1
        specs.append(tf.TensorSpec(sizes, each.dtype, name=each.name))
    folder = tempfile.TemporaryDirectory()
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(MAIN_SIGNATURE, lambda *inputs: own.call(inputs), input_signature=specs)
    archive.write_out(folder.name, verbose=False)
    return folder


def _float16(converter: Any) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # Per-channel dense layers need FULLY_CONNECTED version 12, which tflite-runtime 2.14, the last release, does not
    # support. Per-tensor ones load in every runtime, and are as fast and as accurate on the paper's model.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def _int8(converter: Any, calibration: Calibration) -> None:
    import tensorflow as tf

    _dynamic(converter)
    converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8


def describe(content: bytes) -> tuple[TensorSpec, TensorSpec, list[Operator], int | None]:
    """Return input, output, operators with their versions and the only batch size, if any, of a .tflite file."""
    file = parse_tflite(content)
    return file.only_input, file.only_output, list(file.operators), file.inputs[0].fixed_batch
