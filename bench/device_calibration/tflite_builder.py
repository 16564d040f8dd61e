"""A writer of networks as .tflite, float32 or int8, with the schema of ai-edge-litert, which edge devices have.

Weights are random: they have no effect on the time, unless they are denormal or overflow, which their scale prevents.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import MissingDependency

__all__ = ["Features", "TfliteBuilder"]

#: Scales of the quantized tensors. Sums of products stay within the range of their outputs.
_VALUES_SCALE, _WEIGHTS_SCALE = 0.05, 0.002
#: Scale and zero point that TensorFlow Lite prescribes for the output of softmax.
_SOFTMAX_SCALE, _SOFTMAX_ZERO = 1 / 256, -128
#: Lowest versions of the operators that take int8, from tensorflow/lite/tools/versioning/op_version.cc.
_INT8_VERSIONS = {
    "ADD": 2, "AVERAGE_POOL_2D": 2, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "MAX_POOL_2D": 2,
    "MEAN": 2, "SOFTMAX": 2,
}  # fmt: skip


class Features(NamedTuple):
    """A tensor of values: its number in the file, and its shape with a first axis of 1."""

    number: int
    shape: tuple[int, ...]


class TfliteBuilder:
    """Adds operators to a network with one input; all convolutions keep their size, or halve it with a stride of 2."""

    def __init__(self, input_shape: tuple[int, ...], *, quantized: bool, seed: int = 0) -> None:
        """Raise MissingDependency without ai-edge-litert."""
        try:
            from ai_edge_litert import schema_py_generated as schema
        except ImportError:
            raise MissingDependency(
                "ai-edge-litert, which is needed to write .tflite files, is not installed",
                "pip install 'edge-bench[edge]'",
            ) from None
        self._schema: Any = schema
        self._quantized, self._random = quantized, np.random.default_rng(seed)
        self._tensors, self._operators, self._codes = list[Any](), list[Any](), list[str]()
        self._buffers = [schema.BufferT()]
        self.input = self._values(input_shape)

    def convolution(
        self, values: Features, channels: int, kernel: int, *, stride: int = 1, relu: bool = True
    ) -> Features:
        """Add a convolution with a square kernel, with biases and by default a ReLU; return its output."""
        weights = (channels, kernel, kernel, values.shape[-1])
        options = self._schema.Conv2DOptionsT(
            strideH=stride, strideW=stride, dilationHFactor=1, dilationWFactor=1,
            padding=self._schema.Padding.SAME, fusedActivationFunction=self._activation(relu=relu),
        )  # fmt: skip
        inputs = [values.number, self._weights(weights, 0), self._biases(channels)]
        return self._add("CONV_2D", inputs, (*_strided(values.shape, stride), channels), options)

    def depthwise(self, values: Features, kernel: int, *, stride: int = 1) -> Features:
        """Add a depthwise convolution with a ReLU; return its output."""
        channels = values.shape[-1]
        options = self._schema.DepthwiseConv2DOptionsT(
            strideH=stride, strideW=stride, dilationHFactor=1, dilationWFactor=1, depthMultiplier=1,
            padding=self._schema.Padding.SAME, fusedActivationFunction=self._activation(relu=True),
        )  # fmt: skip
        inputs = [values.number, self._weights((1, kernel, kernel, channels), 3), self._biases(channels)]
        return self._add("DEPTHWISE_CONV_2D", inputs, (*_strided(values.shape, stride), channels), options)

    def rows(self, values: Features, rows: int) -> Features:
        """Add a reshape to a matrix with this number of rows, unless it has this shape; return it."""
        shape = (rows, math.prod(values.shape) // rows)
        if values.shape == shape:
            return values
        options = self._schema.ReshapeOptionsT(newShape=list(shape))
        return self._add("RESHAPE", [values.number, self._integers(list(shape))], shape, options)

    def dense(self, values: Features, units: int, *, relu: bool = True) -> Features:
        """Add a dense layer over each row of a matrix, or over all values of an image; return its output."""
        flat = values if len(values.shape) == 2 else self.rows(values, 1)
        options = self._schema.FullyConnectedOptionsT(fusedActivationFunction=self._activation(relu=relu))
        inputs = [flat.number, self._weights((units, flat.shape[1]), 0, per_channel=False)]
        inputs.append(self._biases(units, per_channel=False))
        return self._add("FULLY_CONNECTED", inputs, (flat.shape[0], units), options)

    def sum(self, first: Features, second: Features) -> Features:
        """Add the sum of two tensors of the same shape, with a ReLU; return it."""
        options = self._schema.AddOptionsT(fusedActivationFunction=self._activation(relu=True))
        return self._add("ADD", [first.number, second.number], first.shape, options)

    def pool(self, values: Features, size: int, *, average: bool = False) -> Features:
        """Add maximum or average pooling without overlaps; return its output."""
        options = self._schema.Pool2DOptionsT(
            strideH=size, strideW=size, filterHeight=size, filterWidth=size, padding=self._schema.Padding.VALID
        )
        shape = (1, values.shape[1] // size, values.shape[2] // size, values.shape[3])
        return self._add("AVERAGE_POOL_2D" if average else "MAX_POOL_2D", [values.number], shape, options)

    def mean(self, values: Features) -> Features:
        """Add the mean over height and width; return it, [1, channels]."""
        inputs = [values.number, self._integers([1, 2])]
        return self._add("MEAN", inputs, (1, values.shape[-1]), self._schema.ReducerOptionsT(keepDims=False))

    def softmax(self, values: Features) -> Features:
        """Add a softmax; return its output."""
        output = self._values(values.shape, _SOFTMAX_SCALE, _SOFTMAX_ZERO)
        return self._add("SOFTMAX", [values.number], values.shape, self._schema.SoftmaxOptionsT(beta=1.0), output)

    def save(self, path: Path, output: Features) -> None:
        """Write the file; the same calls write the same bytes."""
        import flatbuffers

        schema = self._schema
        graph = schema.SubGraphT(
            tensors=self._tensors, operators=self._operators, inputs=[self.input.number], outputs=[output.number],
            name="main",
        )  # fmt: skip
        codes = [self._code(kind) for kind in self._codes]
        model = schema.ModelT(
            version=3, operatorCodes=codes, subgraphs=[graph], buffers=self._buffers, description="edge-bench"
        )
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        path.write_bytes(bytes(builder.Output()))

    def _code(self, kind: str) -> Any:
        code = getattr(self._schema.BuiltinOperator, kind)
        version = _INT8_VERSIONS.get(kind, 1) if self._quantized else 1
        return self._schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=version)

    def _add(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], options: Any, output: Features | None = None
    ) -> Features:
        output = output or self._values(shape)
        if kind not in self._codes:
            self._codes.append(kind)
        self._operators.append(
            self._schema.OperatorT(
                opcodeIndex=self._codes.index(kind), inputs=inputs, outputs=[output.number], builtinOptions=options,
                builtinOptionsType=getattr(self._schema.BuiltinOptions, type(options).__name__[:-1]),
            )
        )  # fmt: skip
        return output

    def _activation(self, *, relu: bool) -> int:
        kinds = self._schema.ActivationFunctionType
        return int(kinds.RELU if relu else kinds.NONE)

    def _values(self, shape: tuple[int, ...], scale: float = _VALUES_SCALE, zero: int = 0) -> Features:
        return Features(self._tensor(shape, "INT8" if self._quantized else "FLOAT32", [scale], zero), shape)

    def _weights(self, shape: tuple[int, ...], axis: int, *, per_channel: bool = True) -> int:
        """Add weights; in int8, convolutions have a scale per output channel, as TensorFlow's converter writes."""
        if self._quantized:
            scales = [_WEIGHTS_SCALE] * (shape[axis] if per_channel else 1)
            return self._tensor(shape, "INT8", scales, 0, self._random.integers(-127, 128, shape, np.int8), axis)
        inputs = math.prod(shape[1:]) if axis == 0 else math.prod(shape[:3])
        values = self._random.normal(scale=math.sqrt(2 / inputs), size=shape).astype(np.float32)
        return self._tensor(shape, "FLOAT32", [], 0, values)

    def _biases(self, channels: int, *, per_channel: bool = True) -> int:
        if not self._quantized:
            return self._tensor((channels,), "FLOAT32", [], 0, np.zeros(channels, np.float32))
        scales = [_VALUES_SCALE * _WEIGHTS_SCALE] * (channels if per_channel else 1)
        return self._tensor((channels,), "INT32", scales, 0, np.zeros(channels, np.int32))

    def _integers(self, values: list[int]) -> int:
        return self._tensor((len(values),), "INT32", [], 0, np.array(values, np.int32))

    def _tensor(
        self, shape: tuple[int, ...], kind: str, scales: list[float], zero: int,
        data: npt.NDArray[Any] | None = None, axis: int = 0,
    ) -> int:  # fmt: skip
        schema, buffer, quantization = self._schema, 0, None
        if data is not None:
            self._buffers.append(schema.BufferT(data=np.frombuffer(data.tobytes(), np.uint8)))
            buffer = len(self._buffers) - 1
        if self._quantized and scales:
            quantization = schema.QuantizationParametersT(
                scale=scales, zeroPoint=[zero] * len(scales), quantizedDimension=axis
            )
        number = len(self._tensors)
        self._tensors.append(
            schema.TensorT(
                shape=list(shape), type=getattr(schema.TensorType, kind), name=f"t{number}", buffer=buffer,
                quantization=quantization,
            )
        )  # fmt: skip
        return number


def _strided(shape: tuple[int, ...], stride: int) -> tuple[int, int, int]:
    return 1, -(-shape[1] // stride), -(-shape[2] // stride)
