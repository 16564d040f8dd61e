"""Interface of a graph's adapter: its ``import_graph_loader()`` imports the library and returns a `GraphLoader`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from edge_bench.bench.records.delegate import DelegateSetting
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock, PassTimes
from edge_bench.bench.runtimes.graphs.layout import Layout

__all__ = ["Feed", "GraphFile", "GraphLoader", "GraphSession", "SignatureNames"]


SignatureNames = tuple[list[str], list[str]]  # of its inputs and outputs


class GraphFile(NamedTuple):
    """A model file and the settings to load it with."""

    path: Path  # a file, or the folder of a SavedModel
    threads: int
    batch_size: int | None  # examples of an invocation; None: the file's own, or 1
    signature: str = ""  # the named function to invoke; empty: the main one
    shapes: Mapping[str, tuple[int, ...]] = {}  # of whole inputs with open axes, by name, the first axis included
    serving: bool = False  # optimise for single requests instead of whole passes
    stateful: bool = False  # keep the model's state between invocations; otherwise it is reset before each
    delegate: DelegateSetting = DelegateSetting()


class Feed(NamedTuple):
    """The values of one input for several examples, [examples, …], in the input's own type."""

    values: npt.NDArray[Any]
    has_batch_axis: bool  # whether the first axis of the input is the examples; otherwise each invocation takes one


class GraphSession(Protocol):
    """A loaded model that can be invoked on any number of named inputs.

    ``inputs`` and ``outputs`` have whole shapes, the batch axis included, and -1 for an axis that is unknown before an
    invocation. Their order is the model's and the same in every function here. State that the model keeps between
    invocations is reset before each, outside the timed part.

    Names are those of the named function. In .tflite files without one, they are those of the only signature if it
    covers all inputs, otherwise those of the tensors. In Keras files they are the keys of dicts, otherwise the names of
    layers.
    """

    inputs: Sequence[TensorSpec]
    has_batch_axis: Sequence[bool]  # of each input: whether its first axis is the examples
    batch_size: int
    warning: str  # note on unusual times of the session; empty if there is none
    signatures: Mapping[str, SignatureNames]  # named functions of the file
    layout: Layout  # inputs and outputs as in the file

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size that the file takes; None: any."""

    @property
    def outputs(self) -> Sequence[TensorSpec]:
        """All outputs. `learn_outputs` may change them."""

    @property
    def keeps_batch_axis(self) -> Sequence[bool]:
        """Of each output: whether its first axis is the examples. `learn_outputs` may change it."""

    def learn_outputs(self, inputs: Sequence[npt.NDArray[Any]] | None = None) -> None:
        """Invoke the model once if the shapes of its outputs are otherwise unknown, on zeros by default."""

    def reset_state(self) -> None:
        """Restore the state after loading, if the model keeps state between invocations."""

    def invoke(self, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Return all outputs for whole inputs, not timed. A batch may have fewer than ``batch_size`` examples."""

    def run_pass(self, feeds: Sequence[Feed], clock: Clock) -> PassTimes:
        """Run one pass over all examples: copy in, invoke, and copy all outputs out. They are not kept."""


GraphLoader = Callable[[GraphFile], GraphSession]
