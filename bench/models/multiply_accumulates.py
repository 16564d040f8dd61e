"""Multiply-accumulates of one operator, from the shapes of its tensors.

Every weight is counted once for each position to which it is applied, as in the papers of MobileNet (Howard et al.
2017) and ResNet (He et al. 2016). Additions, poolings, normalizations and activations are not counted. Shapes and
positions of tensors: tensorflow/lite/kernels and its schema.
"""

import math
from collections.abc import Callable, Sequence

from edge_bench.bench.model_formats.tflite import Tensor
from edge_bench.bench.model_formats.tflite_operators import Node

__all__ = ["multiplies", "multiply_accumulates"]

#: Tensors of an operator by position; None for an omitted one.
Tensors = Sequence[Tensor | None]
Count = Callable[[Tensors, Tensors, Node], int]

#: Operators that multiply no weights: they move, compare, pool, normalize or activate, or do arithmetic by element.
_WITHOUT = frozenset(
    """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE ATAN2 AVERAGE_POOL_2D BATCH_TO_SPACE_ND BITCAST BITWISE_XOR
BROADCAST_ARGS BROADCAST_TO BUCKETIZE CALL_ONCE CAST CEIL COMPLEX_ABS CONCATENATION CONCAT_EMBEDDINGS COS CUMSUM
DENSIFY DEPTH_TO_SPACE DEQUANTIZE DILATE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS
FAKE_QUANT FILL FLOOR FLOOR_DIV FLOOR_MOD GATHER GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH HASHTABLE
HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_LOOKUP HASHTABLE_SIZE IMAG L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS
LESS_EQUAL LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX LSH_PROJECTION
MATRIX_DIAG MATRIX_SET_DIAG MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL MULTINOMIAL NEG NON_MAX_SUPPRESSION_V4
NON_MAX_SUPPRESSION_V5 NOT_EQUAL ONE_HOT PACK PAD PADV2 POW PRELU QUANTIZE RANDOM_STANDARD_NORMAL RANDOM_UNIFORM RANGE
RANK READ_VARIABLE REAL REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_WINDOW RELU RELU6 RELU_0_TO_1
RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 RIGHT_SHIFT ROUND RSQRT
SCATTER_ND SEGMENT_SUM SELECT SELECT_V2 SHAPE SIGN SIN SKIP_GRAM SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH
SPARSE_TO_DENSE SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TILE TOPK_V2 TRANSPOSE
UNIQUE UNPACK UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM VAR_HANDLE WHERE
ZEROS_LIKE
""".split()  # noqa: SIM905
)  # fmt: skip


def multiplies(operator: str) -> bool:
    """Return whether an operator may have multiply-accumulates."""
    return operator not in _WITHOUT


def multiply_accumulates(inputs: Tensors, outputs: Tensors, node: Node) -> int | None:
    """Return the multiply-accumulates of an operator; None if they are unknown.

    They are unknown for custom, TensorFlow and StableHLO operators, for conditions and loops, and for operators that
    are newer than this list. Raise ValueError if the tensors do not fit the operator.
    """
    if not multiplies(node.name):
        return 0
    if node.name not in _COUNTS:
        return None
    try:
        return _COUNTS[node.name](inputs, outputs, node)
    except (IndexError, AttributeError):  # a missing axis or tensor
        raise ValueError(f"the tensors of {node.name} do not fit it") from None


def _shape(tensors: Tensors, position: int) -> tuple[int, ...]:
    return _tensor(tensors, position).shape


def _elements(tensors: Tensors, position: int) -> int:
    return _tensor(tensors, position).elements


def _tensor(tensors: Tensors, position: int) -> Tensor:
    tensor = tensors[position]
    if tensor is None:
        raise IndexError(position)
    return tensor


