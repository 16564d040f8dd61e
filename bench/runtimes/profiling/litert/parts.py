"""Parts of a graph that LiteRT's interpreter gives to a delegate."""

from typing import Any, NamedTuple

from edge_bench.bench.model_formats.tflite import TfliteFile

__all__ = ["Part", "parts_of"]


class Part(NamedTuple):
    """Nodes of the main graph that a delegate executes as one, in the order of the file."""

    nodes: list[int]


def parts_of(interpreter: Any, file: TfliteFile) -> list[Part]:
    """Return the delegated parts of an allocated ``Interpreter``, in the order of execution.

    It lists a node for each part, with the part's inputs and outputs, after the nodes of the file.
    """
    operators = interpreter._get_ops_details()  # noqa: SLF001 - the library has no public function for it
    producers = {tensor: number for number, node in enumerate(file.nodes[: file.main_nodes]) for tensor in node.outputs}
    return [
        Part(_between(file, producers, set(map(int, each["inputs"])), list(map(int, each["outputs"]))))
        for each in operators[file.main_nodes :]
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
