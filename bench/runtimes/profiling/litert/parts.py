"""Parts of a graph that LiteRT's interpreter gives to a delegate."""

from typing import Any, NamedTuple

from edge_bench.bench.model_formats.tflite import TfliteFile
from edge_bench.bench.runtimes.profiling.base import ProfiledFile

__all__ = ["NO_DELEGATE", "Part", "interpreter_of", "parts_of"]

#: The setting of a configuration without any delegate.
NO_DELEGATE = "none"


class Part(NamedTuple):
    """Nodes of the main graph that a delegate executes as one, in the order of the file."""

    number: int  # of the node that stands for them
    nodes: list[int]


def interpreter_of(library: Any, file: ProfiledFile) -> Any:
    """Return an allocated interpreter with the file's delegate; ``library`` is LiteRT's module ``interpreter``."""
    how: dict[str, Any] = {}
    if file.delegate == NO_DELEGATE:
        how["experimental_op_resolver_type"] = library.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    elif file.delegate_library is not None:
        how["experimental_delegates"] = [library.load_delegate(str(file.delegate_library), file.delegate_options)]
    interpreter = library.Interpreter(model_path=str(file.path), num_threads=file.threads, **how)
    interpreter.allocate_tensors()
    return interpreter


def parts_of(interpreter: Any, file: TfliteFile) -> list[Part]:
    """Return the delegated parts of an allocated ``Interpreter``, in the order of execution.

    It lists a node for each part, with the part's inputs and outputs, after the nodes of the file.
    """
    operators = interpreter._get_ops_details()
    producers = {tensor: number for number, node in enumerate(file.nodes[: file.main_nodes]) for tensor in node.outputs}
    return [
        Part(number, _between(file, producers, set(map(int, each["inputs"])), list(map(int, each["outputs"]))))
        for number, each in enumerate(operators[file.main_nodes :], file.main_nodes)
    ]


def _between(file: TfliteFile, producers: dict[int, int], inputs: set[int], outputs: list[int]) -> list[int]:
    """Return the nodes that compute ``outputs`` from ``inputs``."""
    found, waiting = set[int](), [tensor for tensor in outputs if tensor not in inputs]
    while waiting:
        node = producers.get(waiting.pop())
        if node is not None and node not in found:
            found.add(node)
            waiting += [tensor for tensor in file.nodes[node].inputs if tensor not in inputs]
    return sorted(found)