def _convolution(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Output values × height × width × input channels of a group; weights [out, height, width, in]."""
    weights = _shape(inputs, 1)
    return _elements(outputs, 0) * weights[1] * weights[2] * weights[3]


def _depthwise(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Output values × height × width; weights [1, height, width, channels]."""
    weights = _shape(inputs, 1)
    return _elements(outputs, 0) * weights[1] * weights[2]


def _transposed_convolution(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Input values × output channels × height × width; weights [out, height, width, in], then the input."""
    weights = _shape(inputs, 1)
    return _elements(inputs, 2) * weights[0] * weights[1] * weights[2]


def _convolution_3d(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Output values × depth × height × width × input channels; weights [depth, height, width, in, out]."""
    weights = _shape(inputs, 1)
    return _elements(outputs, 0) * weights[0] * weights[1] * weights[2] * weights[3]


def _transposed_convolution_3d(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Input values × depth × height × width × output channels; weights [depth, height, width, out, in]."""
    weights = _shape(inputs, 1)
    return _elements(inputs, 2) * weights[0] * weights[1] * weights[2] * weights[3]


def _dense(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Output values × inputs of a unit; weights [units, inputs]."""
    return _elements(outputs, 0) * _shape(inputs, 1)[-1]


def _matrix_product(inputs: Tensors, outputs: Tensors, node: Node) -> int:
    """Output values × the axis over which is summed: the last of the first matrix, or its last but one if adjoint."""
    return _elements(outputs, 0) * _shape(inputs, 0)[-2 if node.adjoint else -1]


def _steps(inputs: Tensors, position: int = 0) -> int:
    """Return batch × time of an input [batch, time, features], [time, batch, features] or [batch, features]."""
    return math.prod(_shape(inputs, position)[:-1])


def _weights(inputs: Tensors, *positions: int) -> int:
    """Return the number of weights in these tensors, without omitted ones."""
    present = [inputs[position] for position in positions if position < len(inputs)]
    return sum(tensor.elements for tensor in present if tensor is not None)


def _lstm(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Steps × weights of a cell: 4·(in·cells + out·cells), 3·cells for peepholes, cells·out for the projection.

    Omitted weights do not count, such as those of the input gate, if it is coupled with the forget gate (CIFG). The
    basic kernel has five inputs and one matrix [4·cells, in + out]. A step is a time of one example: batch × time.
    """
    if len(inputs) == 5:
        return _steps(inputs) * _elements(inputs, 2)
    for needed in (2, 3, 4, 6, 7, 8):  # an input gate is optional, the three others are not
        _tensor(inputs, needed)
    return _steps(inputs) * _weights(inputs, *range(1, 12), 16)


def _bidirectional_lstm(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Steps × weights of the two cells, as for one LSTM, and 8·(in·cells) for an auxiliary input with own weights."""
    for needed in (2, 6, 19, 23):
        _tensor(inputs, needed)
    return _steps(inputs) * _weights(inputs, *range(1, 12), 16, *range(18, 29), 33, *range(40, 48))


def _rnn(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Steps × (in·units + units·units)."""
    return _steps(inputs) * (_elements(inputs, 1) + _elements(inputs, 2))


def _bidirectional_rnn(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Steps × (in·units + units·units) of the two cells, and in·units each for an auxiliary input."""
    cells = [_elements(inputs, position) for position in (1, 2, 5, 6)]
    return _steps(inputs) * (sum(cells) + _weights(inputs, 10, 11))


def _svdf(inputs: Tensors, outputs: Tensors, node: Node) -> int:  # noqa: ARG001
    """Batch × (in·filters + filters·memory): weights [filters, in] over features, [filters, memory] over time."""
    return _steps(inputs) * (_elements(inputs, 1) + _elements(inputs, 2))


_COUNTS: dict[str, Count] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed_convolution,
    "CONV_3D": _convolution_3d,
    "CONV_3D_TRANSPOSE": _transposed_convolution_3d,
    "FULLY_CONNECTED": _dense,
    "BATCH_MATMUL": _matrix_product,
    "LSTM": _lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _bidirectional_lstm,
    "RNN": _rnn,
    "UNIDIRECTIONAL_SEQUENCE_RNN": _rnn,
    "BIDIRECTIONAL_SEQUENCE_RNN": _bidirectional_rnn,
    "SVDF": _svdf,
}
