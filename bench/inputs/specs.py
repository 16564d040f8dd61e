"""Inputs of a graph, and examples for them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.records.tensor_spec import has_batch_axis

__all__ = ["GraphInputs", "InputSpec", "by_name", "combined_digest", "names_shown", "shown_shape"]

_SHOWN = 10


@dataclass(frozen=True)
class InputSpec:
    """An input of a graph: its name, type and shape as in the file, with -1 for an open axis.

    ``has_batch_axis``: whether the first axis is the examples. If None, it is if it has size 1 or is open. An exception
    is an input with one axis and a fixed size, which is one example.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    has_batch_axis: bool | None = None

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Shape of one example, without the batch axis."""
        stated = self.has_batch_axis
        if stated is None:
            stated = has_batch_axis(self.shape)
        return self.shape[1:] if stated else self.shape

    @property
    def known_shape(self) -> tuple[int, ...]:
        """Shape of one example; raise BadInput if an axis is open, naming the option that sets it."""
        shape = self.example_shape
        if -1 in shape:
            sizes = "x".join("N" if size == -1 else str(size) for size in self.shape)
            raise BadInput(
                f"input {self.name[:80]} has shape {shown_shape(self.shape)}, so the size of an example is unknown",
                f"set it: --shape {self.name[:80]}={sizes} with a number for each N",
            )
        return shape

    @property
    def type(self) -> np.dtype[np.generic]:
        """The numpy type; raise BadInput if the input takes strings or anything except numbers and booleans."""
        if self.dtype not in NUMBER_TYPES:
            raise BadInput(
                f"input {self.name[:80]} is of type {self.dtype[:40]}, but only numbers are supported",
                "use a model that takes numbers, without the operators that read text",
            )
        return np.dtype(self.dtype)


@dataclass(frozen=True)
class GraphInputs:
    """Examples for each input of a graph: memory-mapped .npy files of shape [examples, …]."""

    arrays: dict[str, Path]
    shapes: dict[str, tuple[int, ...]]  # of one example
    examples: int
    sha256: str  # of names and contents
    notes: tuple[str, ...] = ()
    labels: tuple[int, ...] | None = None  # index in ``classes`` of each example
    classes: tuple[str, ...] = ()


def by_name(inputs: Sequence[InputSpec]) -> dict[str, InputSpec]:
    """Return inputs by their names; raise BadInput for a duplicate name."""
    found = {each.name: each for each in inputs}
    if len(found) != len(inputs):
        raise BadInput("two inputs of the model have the same name", "give each input of the model its own name")
    return found


def names_shown(names: Iterable[str]) -> str:
    """Return names for a message, the first ten, each shortened."""
    shown = [name[:80] for name in names]
    more = f" and {len(shown) - _SHOWN:,} more" if len(shown) > _SHOWN else ""
    return (", ".join(shown[:_SHOWN]) + more) or "none"


def shown_shape(shape: Sequence[int]) -> str:
    """Return a shape as ``1×?×3``, with ? for an open axis."""
    return "×".join("?" if size == -1 else str(size) for size in shape) or "one number"


def combined_digest(parts: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 of names and the digests of what they name."""
    return hashlib.sha256(repr(sorted(parts)).encode("utf-8", "surrogateescape")).hexdigest()
