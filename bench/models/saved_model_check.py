"""Check of a SavedModel before TensorFlow loads it.

A SavedModel is a program, and loading it already runs parts of it. So it is accepted only if every operation in its
graphs and functions is listed in ``saved_model_operations.json``: operations that compute with tensors, variables and
tables in memory. Operations that read or write files, call Python, use the network, or come from other libraries are
not listed. Neither is any operation that has not been reviewed.

Every SavedModel also saves and restores its variables, with operations that take any path. These are accepted only in
nodes and functions that only TensorFlow's own restoring can run. Restoring must use the path that TensorFlow passes in.
"""

import functools
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import is_within, why_unreadable
from edge_bench.bench.model_formats.saved_model_graph import Function, MetaGraph, Node, read_saved_model
from edge_bench.bench.runtimes import SAVED_MODEL

__all__ = ["check_graph", "check_saved_model", "safe_operations"]

#: Operations on checkpoint files. Each takes its path as a tensor.
_CHECKPOINT_OPERATIONS = {"SaveV2", "RestoreV2", "MergeV2Checkpoints"}
#: Files that TensorFlow might load instead of the checked one.
_OTHER_GRAPHS = ("saved_model.cpb", "saved_model.pbtxt")
_REMEDY = "do not use this model, or ask its author for a .keras, .tflite or .onnx file"


@functools.cache
def safe_operations() -> frozenset[str]:
    """Return the names of the TensorFlow operations that only compute."""
    text = resources.files("edge_bench.bench.models").joinpath("saved_model_operations.json").read_text("utf-8")
    listed: dict[str, list[str]] = json.loads(text)
    return frozenset(name for names in listed.values() for name in names)


def check_saved_model(folder: Path) -> int:
    """Raise BadInput for a SavedModel folder that is not safe to load.

    Return the bytes of the constants in its graphs, unpacked. The folder must contain no links to outside and no
    special files.
    """
    for member in folder.rglob("*"):
        if not is_within(folder, member):
            raise BadInput(f"{member}: a link to outside the SavedModel", "do not use this model")
        if not member.is_file() and not member.is_dir():
            raise BadInput(f"{member}: not a regular file", "do not use this model")
    for name in _OTHER_GRAPHS:
        if (folder / name).exists():
            raise BadInput(f"{folder / name}: a second graph, which cannot be checked", "remove it")
    try:
        graphs = read_saved_model(folder / SAVED_MODEL)
    except (OSError, ValueError) as cause:
        raise BadInput(
            f"{folder / SAVED_MODEL}: cannot be read: {why_unreadable(cause)}", "copy or export it again"
        ) from None
    for graph in graphs:
        try:
            check_graph(graph)
        except ValueError as cause:
            raise BadInput(f"{folder}: {cause}", _REMEDY) from None
    return sum(node.constant_bytes for graph in graphs for node in _all_nodes(graph))


def check_graph(graph: MetaGraph) -> None:
    """Raise ValueError if a graph may do more than compute, or restore its variables from its own checkpoint."""
    known = safe_operations() | _CHECKPOINT_OPERATIONS | graph.functions.keys()
    unknown = sorted({node.operation for node in _all_nodes(graph)} - known)
    if unknown:
        raise ValueError(f"its graph uses operations that edge-bench refuses in SavedModels: {_shown(unknown)}")
    savers = _functions_with_checkpoints(graph.functions)
    _check_functions(graph, savers)
    _check_nodes(graph, savers)


def _all_nodes(graph: MetaGraph) -> Iterable[Node]:
    yield from graph.nodes
    for function in graph.functions.values():
        yield from function.nodes


def _shown(names: list[str]) -> str:
    shown = ", ".join(name[:60] or "one without a name" for name in names[:5])
    return f"{shown} and {len(names) - 5} others" if len(names) > 5 else shown


def _uses_checkpoints(node: Node, savers: set[str]) -> bool:
    """Return whether a node reads or writes checkpoints, itself or in a function that it may call."""
    return node.operation in _CHECKPOINT_OPERATIONS or node.operation in savers or not savers.isdisjoint(node.texts)


