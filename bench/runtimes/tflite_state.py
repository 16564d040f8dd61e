"""State that a .tflite model keeps between invocations, found by the operators of its main graph."""

import enum
from collections.abc import Set as AbstractSet
from typing import Any

__all__ = ["RELOADED", "WITH_VARIABLES", "StateKind", "state_kind", "state_kind_of"]

#: Warning about the times of models that are reloaded before each invocation.
RELOADED = (
    "its resource variables can be reset only by reloading the model, which was done before each invocation: the "
    "times are those of the first invocation after loading"
)
#: Operators that update variable tensors (``isVariable`` in the schema).
WITH_VARIABLES = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN",
    "BIDIRECTIONAL_SEQUENCE_RNN", "LSTM", "RNN", "SVDF", "UNIDIRECTIONAL_SEQUENCE_GRU",
}  # fmt: skip
#: Operators whose own graphs are not listed and may contain those.
_WITH_GRAPHS = {"WHILE", "IF", "CALL", "STABLEHLO_WHILE", "STABLEHLO_CASE", "STABLEHLO_COMPOSITE"}


class StateKind(enum.Enum):
    """How the state of a model is reset."""

    NONE = "it has none"
    VARIABLES = "reset_all_variables"
    RESOURCES = "only by loading the model again"


def state_kind(interpreter: Any) -> StateKind:
    """Return the kind of state that an interpreter's model keeps.

    Tested with tflite-runtime 2.14 and ai-edge-litert 2.3: ``reset_all_variables`` resets variable tensors. Neither it
    nor a new allocation resets resource variables (VAR_HANDLE, ASSIGN_VARIABLE), which belong to the interpreter.
    """
    try:
        # not a public method, but it does not read the file, which would add to the measured memory of the worker
        names = {operator["op_name"] for operator in interpreter._get_ops_details()}
    except (AttributeError, KeyError):
        return StateKind.VARIABLES  # a reset is harmless if there are none
    return state_kind_of(names)


def state_kind_of(names: AbstractSet[str]) -> StateKind:
    """Return the kind of state that a graph with operators of these names keeps."""
    if "ASSIGN_VARIABLE" in names or ("VAR_HANDLE" in names and names & _WITH_GRAPHS):
        return StateKind.RESOURCES
    return StateKind.VARIABLES if names & (WITH_VARIABLES | _WITH_GRAPHS) else StateKind.NONE
