"""Writer of a probe as .tflite, with the schema of ai-edge-litert, which edge devices have."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import MissingDependency
from edge_bench.bench.measure.peaks.probes import INPUT_SCALE, LAYERS, WEIGHT_SCALE, Probe

__all__ = ["write_tflite_probe"]

#: Lowest versions of the operators that take int8.
_INT8_VERSIONS = {"CONV_2D": 3, "FULLY_CONNECTED": 4}


def write_tflite_probe(probe: Probe, path: Path, quantized: bool) -> npt.NDArray[Any]:
    """Write the model, float32 or int8; return values for its input. Raise MissingDependency without ai-edge-litert."""
    try:
        import flatbuffers
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        raise MissingDependency(
            "ai-edge-litert, which is needed to write .tflite files, is not installed",
            "pip install ai-edge-litert, if it has a wheel for this platform",
        ) from None
    writer = _Writer(schema, probe, quantized)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(writer.model().Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return np.asarray(probe.inputs(quantized=quantized, channels_first=False))


class _Writer:
    def __init__(self, schema: Any, probe: Probe, quantized: bool) -> None:
        self._schema, self._probe, self._quantized = schema, probe, quantized
        self._kind = "CONV_2D" if probe.kernel else "FULLY_CONNECTED"
        self._tensors, self._buffers = list[Any](), [schema.BufferT()]

    def model(self) -> Any:
        """Return the whole model: input, then weights, biases and output of each layer."""
        shape = self._probe.input_shape(channels_first=False)
        numbers, operators = [self._tensor(shape, INPUT_SCALE)], list[Any]()
        for layer in range(LAYERS):
            weights = self._probe.weights(layer, quantized=self._quantized, channels_first=False)
            biases = np.zeros(self._probe.channels, np.int32 if self._quantized else np.float32)
            inputs = [numbers[-1], self._tensor(weights.shape, WEIGHT_SCALE, weights)]
            inputs.append(self._tensor(biases.shape, INPUT_SCALE * WEIGHT_SCALE, biases))
            numbers.append(self._tensor(shape, INPUT_SCALE))
            operators.append(self._operator(inputs, numbers[-1]))
        graph = self._schema.SubGraphT(
            tensors=self._tensors, operators=operators, inputs=numbers[:1], outputs=numbers[-1:], name="main"
        )
        code = getattr(self._schema.BuiltinOperator, self._kind)
        version = _INT8_VERSIONS[self._kind] if self._quantized else 1
        codes = [self._schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=code, version=version)]
        return self._schema.ModelT(version=3, operatorCodes=codes, subgraphs=[graph], buffers=self._buffers)

    def _tensor(self, shape: tuple[int, ...], scale: float, data: npt.NDArray[Any] | None = None) -> int:
        schema, buffer = self._schema, 0
        kind = ("INT8" if data is None else data.dtype.name.upper()) if self._quantized else "FLOAT32"
        if data is not None:
            self._buffers.append(schema.BufferT(data=np.frombuffer(data.tobytes(), np.uint8)))
            buffer = len(self._buffers) - 1
        quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[0]) if self._quantized else None
        self._tensors.append(
            schema.TensorT(
                shape=list(shape),
                type=getattr(schema.TensorType, kind),
                name=f"t{len(self._tensors)}",
                buffer=buffer,
                quantization=quantization,
            )
        )
        return len(self._tensors) - 1

    def _operator(self, inputs: list[int], output: int) -> Any:
        schema = self._schema
        if self._probe.kernel:
            options = schema.Conv2DOptionsT(
                strideW=1, strideH=1, dilationWFactor=1, dilationHFactor=1, padding=schema.Padding.SAME
            )
        else:
            options = schema.FullyConnectedOptionsT()
        return schema.OperatorT(
            opcodeIndex=0,
            inputs=inputs,
            outputs=[output],
            builtinOptions=options,
            builtinOptionsType=getattr(schema.BuiltinOptions, type(options).__name__[:-1]),
        )
