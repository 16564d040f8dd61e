"""Which of a model's operators each of XNNPACK's operators executes.

XNNPACK reports its operators in order, but not the operators of the model that they come from. It keeps the model's
order, adds conversions, and fuses or drops some operators. So both lists are aligned: operators of the same meaning are
matched in order, the heaviest kinds first.
"""

from collections.abc import Sequence

import numpy as np

__all__ = ["align"]

#: Starts of XNNPACK's names by the operator of the model. XNNPACK: src/operators, src/subgraph.
_NAMES: dict[str, tuple[str, ...]] = {
    "CONV_2D": ("Convolution", "Fully Connected"),
    "DEPTHWISE_CONV_2D": ("Convolution",),
    "TRANSPOSE_CONV": ("Deconvolution",),
    "FULLY_CONNECTED": ("Fully Connected", "Dynamic Fully Connected"),
    "BATCH_MATMUL": ("Batch Matrix Multiply",),
    "AVERAGE_POOL_2D": ("Average Pooling", "Global Average Pooling"),
    "MAX_POOL_2D": ("Max Pooling",),
    "MEAN": ("Global Average Pooling", "Mean", "Reduce"),
    "SUM": ("Global Sum Pooling", "Sum", "Reduce"),
    "SUB": ("Subtract",),
    "MUL": ("Multiply",),
    "DIV": ("Divide",),
    "LOGISTIC": ("Sigmoid",),
    "HARD_SWISH": ("HardSwish", "Hard Swish"),
    "LEAKY_RELU": ("Leaky ReLU",),
    "RSQRT": ("Reciprocal Square Root",),
    "SQRT": ("Square Root",),
    "NEG": ("Negate",),
    "EXP": ("Exponential",),
    "RELU": ("Clamp", "ReLU"),
    "RELU6": ("Clamp",),
    "RELU_N1_TO_1": ("Clamp",),
    "QUANTIZE": ("Convert",),
    "DEQUANTIZE": ("Convert",),
    "PAD": ("Constant Pad",),
    "PADV2": ("Constant Pad",),
    "RESHAPE": ("Static Reshape", "Copy", "Reshape"),
    "EXPAND_DIMS": ("Static Reshape", "Copy", "Reshape"),
    "SQUEEZE": ("Static Reshape", "Copy", "Reshape"),
    "CONCATENATION": ("Copy", "Concatenate"),
    "SPLIT": ("Copy", "Split", "Even Split"),
    "RESIZE_BILINEAR": ("Resize Bilinear",),
    "STRIDED_SLICE": ("Slice",),
}
#: Operators that XNNPACK never drops or fuses. A part of the graph in which one of them has no match is not understood.
_CERTAIN = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "BATCH_MATMUL", "SOFTMAX", "MAX_POOL_2D"}
)
#: XNNPACK adds these also for other operators: after the operator, or before it.
_AFTER, _BEFORE = ("Clamp",), ("Convert", "Static Reshape", "Copy", "Transpose", "Constant Pad")
_WEIGHTS = ((100, _CERTAIN), (1, frozenset({"RESHAPE", "EXPAND_DIMS", "SQUEEZE", "RELU", "RELU6", "DEQUANTIZE"})))
_OTHER_WEIGHT = 10
#: Limit on operators × nodes of a part, which take a few seconds.
_MOST_PAIRS = 4_000_000


def align(operators: Sequence[str], kinds: Sequence[str]) -> list[list[int]] | None:
    """Return the positions in ``kinds`` that each of XNNPACK's operators executes; None if that is not certain.

    ``kinds`` are the operators of the model in one part of its graph, such as CONV_2D. Every position is in one list at
    least. Consecutive operators with the same list execute it together.
    """
    if not operators or len(operators) * len(kinds) > _MOST_PAIRS:
        return None
    matched = _matches(operators, kinds)
    if any(kind in _CERTAIN and node not in matched.values() for node, kind in enumerate(kinds)):
        return None
    owners = _with_helpers(operators, matched)
    if not matched or owners is None:
        return None
    # an operator without a match was fused into the one before it, or is computed without work of its own
    anchors = sorted(matched.values())
    lists: dict[int, list[int]] = {node: [] for node in anchors}
    for node in range(len(kinds)):
        lists[max((each for each in anchors if each <= node), default=anchors[0])].append(node)
    return [lists[owner] for owner in owners]


def _matches(operators: Sequence[str], kinds: Sequence[str]) -> dict[int, int]:
    """Return operator → node of the common subsequence with the largest weight."""
    weights = [_weight(kind) for kind in kinds]
    best = np.zeros((len(operators) + 1, len(kinds) + 1), np.int64)
    fits = [[_fits(operator, kind) for kind in kinds] for operator in operators]
    for row in range(len(operators) - 1, -1, -1):
        for column in range(len(kinds) - 1, -1, -1):
            skipped = max(best[row + 1, column], best[row, column + 1])
            taken = best[row + 1, column + 1] + weights[column] if fits[row][column] else -1
            best[row, column] = max(skipped, taken)
    found, row, column = dict[int, int](), 0, 0
    while row < len(operators) and column < len(kinds):
        if fits[row][column] and best[row, column] == best[row + 1, column + 1] + weights[column]:
            found[row] = column
            row, column = row + 1, column + 1
        elif best[row, column] == best[row + 1, column]:
            row += 1
        else:
            column += 1
    return found


def _with_helpers(operators: Sequence[str], matched: dict[int, int]) -> list[int] | None:
    """Return the node of each operator, also of those that XNNPACK added; None if one of these is unknown."""
    owners, numbers = list[int](), sorted(matched)
    for number, operator in enumerate(operators):
        before = [each for each in numbers if each <= number]
        after = [each for each in numbers if each > number]
        if number in matched:
            owners.append(matched[number])
        elif operator.startswith(_AFTER) and before:
            owners.append(matched[before[-1]])
        elif operator.startswith((*_BEFORE, *_AFTER)) and (after or before):
            owners.append(matched[after[0]] if after else matched[before[-1]])
        else:
            return None
    return owners


def _weight(kind: str) -> int:
    return next((weight for weight, kinds in _WEIGHTS if kind in kinds), _OTHER_WEIGHT)


def _fits(operator: str, kind: str) -> bool:
    names = _NAMES.get(kind) or (kind.replace("_2D", "").replace("_", " ").title(),)
    return operator.startswith(names)
