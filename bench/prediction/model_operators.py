"""Operators of a .tflite file in the classes whose speed is predicted, and its precision."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.model_formats.tflite import Tensor, TfliteFile, item_bits, read_tflite
from edge_bench.bench.model_formats.tflite_operators import Node
from edge_bench.bench.models.multiply_accumulates import multiply_accumulates
from edge_bench.bench.prediction.work import Kind, OperatorWork

__all__ = ["SUPPRESSION_CYCLES", "ModelOperators", "operators_of", "read_operators"]

#: Operators that a runtime does not execute, or that take no time: they change the shape of a tensor, not its values.
_FREE = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "SHAPE"}
#: Operators that expand constants once, when the model is loaded.
_UNPACKING = {"DEQUANTIZE", "DENSIFY"}
#: Operators whose time is that of moving their tensors.
_MOVING = {
    "ADD", "SUB", "MUL", "RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LOGISTIC", "SOFTMAX", "MEAN",
    "AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION", "PAD", "PADV2", "QUANTIZE", "DEQUANTIZE", "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
}  # fmt: skip
_FEW_CHANNELS = 4  # input channels of a first convolution: grey, colour, or colour with another
_GROUP, _COLOURS = 4, 3  # channels that int8 kernels read together, and those of the models of the fits
#: Share of the multiply-accumulates that must have the same precision.
_MAJORITY = 0.9
#: Non-maximum suppression: cycles of one core for each coordinate of a box and each score. A profile of
#: EfficientDet-Lite0 (1.8 million of them) shows 3.65 ms on a PC, so 8 cycles at 4 GHz; smaller cores need more.
SUPPRESSION_CYCLES = 10.0
_SUPPRESSION = "CUSTOM TFLite_Detection_PostProcess"
_UNSIZED = {"string", "resource", "variant"}
Precision = Literal["float32", "int8", "dynamic", "mixed"]
Scheme = Literal["", "per-channel", "per-tensor"]


class ModelOperators(msgspec.Struct, frozen=True):
    """What the prediction of a model's latency needs to know about it."""

    operators: list[OperatorWork]
    precision: Precision
    scheme: Scheme  # of int8 and uint8 weights
    unmodelled: dict[str, int]  # name of each operator that is not modelled → how many
    unmodelled_bytes: float  # that these operators read and write
    total_bytes: float
    unmodelled_macs: float = 0.0  # of these operators, as far as they are known
    open_size: str = ""  # an input, or the tensor of an operator, whose size is open apart from its first axis: ?×?×3

    @property
    def macs(self) -> float:
        """Multiply-accumulates of all modelled operators."""
        return sum(each.macs for each in self.operators)

    @property
    def unmodelled_share(self) -> float:
        """Share of the bytes, or of the multiply-accumulates if that is larger, in operators that are not modelled."""
        of_bytes = self.unmodelled_bytes / self.total_bytes if self.total_bytes else 0.0
        of_macs = self.unmodelled_macs / (self.macs + self.unmodelled_macs) if self.unmodelled_macs else 0.0
        return max(of_bytes, of_macs)


def read_operators(path: Path) -> ModelOperators:
    """Return the operators of a .tflite file for one example; raise BadInput if it is not valid."""
    try:
        return operators_of(read_tflite(path))
    except ValueError as cause:
        raise BadInput(f"{path}: invalid or truncated .tflite file: {cause}", "copy or export it again") from None


def operators_of(file: TfliteFile) -> ModelOperators:
    """Return the operators of the main graph; raise ValueError for wrong tensors."""
    reader = _Reader(file)
    try:
        for node in file.nodes[: file.main_nodes]:
            reader.add(node)
    except (IndexError, OverflowError, ZeroDivisionError):  # no inputs or channels, or sizes beyond any computer
        raise ValueError("the tensors of an operator do not fit it") from None
    precision, scheme = reader.precision()
    return ModelOperators(
        operators=reader.operators,
        precision=precision,
        scheme=scheme,
        unmodelled=dict(sorted(reader.unmodelled.items())),
        unmodelled_bytes=reader.unmodelled_bytes,
        total_bytes=reader.unmodelled_bytes
        + sum(each.weight_bytes + each.activation_bytes for each in reader.operators),
        unmodelled_macs=reader.unmodelled_macs,
        open_size=next((_shown(each) for each in (*file.inputs, *reader.sized) if _is_open(each)), reader.row_size),
    )


