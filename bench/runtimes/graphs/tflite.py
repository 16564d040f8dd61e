"""Any .tflite graph in the interpreters of tflite-runtime and LiteRT, which have the same interface."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.runtimes.graphs.base import GraphFile
from edge_bench.bench.runtimes.graphs.batched import BatchedGraph
from edge_bench.bench.runtimes.graphs.layout import Layout, Port, unique_names
from edge_bench.bench.runtimes.tflite_delegate import DelegatedInterpreter
from edge_bench.bench.runtimes.tflite_state import RELOADED, StateKind, state_kind, state_kind_of

__all__ = ["TfliteGraph"]

Array = npt.NDArray[Any]
Details = dict[str, Any]


class _Entry(NamedTuple):
    """The invoked graph: the main one, or that of a signature."""

    inputs: list[Details]
    outputs: list[Details]
    input_names: list[str]
    output_names: list[str]
    runner: Any = None  # of a signature whose graph is not the main one


class TfliteGraph(BatchedGraph):
    """The main graph of a .tflite file, or a named signature, which may belong to another graph of the file."""

    def __init__(self, library: Any, file: GraphFile) -> None:
        """Load with the library's module ``interpreter``.

        Raise ValueError if there is no such signature, or for unsupported tensors or shapes.
        """
        self._library, self._file = library, file
        self._allocated: list[list[int]] | None = None
        self._open()
        entry = self._entry
        ports = [
            [_port(detail, name) for detail, name in zip(details, names, strict=True)]
            for details, names in ((entry.inputs, entry.input_names), (entry.outputs, entry.output_names))
        ]
        # a shape without sizes is that of one number, or unknown before an invocation
        ports[1] = [port._replace(axes=port.axes or None) for port in ports[1]]
        layout = Layout(ports[0], ports[1], file.batch_size, file.shapes)
        super().__init__(layout, None, stateful=file.stateful)
        self.pads = self.batch_size > 1  # its tensors are allocated for full batches
        self.signatures = {
            name: (list(sides["inputs"]), list(sides["outputs"]))
            for name, sides in self._interpreter.get_signature_list().items()
        }
        if not self.layout.is_open:
            self.prepare([spec.shape for spec in self.inputs])
        kind = self._state_kind()
        restore: dict[StateKind, Callable[[], None] | None] = {
            StateKind.NONE: None, StateKind.VARIABLES: self._clear, StateKind.RESOURCES: self._reload
        }  # fmt: skip
        self._restore = restore[kind]
        self.warning = RELOADED if kind is StateKind.RESOURCES and not file.stateful else ""

    def _open(self) -> None:
        file = self._file
        self._delegated = DelegatedInterpreter(self._library, file.path, file.threads, file.delegate)
        self._interpreter = self._delegated.interpreter
        self._entry = _entry(self._interpreter, self._file.signature)

    def delegations(self) -> list[Delegation]:
        """Return how many nodes of the main graph each delegate runs; nothing if another graph is invoked."""
        return self._delegated.delegations() if self._entry.runner is None else []

    def _state_kind(self) -> StateKind:
        if self._entry.runner is None:
            return state_kind(self._interpreter)
        try:
            kind = state_kind_of(_operators_of(self._file.path, self._file.signature))
            if kind is StateKind.VARIABLES:
                self._interpreter.reset_all_variables()  # fails if another graph with variables is not allocated
        except (EdgeBenchError, OSError, RuntimeError, ValueError):
            return StateKind.RESOURCES  # reloading always works
        return kind

    def _clear(self) -> None:
        """Reset the variable tensors, which are the state of LSTM, GRU, RNN and SVDF operators."""
        if self._allocated is not None:
            self._interpreter.reset_all_variables()

    def _reload(self) -> None:
        """Reload the model, since ``reset_all_variables`` does not reset resource variables."""
        shapes, self._allocated = self._allocated, None
        self._open()
        if shapes is not None:
            self.prepare(shapes)

    def prepare(self, shapes: Sequence[Sequence[int]]) -> None:
        """Allocate tensors for inputs of these whole shapes; raise ValueError if the file does not take them."""
        wanted = [list(shape) for shape in shapes]
        if wanted == self._allocated:
            return
        self._allocated = None
        if self._entry.runner is not None:
            _allocate_signature(self._entry, wanted)
        else:
            present = {detail["index"]: detail for detail in self._interpreter.get_input_details()}
            for detail, shape in zip(self._entry.inputs, wanted, strict=True):
                self._resize(present[detail["index"]], shape)
            self._interpreter.allocate_tensors()
        self._allocated = wanted

    def _resize(self, detail: Details, shape: list[int]) -> None:
        if shape == detail["shape"].tolist():
            return
        try:
            self._interpreter.resize_tensor_input(detail["index"], shape, strict=True)
        except (ValueError, RuntimeError):  # tflite-runtime raises ValueError, LiteRT RuntimeError
            owner = f"{self._delegated.limits_shapes}: " if self._delegated.limits_shapes else ""
            raise ValueError(
                f"{owner}input {detail['name'][:80]} takes only shape {detail['shape_signature'].tolist()}, not {shape}"
            ) from None

    def call(self, inputs: Sequence[Array]) -> list[Array]:
        """Copy in, invoke once, and return copies of all outputs."""
        interpreter, entry = self._interpreter, self._entry
        if entry.runner is not None:
            return _run_signature(entry, inputs)
        for detail, value in zip(entry.inputs, inputs, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        try:
            return [interpreter.get_tensor(detail["index"]) for detail in entry.outputs]
        except ValueError:  # an output without values
            details = {each["index"]: each for each in interpreter.get_output_details()}
            return [_output(interpreter.get_tensor, details.get(each["index"], each)) for each in entry.outputs]


def _entry(interpreter: Any, signature: str) -> _Entry:
    """Return the graph to invoke; raise ValueError if there is no such signature."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    signatures = interpreter.get_signature_list()
    if signature and signature not in signatures:
        raise ValueError(f"no signature {signature[:80]}; the file has {', '.join(signatures)[:400] or 'none'}")
    names = [
        unique_names([each["name"] for each in side], kind) for side, kind in ((inputs, "input"), (outputs, "output"))
    ]
    main = _Entry(inputs, outputs, names[0], names[1])
    chosen = signature or (next(iter(signatures)) if len(signatures) == 1 else "")
    if not chosen:
        return main
    runner = interpreter.get_signature_runner(chosen)
    taken, given = runner.get_input_details(), runner.get_output_details()
    if getattr(runner, "_subgraph_index", None) != 0:
        if not signature:
            return main
        return _Entry(list(taken.values()), list(given.values()), list(taken), list(given), runner)
    taken, given = _in_main_order(taken, inputs), _in_main_order(given, outputs)
    if not signature:
        if not _covers(taken, inputs):
            return main
        if not _covers(given, outputs):
            given = dict(zip(names[1], outputs, strict=True))
    return _Entry(list(taken.values()), list(given.values()), list(taken), list(given))