def _functions_with_checkpoints(functions: dict[str, Function]) -> set[str]:
    """Return the names of functions that read or write checkpoints, themselves or in functions that they may call."""
    callers: dict[str, list[str]] = {}
    for function in functions.values():
        for name in function.texts.union(*({node.operation, *node.texts} for node in function.nodes)):
            if name in functions or name in _CHECKPOINT_OPERATIONS:
                callers.setdefault(name, []).append(function.name)
    # a text with the name of such an operation counts as well, which only makes the check stricter
    found, pending = set[str](), list(_CHECKPOINT_OPERATIONS)
    while pending:
        for name in callers.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found


def _check_functions(graph: MetaGraph, savers: set[str]) -> None:
    """Raise ValueError if a function that uses checkpoints may be called by anything except a node of the graph."""
    for name in sorted(savers):
        encoded = name.encode("utf-8", "surrogateescape")
        if any(encoded in part for part in graph.callers) or "api_implements" in graph.functions[name].attributes:
            raise ValueError(f"its function {name[:80]!r} may read or write files when the model is run")


def _check_nodes(graph: MetaGraph, savers: set[str]) -> None:
    """Raise ValueError if a node that uses checkpoints may run for any other purpose than to save and restore."""
    nodes = {node.name: node for node in graph.nodes}
    if len(nodes) < len(graph.nodes):
        raise ValueError("two nodes have the same name")
    using = {name for name, node in nodes.items() if _uses_checkpoints(node, savers)}
    if not using:
        return
    consumers: dict[str, list[str]] = {}
    for node in graph.nodes:
        for source in node.inputs:
            consumers.setdefault(_node_of(source), []).append(node.name)
    for name in _reachable(using, consumers):
        encoded = name.encode("utf-8", "surrogateescape")
        if any(encoded in part for part in graph.entry_points):
            raise ValueError(f"its operation {name[:80]!r} may read or write files when the model is loaded or run")
    sources = {name: [_node_of(source) for source in node.inputs] for name, node in nodes.items()}
    for name in using & _reachable({_node_of(graph.restore)}, sources):
        if not _restores_given_path(nodes[name], graph, savers):
            raise ValueError(f"{name[:80]!r}, which restores its variables, uses files other than its checkpoint")


def _reachable(start: set[str], following: dict[str, list[str]]) -> set[str]:
    found, pending = set(start), list(start)
    while pending:
        for name in following.get(pending.pop(), ()):
            if name not in found:
                found.add(name)
                pending.append(name)
    return found


def _restores_given_path(node: Node, graph: MetaGraph, savers: set[str]) -> bool:
    """Return whether a node of the graph only reads the checkpoint whose path TensorFlow passes in."""
    if node.operation == "RestoreV2":
        return _is_filename(node.inputs[:1], graph) and savers.isdisjoint(node.texts)
    called = [graph.functions[name] for name in {node.operation, *node.texts} & savers]
    for function in called:
        for inner in function.nodes:
            if not _uses_checkpoints(inner, savers):
                continue
            path = inner.inputs[0] if inner.inputs else ""
            if inner.operation != "RestoreV2" or not savers.isdisjoint(inner.texts) or path not in function.arguments:
                return False
            number = function.arguments.index(path)
            if not _is_filename(node.inputs[number : number + 1], graph):
                return False
    return bool(called) and node.operation not in _CHECKPOINT_OPERATIONS


def _is_filename(inputs: list[str], graph: MetaGraph) -> bool:
    """Return whether the only input is the tensor that TensorFlow feeds with the path of the model's checkpoint."""
    return bool(inputs) and not inputs[0].startswith("^") and _tensor(inputs[0]) == _tensor(graph.filename)


def _tensor(name: str) -> str:
    return name.removesuffix(":0")


def _node_of(tensor: str) -> str:
    return tensor.removeprefix("^").split(":")[0]
