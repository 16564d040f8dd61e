"""Tiny .tflite files of any operators, signatures and metadata, written with the schema of ai-edge-litert."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

__all__ = ["LabelFile", "TfliteBuilder", "detection_model", "lstm_model", "metadata_buffer", "with_files"]


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
    ) -> None:  # fmt: skip
        """Add an operator of a name or number of the schema."""
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
        """Write the file."""
        path.write_bytes(self.content(inputs, outputs))
        return path


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
    steps, features, cells = 12, 4, 16
    made = TfliteBuilder()
    sizes = (steps, 1) if time_major else (1, steps)
    taken, given = made.tensor(*sizes, features), made.tensor(*sizes, cells)
    weights = [made.tensor(cells, features, data=True) for _ in range(4)]
    weights += [made.tensor(cells, cells, data=True) for _ in range(4)]
    biases = [made.tensor(cells, data=True) for _ in range(4)]
    states = [made.tensor(1, cells, state=True) for _ in range(2)]
    options = schema.UnidirectionalSequenceLSTMOptionsT(fusedActivationFunction=4, timeMajor=time_major)
    tensors = [taken, *weights, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1]
    made.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, [given], options)
    if signature:
        made.signature(signature, {"x": taken}, {"y": given})
    return made.save(path, [taken], [given])


@dataclass(frozen=True)
class LabelFile:
    """An associated file of an output: 2 are labels of an axis, 3 of values."""

    name: str
    kind: int = 2
    locale: str = ""


@dataclass
class _Tables:
    """Tables that have no generated writer."""

    builder: flatbuffers.Builder = field(default_factory=lambda: flatbuffers.Builder(256))

    def table(self, fields: Mapping[int, tuple[str, Any]]) -> int:
        """Write a table: number of the field → ``offset`` or ``byte``, and its value."""
        self.builder.StartObject(max(fields, default=-1) + 1)
        for number, (kind, value) in fields.items():
            if kind == "offset":
                self.builder.PrependUOffsetTRelativeSlot(number, value, 0)
            else:
                self.builder.PrependInt8Slot(number, value, 0)
        return int(self.builder.EndObject())

    def vector(self, tables: Sequence[int]) -> tuple[str, int]:
        """Write a vector of tables, as a field."""
        self.builder.StartVector(4, len(tables), 4)
        for each in reversed(tables):
            self.builder.PrependUOffsetTRelative(each)
        return "offset", int(self.builder.EndVector())

    def floats(self, values: Sequence[float]) -> tuple[str, int]:
        """Write a vector of float32, as a field."""
        return "offset", int(self.builder.CreateNumpyVector(np.array(values, np.float32)))

    def text(self, value: str) -> tuple[str, int]:
        """Write a string, as a field."""
        return "offset", int(self.builder.CreateString(value))


def metadata_buffer(
    normalizations: Sequence[tuple[Sequence[float], Sequence[float]]] = (),
    outputs: Sequence[Sequence[LabelFile]] = ((),),
    color_space: int = 0,
    inputs: int = 1,
) -> bytes:
    """Return TFLITE_METADATA: mean and std of each normalization, and the label files of each output.

    ``color_space`` is 1 for RGB, 2 for grayscale. The field numbers are those of metadata_schema.fbs.
    """
    tables = _Tables()
    units = []
    for mean, std in normalizations:
        options = tables.table({0: tables.floats(mean), 1: tables.floats(std)})
        units.append(tables.table({0: ("byte", 1), 1: ("offset", options)}))
    image = tables.table({0: ("byte", color_space)})
    content = tables.table({0: ("byte", 2), 1: ("offset", image)})
    taken = [tables.table({3: ("offset", content), 4: tables.vector(units)}) for _ in range(inputs)]
    given = []
    for files in outputs:
        written = [
            tables.table({0: tables.text(each.name), 2: ("byte", each.kind), 3: tables.text(each.locale)})
            for each in files
        ]
        given.append(tables.table({6: tables.vector(written)}))
    subgraph = tables.table({2: tables.vector(taken), 3: tables.vector(given)})
    tables.builder.Finish(tables.table({3: tables.vector([subgraph])}), b"M001")
    return bytes(tables.builder.Output())


def with_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a .tflite file with associated files in a zip at its end."""
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()