def _in_main_order(side: dict[str, Details], details: Sequence[Details]) -> dict[str, Details]:
    """Return one side of a signature of the main graph in the order of that graph."""
    order = {each["index"]: number for number, each in reversed(list(enumerate(details)))}
    return dict(sorted(side.items(), key=lambda item: order.get(item[1]["index"], len(order))))


def _covers(side: dict[str, Details], details: Sequence[Details]) -> bool:
    """Return whether a signature has a name for each tensor of the main graph's inputs or outputs, and no others."""
    return [each["index"] for each in side.values()] == [each["index"] for each in details]


def _operators_of(path: Path, signature: str) -> set[str]:
    """Return the names of the operators in a signature's graph; raise ValueError if the file is damaged."""
    parsed = read_tflite(path)
    graph = next(each.graph for each in parsed.signatures if each.key == signature)
    start = sum(each.nodes for each in parsed.graphs[:graph])
    return {node.name for node in parsed.nodes[start : start + parsed.graphs[graph].nodes]}


def _allocate_signature(entry: _Entry, shapes: Sequence[list[int]]) -> None:
    """Allocate the main graph and that of a signature, as variables of both are reset together."""
    wrapper, graph = entry.runner._interpreter_wrapper, entry.runner._subgraph_index
    with contextlib.suppress(ValueError, RuntimeError):  # the main graph may not work at its own sizes
        wrapper.AllocateTensors(0)
    for detail, shape in zip(entry.inputs, shapes, strict=True):
        wrapper.ResizeInputTensor(detail["index"], np.array(shape, np.int32), False, graph)
    wrapper.AllocateTensors(graph)


def _run_signature(entry: _Entry, inputs: Sequence[Array]) -> list[Array]:
    """Invoke the signature of another graph."""
    runner = entry.runner
    try:
        outputs = runner(**dict(zip(entry.input_names, inputs, strict=True)))
        return [outputs[name] for name in entry.output_names]
    except ValueError:  # an output without values, or a real error
        details = runner.get_output_details()
        if not any(0 in details[name]["shape"] for name in entry.output_names):
            raise
        wrapper, graph = runner._interpreter_wrapper, runner._subgraph_index
        return [_output(lambda index: wrapper.GetTensor(index, graph), details[name]) for name in entry.output_names]


def _output(get: Callable[[int], Array], detail: Details) -> Array:
    """Return an output; the libraries raise ValueError for one without values."""
    shape = detail["shape"].tolist()
    return np.zeros(shape, detail["dtype"]) if 0 in shape else get(detail["index"])


def _port(detail: Details, name: str) -> Port:
    """Return a tensor as in the file."""
    axes = (detail["shape_signature"] if len(detail["shape_signature"]) else detail["shape"]).tolist()
    scale, zero_point = detail["quantization"]
    dtype = np.dtype(detail["dtype"])
    return Port(name, "string" if dtype.kind in "SUO" else dtype.name, axes, float(scale), int(zero_point))
