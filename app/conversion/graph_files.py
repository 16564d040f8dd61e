"""A .tflite file with any inputs and outputs: their names, types and quantization."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.inputs.specs import InputSpec, names_shown
from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile, parse_tflite
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.runtimes.scores import class_count
from edge_bench.bench.wording import counted

__all__ = ["GraphFile", "Quantization", "graph_file", "input_specs", "quantization", "why_no_classifier"]

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class GraphFile:
    """The only signature of a .tflite file, with whole shapes; an open axis is -1."""

    file: TfliteFile
    signature: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]


@dataclass(frozen=True)
class Quantization:
    """The quantized parts of an int8 file."""

    quantized: dict[str, list[str]]  # inputs and outputs that are quantized inside the file
    others: dict[str, list[str]]  # other inputs and outputs, with their types
    float_operators: list[str]  # operators that compute with float32


def graph_file(content: bytes, model: str, like: GraphFile | Variant | None = None) -> GraphFile:
    """Return the inputs and outputs of a converted model, in their order in ``like``.

    Raise BadInput if one of them is not numeric, EdgeBenchError if the names differ from those of ``like``.
    """
    file = parse_tflite(content)
    if len(file.signatures) != 1:
        raise EdgeBenchError(
            f"{model}: the converted file has {counted(len(file.signatures), 'signature')} instead of one"
        )
    (only,) = file.signatures
    inputs, outputs = ([_spec(name, each) for name, each in side] for side in (only.inputs, only.outputs))
    for kind, specs in (("input", inputs), ("output", outputs)):
        if not specs:
            raise BadInput(f"{model}: it has no {kind}s", "export a model with at least one input and one output")
        for spec in specs:
            if spec.dtype not in NUMBER_TYPES:
                raise BadInput(
                    f"{model}: {kind} {spec.name[:80]} has type {spec.dtype}, but only numeric types are supported",
                    "export only the part of the model with numeric inputs and outputs",
                )
    if like is not None:
        return GraphFile(file, only.key, in_order(inputs, like.inputs, model), in_order(outputs, like.outputs, model))
    return GraphFile(file, only.key, inputs, outputs)


def in_order(specs: Sequence[TensorSpec], like: Sequence[TensorSpec], model: str) -> list[TensorSpec]:
    """Return specs in the order of ``like``, which has the same names. Raise EdgeBenchError if names differ."""
    found = {each.name: each for each in specs}
    if found.keys() != {each.name for each in like}:
        raise EdgeBenchError(
            f"{model}: conversion renames {names_shown(each.name for each in like)} to {names_shown(found)}",
            "use only letters, digits and underscores in the names of the model",
        )
    return [found[each.name] for each in like]


def input_specs(graph: GraphFile) -> list[InputSpec]:
    """Return the specs of the inputs, for which examples are made."""
    return [InputSpec(each.name, each.dtype, tuple(each.shape)) for each in graph.inputs]


def quantization(graph: GraphFile) -> Quantization:
    """Return the quantized parts of an int8 file. Raise EdgeBenchError if there are none."""
    file, tensors = graph.file, graph.file.tensors
    nodes = file.nodes[: file.main_nodes]
    working = [each for each in nodes if each.name not in _CONVERSIONS]
    if not any(tensors[number].dtype == "int8" for node in working for number in node.outputs):
        raise EdgeBenchError("no operator of the model supports int8")
    used = {number for node in working for number in node.inputs}
    made = {number for node in working for number in node.outputs}
    (only,) = file.signatures
    quantized, others = dict[str, list[str]](), dict[str, list[str]]()
    for side, specs, direct, own in (
        ("inputs", graph.inputs, used, only.inputs),
        ("outputs", graph.outputs, made, only.outputs),
    ):
        numbers = {name: each.number for name, each in own}
        is_quantized = {each.name: each.dtype == "float32" and numbers[each.name] not in direct for each in specs}
        quantized[side] = [each.name for each in specs if is_quantized[each.name]]
        others[side] = [f"{each.name} ({each.dtype})" for each in specs if not is_quantized[each.name]]
    floats = {each.name for each in working if any(tensors[number].dtype == "float32" for number in each.outputs)}
    return Quantization(quantized, others, sorted(floats))


def why_no_classifier(content: bytes) -> str:
    """Return why a .tflite file is not a classifier of images or other real values; empty if it is one."""
    file = parse_tflite(content)
    try:
        class_count(file.only_output)
        dtype, scale = file.only_input.dtype, file.only_input.scale
    except ValueError as cause:
        return str(cause)
    is_real = dtype.startswith("float") or dtype == "uint8" or scale
    return "" if is_real else f"its input is {dtype}, such as tokens"


def _spec(name: str, tensor: Tensor) -> TensorSpec:
    return TensorSpec(
        dtype=tensor.dtype,
        shape=list(tensor.signature or tensor.shape),
        scale=tensor.scale,
        zero_point=tensor.zero_point,
        name=name,
    )