class _Reader:
    """Reads one operator after the other."""

    def __init__(self, file: TfliteFile) -> None:
        self._file = file
        self.operators: list[OperatorWork] = []
        self.unmodelled: dict[str, int] = {}
        self.unmodelled_bytes = self.unmodelled_macs = 0.0
        self._unpacked: dict[int, int] = {}  # constants that are unpacked once: float16 or sparse weights
        self.sized: list[Tensor] = []  # tensors whose sizes give work
        self.row_size = ""  # a reshaped tensor whose stored first axis is not that of one example
        self._macs: dict[tuple[Precision, Scheme], float] = {}

    def add(self, node: Node) -> None:
        inputs, outputs = self._tensors(node.inputs), self._tensors(node.outputs)
        if node.name in _FREE:
            self._check_rows(inputs, outputs)
            return
        if node.name in _UNPACKING and inputs and inputs[0] and self._is_constant(node.inputs[0], inputs[0]):
            self._unpacked |= {
                index: _bytes(self._file.tensors[index])
                for index in node.outputs
                if 0 <= index < len(self._file.tensors)
            }
            return
        constants, activations = self._moved(node)
        if node.name == _SUPPRESSION:
            values = sum(each.elements for each in inputs[:2] if each)
            cycles = SUPPRESSION_CYCLES * values
            self.operators.append(OperatorWork("element_by_element", 0.0, float(constants), float(activations), cycles))
            return
        self.sized += [each for each in (*inputs, *outputs) if each]
        macs = multiply_accumulates(inputs, outputs, node)
        kind = _kind(node, inputs, outputs)
        if kind is None or macs is None:
            self.unmodelled[node.name] = self.unmodelled.get(node.name, 0) + 1
            self.unmodelled_bytes += constants + activations
            self.unmodelled_macs += macs or 0
            return
        computed = macs * _read_together(kind, inputs)
        self.operators.append(OperatorWork(kind, computed, float(constants), float(activations)))
        if macs:
            key = _arithmetic(node.name, inputs)
            self._macs[key] = self._macs.get(key, 0) + macs

    def precision(self) -> tuple[Precision, Scheme]:
        """Return the precision and scheme of nine tenths of the multiply-accumulates, else ``mixed``."""
        total = sum(self._macs.values())
        if not total:
            return "float32", ""
        main, scheme = max(self._macs, key=lambda each: self._macs[each])
        of_main = sum(macs for (precision, _), macs in self._macs.items() if precision == main)
        return (main, scheme) if of_main >= _MAJORITY * total else ("mixed", "")

    def _check_rows(self, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor | None]) -> None:
        """Note an open first axis that has more rows than its stored size: steps or boxes, not only examples."""
        before, after = (each[0] if each else None for each in (inputs, outputs))
        if before and after and before.elements != after.elements and after.signature and -1 in after.signature:
            self.row_size = self.row_size or _sizes(after.signature)

    def _is_constant(self, index: int, tensor: Tensor) -> bool:
        return bool(tensor.constant_bytes) or index in self._unpacked

    def _tensors(self, indices: Sequence[int]) -> list[Tensor | None]:
        return [self._file.tensors[index] if 0 <= index < len(self._file.tensors) else None for index in indices]

    def _moved(self, node: Node) -> tuple[int, int]:
        """Return the bytes of constants and of computed tensors."""
        constants = activations = 0
        for index in (*node.inputs, *node.outputs):
            if not 0 <= index < len(self._file.tensors):
                continue
            tensor = self._file.tensors[index]
            if index in self._unpacked or tensor.constant_bytes:
                constants += self._unpacked.get(index, tensor.constant_bytes)
            else:
                activations += _bytes(tensor)
        return constants, activations


def _read_together(kind: Kind, inputs: Sequence[Tensor | None]) -> float:
    """Return how many times as long a first convolution of int8 takes per multiply-accumulate as one of colour images.

    Its kernels read channels in groups of four. So grey images (one channel) take as long as colour images (three).
    Measured on LiteRT; see docs/device-calibration.md.
    """
    weights = inputs[1] if len(inputs) > 1 else None
    if kind != "first_convolution" or weights is None or weights.dtype != "int8":
        return 1.0
    channels = weights.shape[-1]
    return (_GROUP * math.ceil(channels / _GROUP) / channels) / (_GROUP / _COLOURS)


def _arithmetic(name: str, inputs: Sequence[Tensor | None]) -> tuple[Precision, Scheme]:
    """Return precision and scheme. Dense layers of int8 often have one scale in models that are per channel otherwise.

    Parameters per tensor are of uint8 kernels.
    """
    values, weights = inputs[0], inputs[1] if len(inputs) > 1 else None
    if values is None or weights is None:
        return "mixed", ""
    if values.dtype in ("float32", "float16"):
        integer = weights.dtype in ("int8", "uint8", "int4", "int2")
        return ("dynamic", "") if integer else ("float32", "")
    if values.dtype in ("int8", "uint8") and weights.dtype == values.dtype:
        dense = name == "FULLY_CONNECTED" and weights.dtype == "int8"
        return "int8", "per-channel" if weights.per_channel or dense else "per-tensor"
    return "mixed", ""


def _is_open(tensor: Tensor) -> bool:
    """Return whether a size is open. The first of several axes is the examples, of which there is one."""
    sizes = tensor.signature or tensor.shape
    return -1 in (sizes[1:] if len(sizes) > 1 else sizes)


def _shown(tensor: Tensor) -> str:
    sizes = tensor.signature or tensor.shape
    return _sizes(sizes[1:] if len(sizes) > 1 else sizes)


def _sizes(sizes: Sequence[int]) -> str:
    return "×".join("?" if size == -1 else str(size) for size in sizes)


def _bytes(tensor: Tensor) -> int:
    return 0 if tensor.dtype.lower() in _UNSIZED else tensor.elements * item_bits(tensor.dtype) // 8


_KINDS: dict[str, Kind] = {
    "DEPTHWISE_CONV_2D": "depthwise",
    "FULLY_CONNECTED": "dense",
    **dict[str, Kind].fromkeys(_MOVING, "element_by_element"),
}


def _kind(node: Node, inputs: Sequence[Tensor | None], outputs: Sequence[Tensor | None]) -> Kind | None:
    """Return the class of an operator; None if it has none."""
    if node.name != "CONV_2D":
        return _KINDS.get(node.name)
    weights, output = inputs[1] if len(inputs) > 1 else None, outputs[0] if outputs else None
    if weights is None or output is None or len(weights.shape) != 4:
        return None
    height, width, channels = weights.shape[1:]
    if inputs[0] is None or inputs[0].shape[-1:] != (channels,):
        return None  # a convolution in groups: no published latency is of one
    if channels <= _FEW_CHANNELS:
        return "first_convolution"
    if height * width > 1:
        return "convolution"
    return "pointwise" if math.prod(output.shape[1:-1]) > 1 else "dense"
