"""Short names of operators: the layer that they come from."""

from collections import Counter
from collections.abc import Sequence

from edge_bench.bench.analysis.profiles.kinds import plain_kind
from edge_bench.bench.records.profile import OperatorTime

__all__ = ["operator_names"]


def operator_names(operators: Sequence[OperatorTime]) -> list[str]:
    """Return a name for each operator, which no other one has.

    It is the layer in the name of its output: ``conv2d_1`` of ``model/activation_1/Relu;model/conv2d_1/Conv2D``. An
    operator without such a name is called after its kind. Equal names are followed by the position of the operator.
    """
    names = [_layer(operator) or operator.kind.lower() for operator in operators]
    counts = Counter(names)
    return [
        f"{name} #{operator.index}" if counts[name] > 1 else name
        for name, operator in zip(names, operators, strict=True)
    ]


def _layer(operator: OperatorTime) -> str:
    """Return the part of the name that is called like its kind, otherwise the last but one; empty without a path."""
    paths = [[part for part in path.split("/") if part] for path in operator.name.split(";")]
    kind = plain_kind(operator.kind)
    for path in paths:
        for part in path[1:] or path:
            if part[0].islower() and kind and kind in part.replace("_", ""):
                return part.removeprefix("tfl.")  # of operators that the converter adds
    return paths[0][-2] if len(paths[0]) > 2 else ""
