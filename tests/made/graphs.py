"""Tiny models that are right by construction: they tell images apart by their brightness, or sums of a sequence.

Class k of the images has the grey level 20 k + 10. The nearest level is a linear decision: the highest of
level × mean - level² / 2 over the classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["OnnxGraph", "TfliteGraph", "brightness_weights", "level", "saved_model_of_running_sum", "write_images"]

Array = npt.NDArray[Any]


def level(label: int) -> int:
    """Return the grey level of a class."""
    return 20 * label + 10


def write_images(folder: Path, labels: Sequence[int], each: int = 4, size: int = 8) -> Path:
    """Write ``each`` RGB images of each class, in a folder named after it; return the folder."""
    for label in labels:
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            pixels = np.full((size, size, 3), level(label) + number % 3 - 1, np.uint8)
            Image.fromarray(pixels).save(folder / str(label) / f"{number}.png")
    return folder


def brightness_weights(classes: int, values: int) -> tuple[Array, Array]:
    """Return weights [values, classes] and biases [classes] for inputs of ``values`` pixels in 0 to 1."""
    levels = np.array([level(label) for label in range(classes)]) / 255
    return np.tile(levels / values, (values, 1)).astype(np.float32), (-levels * levels / 2).astype(np.float32)


def saved_model_of_running_sum(folder: Path) -> Path:
    """Write a SavedModel that adds its input [1, 3] to a variable that begins at 2, and returns it."""
    import tensorflow as tf

    class Sum(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.total = tf.Variable(np.full((1, 3), 2, np.float32))

        @tf.function(input_signature=[tf.TensorSpec([1, 3])])  # type: ignore[untyped-decorator]
        def __call__(self, values: Any) -> Any:
            self.total.assign_add(values)
            return {"scores": self.total + 0.0}

    module = Sum()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    return folder


class OnnxGraph:
    """An .onnx model with one input ``x`` and one output ``y``."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def add_brightness(self, classes: int, values: int, output: str = "y") -> str:
        """Add the layers that tell classes apart by their brightness; return the name of the scores [n, classes]."""
        weights, biases = brightness_weights(classes, values)
        self.add("Flatten", ["x"], "flat")
        self.add("MatMul", ["flat", self.constant("weights", weights)], "product")
        return self.add("Add", ["product", self.constant("biases", biases)], output)

    def save(self, path: Path, takes: list[Any], gives: list[Any]) -> Path:
        """Write the file, whose input and output have these shapes, with names for open axes; return its path."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(
            self._nodes, "made",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, takes)],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, gives)], self._constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save_model(model, str(path))
        return path


class TfliteGraph:
    """A .tflite model of one graph, written with the schema of ai-edge-litert."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema, self._buffers = schema, [schema.BufferT()]
        self._tensors: list[Any] = []
        self._codes: list[Any] = []
        self._operators: list[Any] = []

    def tensor(
        self,
        shape: Sequence[int],
        value: Array | None = None,
        dtype: str = "FLOAT32",
        *,
        variable: bool = False,
        signature: Sequence[int] | None = None,
        scale: float | None = None,
        zero_point: int = 0,
    ) -> int:
        """Add a tensor, a constant if it has a value; return its number."""
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.isVariable, tensor.buffer = f"t{len(self._tensors)}", list(shape), variable, 0
        tensor.type = getattr(self.schema.TensorType, dtype)
        if signature is not None:
            tensor.shapeSignature = list(signature)
        if scale is not None:
            tensor.quantization = self.schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
        if value is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
            self._buffers.append(buffer)
            tensor.buffer = len(self._buffers) - 1
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def add(self, kind: str, inputs: Sequence[int], output: int, options: Any = None) -> int:
        """Add an operator with the options of its kind; return the number of its output."""
        code, operator = self.schema.OperatorCodeT(), self.schema.OperatorT()
        number = getattr(self.schema.BuiltinOperator, kind)
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
        self._codes.append(code)
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self._codes) - 1, list(inputs), [output]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(self.schema.BuiltinOptions, type(options).__name__[:-1])
        self._operators.append(operator)
        return output

    def reshape(self, tensor: int, shape: Sequence[int]) -> int:
        """Add a tensor with the same values in another shape; return its number."""
        target = self.tensor([len(shape)], np.array(shape, np.int32), "INT32")
        return self.add("RESHAPE", [tensor, target], self.tensor(shape), self.schema.ReshapeOptionsT())

    def dense(self, tensor: int, batch: int, weights: Array, biases: Array) -> int:
        """Add a layer with weights [values, classes]; return the number of its scores [batch, classes]."""
        values, classes = weights.shape
        inputs = [
            self.reshape(tensor, [batch, values]),
            self.tensor([classes, values], weights.T.astype(np.float32)),
            self.tensor([classes], biases.astype(np.float32)),
        ]
        options = self.schema.FullyConnectedOptionsT()
        return self.add("FULLY_CONNECTED", inputs, self.tensor([batch, classes]), options)

    def running_sum(self, tensor: int, values: int) -> int:
        """Add an RNN that adds its input [1, values] to its state; return the number of its output [1, values].

        A negative sum becomes 0. Without a reset it also has the sums of all examples before.
        """
        unit, state = np.eye(values, dtype=np.float32), self.tensor([1, values], variable=True)
        inputs = [
            tensor, self.tensor([values, values], unit), self.tensor([values, values], unit),
            self.tensor([values], np.zeros(values, np.float32)), state,
        ]  # fmt: skip
        options = self.schema.RNNOptionsT()
        options.fusedActivationFunction = self.schema.ActivationFunctionType.RELU
        return self.add("RNN", inputs, self.tensor([1, values]), options)

    def save(self, path: Path, inputs: Sequence[int], outputs: Sequence[int]) -> Path:
        """Write the file; return its path."""
        import flatbuffers

        graph, model = self.schema.SubGraphT(), self.schema.ModelT()
        graph.name, graph.tensors, graph.operators = "main", self._tensors, self._operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, self._codes, [graph], self._buffers
        builder = flatbuffers.Builder(1 << 12)
        builder.Finish(model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))
        return path
