"""Work of the operators of a model, one by one and of several that are executed as one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["ModelWork", "NodeWork", "Work"]

#: Operators that select values of an input, and its position. They read about as much of it as they write.
_SELECTED = {
    **dict.fromkeys(
        ("GATHER", "GATHER_ND", "SLICE", "STRIDED_SLICE", "Gather", "GatherND", "GatherElements", "Slice"), 0
    ),
    "EMBEDDING_LOOKUP": 1,
}


@dataclass(frozen=True)
class NodeWork:
    """One operator of a model file; sizes are of one invocation."""

    kind: str  # as in the file
    name: str  # of its output tensor
    macs: int | None  # multiply-accumulates; None if unknown
    inputs: tuple[str, ...]  # keys of its tensors, constants included
    outputs: tuple[str, ...]
    precision: str  # number type in which it multiplies; empty if it does not, or unknown


@dataclass(frozen=True)
class Work:
    """Work of operators that are executed as one."""

    kind: str  # of the operator with the most multiply-accumulates; without any, of that which the runtime names
    name: str  # of the last output
    macs: int | None
    bytes_moved: int | None  # of what goes in and out; tensors between these operators are not moved
    precision: str


@dataclass(frozen=True)
class ModelWork:
    """The operators of a model in the order of its file."""

    nodes: Sequence[NodeWork]
    sizes: dict[str, int | None]  # bytes of each tensor by its key; None if unknown
    _users: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, node in enumerate(self.nodes):
            for key in node.inputs:
                self._users.setdefault(key, set()).add(number)

    def of(self, numbers: Sequence[int], kind: str = "") -> Work:
        """Return the work of these operators together; ``kind`` is what the runtime calls them.

        Raise ValueError if there are no such operators.
        """
        if not numbers or not all(0 <= number < len(self.nodes) for number in numbers):
            raise ValueError(f"no operators {list(numbers)[:5]} in a model of {len(self.nodes)}")
        group, nodes = set(numbers), [self.nodes[number] for number in numbers]
        main = max(nodes, key=lambda node: (node.macs or 0, node.macs is None, node.kind == kind))
        macs = [node.macs for node in nodes]
        made = {key for node in nodes for key in node.outputs}
        read = {key for node in nodes for key in node.inputs} - made
        # an output that only these operators use stays within them
        written = {key for key in made if not self._users.get(key) or self._users[key] - group}
        moved = [*(self._read(key, nodes) for key in read), *(self.sizes.get(key) for key in written)]
        return Work(
            kind=main.kind,
            name=nodes[-1].name,
            macs=None if None in macs else sum(each or 0 for each in macs),
            bytes_moved=None if None in moved else sum(each or 0 for each in moved),
            precision=main.precision,
        )

    def _read(self, key: str, nodes: Sequence[NodeWork]) -> int | None:
        """Return the bytes of a tensor that these operators read: all, or those that they select."""
        size, users = self.sizes.get(key), [node for node in nodes if key in node.inputs]
        if size is None or not all(node.inputs.index(key) == _SELECTED.get(node.kind) for node in users):
            return size
        selected = [self.sizes.get(output) for node in users for output in node.outputs]
        return size if None in selected else min(size, sum(each or 0 for each in selected))
