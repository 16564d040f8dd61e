"""A writer of tiny .tflite files of any operators and signatures, with the schema of ai-edge-litert."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

__all__ = ["TfliteBuilder"]


class TfliteBuilder:
    """A model of one graph, and other graphs that only have operators."""

    def __init__(self) -> None:
        self.model = schema.ModelT(version=3, buffers=[schema.BufferT()], operatorCodes=[], signatureDefs=[])
        self.model.metadata, self.model.subgraphs = [], []
        self.graph = self.new_graph("main")

    def new_graph(self, name: str) -> Any:
        """Add a graph, to which tensors and operators are added next."""
        self.graph = schema.SubGraphT(tensors=[], operators=[], inputs=[], outputs=[], name=name)
        self.model.subgraphs.append(self.graph)
        return self.graph

    def buffer(self, data: bytes) -> int:
        """Add a buffer, and return its number."""
        self.model.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        return len(self.model.buffers) - 1

    def tensor(
        self, *shape: int, data: Any = None, kind: str = "FLOAT32", open_shape: Sequence[int] = (), state: bool = False,
        scale: float = 0, zero_point: int = 0,
    ) -> int:  # fmt: skip
        """Add a tensor; zeros are its data if ``data`` is True. ``state`` is a variable that the runtime keeps."""
        quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[zero_point]) if scale else None
        number = len(self.graph.tensors)
        if data is True:
            data = np.zeros(shape, np.float32)
        self.graph.tensors.append(
            schema.TensorT(
                shape=list(shape),
                shapeSignature=list(open_shape) or None,
                type=getattr(schema.TensorType, kind),
                name=f"t{number}",
                isVariable=state,
                quantization=quantization,
                buffer=0 if data is None else self.buffer(np.asarray(data).tobytes()),
            )
        )
        return number

    def operator(
        self, kind: str | int, inputs: Sequence[int], outputs: Sequence[int], options: Any = None, *,
        version: int = 1, custom: str | None = None, custom_options: bytes | None = None,
    ) -> int:  # fmt: skip
        """Add an operator of a name or number of the schema; return its first output."""
        code = kind if isinstance(kind, int) else getattr(schema.BuiltinOperator, kind)
        self.model.operatorCodes.append(
            schema.OperatorCodeT(
                builtinCode=code, deprecatedBuiltinCode=min(code, 127), version=version, customCode=custom
            )
        )
        operator = schema.OperatorT(
            opcodeIndex=len(self.model.operatorCodes) - 1, inputs=list(inputs), outputs=list(outputs)
        )
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        if custom_options is not None:
            operator.customOptions = np.frombuffer(custom_options, np.uint8)
        self.graph.operators.append(operator)
        return outputs[0]

    def reshape(self, tensor: int, *shape: int) -> int:
        """Add a tensor with the same values in another shape; return its number."""
        target = self.tensor(len(shape), data=np.array(shape, np.int32), kind="INT32")
        return self.operator("RESHAPE", [tensor, target], [self.tensor(*shape)], schema.ReshapeOptionsT())

    def dense(
        self, tensor: int, weights: npt.NDArray[Any], biases: npt.NDArray[Any], *, batch: int = 1, version: int = 1
    ) -> int:
        """Add a dense layer with weights [values, outputs]; return the number of its scores, [batch, outputs]."""
        values, outputs = weights.shape
        inputs = [
            self.reshape(tensor, batch, values),
            self.tensor(outputs, values, data=weights.T.astype(np.float32)),
            self.tensor(outputs, data=biases.astype(np.float32)),
        ]
        scores, options = self.tensor(batch, outputs), schema.FullyConnectedOptionsT()
        return self.operator("FULLY_CONNECTED", inputs, [scores], options, version=version)

    def running_sum(self, tensor: int, values: int) -> int:
        """Add an RNN that adds its input [1, values] to its state; return the number of its output [1, values].

        A negative sum becomes 0. Without a reset it also has the sums of all examples before.
        """
        unit = np.eye(values, dtype=np.float32)
        state = self.tensor(1, values, state=True)
        weights = [self.tensor(values, values, data=unit) for _ in range(2)]
        options = schema.RNNOptionsT(fusedActivationFunction=schema.ActivationFunctionType.RELU)
        inputs = [tensor, *weights, self.tensor(values, data=True), state]
        return self.operator("RNN", inputs, [self.tensor(1, values)], options)

    def signature(self, key: str, inputs: Mapping[str, int], outputs: Mapping[str, int], graph: int = 0) -> None:
        """Add a signature; names lead to tensors of the graph."""
        sides = [
            [schema.TensorMapT(name=name, tensorIndex=number) for name, number in each.items()]
            for each in (inputs, outputs)
        ]
        self.model.signatureDefs.append(
            schema.SignatureDefT(signatureKey=key, subgraphIndex=graph, inputs=sides[0], outputs=sides[1])
        )

    def metadata(self, name: str, content: bytes) -> None:
        """Add an entry of metadata."""
        self.model.metadata.append(schema.MetadataT(name=name, buffer=self.buffer(content)))

    def content(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Return the file with these inputs and outputs of the first graph."""
        self.model.subgraphs[0].inputs, self.model.subgraphs[0].outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(1 << 12)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def save(self, path: Path, inputs: Sequence[int], outputs: Sequence[int]) -> Path:
        """Write the file; return its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content(inputs, outputs))
        return path
