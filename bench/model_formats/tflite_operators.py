"""Operators of a .tflite file: their names, versions and tensors."""

from dataclasses import dataclass
from typing import Any

from edge_bench.bench.model_formats.reading_budget import ReadingBudget

__all__ = ["Node", "constant_names", "custom_code", "is_flex", "operator_codes", "read_node"]

#: Prefix of the name of a custom operator. A custom operator without a name is called ``CUSTOM``.
_CUSTOM = "CUSTOM"
#: Prefix of the number of a built-in operator that is newer than the schema.
_UNKNOWN = "BUILTIN"
#: Limit on the characters of a custom operator's name. Names of frameworks have about 30.
MAX_NAME = 100


@dataclass(frozen=True)
class Node:
    """An operator in a graph."""

    name: str
    version: int
    inputs: tuple[int, ...]  # indices of tensors; -1 for an omitted input
    outputs: tuple[int, ...]
    adjoint: bool = False  # whether a matrix multiplication transposes its first input


def custom_code(operator: str) -> str | None:
    """Return the name of a custom operator, empty if the file gives none; None for a built-in operator."""
    if operator == _CUSTOM:
        return ""
    return operator.removeprefix(f"{_CUSTOM} ") if operator.startswith(f"{_CUSTOM} ") else None


def is_flex(operator: str) -> bool:
    """Return whether it is a TensorFlow operator, which needs the Flex delegate ("Select TF ops")."""
    return (custom_code(operator) or "").startswith("Flex")


def constant_names(table: Any) -> dict[int, str]:
    """Return number → name of an enumeration of the generated reader."""
    return {code: name for name, code in vars(table).items() if not name.startswith("_")}


def operator_codes(model: Any, schema: Any, budget: ReadingBudget) -> list[tuple[str, int]]:
    """Return name and version of every operator code; raise ValueError for a negative version."""
    names = constant_names(schema.BuiltinOperator)
    return [
        _operator_code(code, names, budget) for code in budget.take(model.OperatorCodesLength(), model.OperatorCodes)
    ]


def _operator_code(code: Any, names: dict[int, str], budget: ReadingBudget) -> tuple[str, int]:
    # files from before 2021 have the code in the deprecated field only
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = names.get(number, f"{_UNKNOWN} {number}")
    version = int(code.Version())
    if version < 0:
        raise ValueError(f"{name} has the invalid version {version}")
    if name == _CUSTOM:
        name = f"{_CUSTOM} {budget.text(code.CustomCode())[:MAX_NAME]}".rstrip()
    return name, version


def read_node(operator: Any, codes: list[tuple[str, int]], schema: Any, budget: ReadingBudget) -> Node:
    """Return an operator of a graph; raise ValueError if it has no operator code."""
    number = operator.OpcodeIndex()
    if not 0 <= number < len(codes):
        raise ValueError(f"an operator has code {number}, but there are {len(codes)}")
    name, version = codes[number]
    adjoint, options = False, operator.BuiltinOptions()
    if name == "BATCH_MATMUL" and options is not None:
        matmul = schema.BatchMatMulOptions()
        matmul.Init(options.Bytes, options.Pos)
        adjoint = bool(matmul.AdjX())
    inputs, outputs = budget.integers(operator.InputsAsNumpy()), budget.integers(operator.OutputsAsNumpy())
    return Node(name=name, version=version, inputs=inputs, outputs=outputs, adjoint=adjoint)
