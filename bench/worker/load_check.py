"""A process that only loads a .tflite model and invokes it once, with a bare interpreter if the runtime has one.

``python -m edge_bench.bench.worker.load_check RUNTIME FILE READ_FD WRITE_FD PARENT MEMORY_LIMIT``.

It accepts every model that the runtime accepts, with any inputs and outputs, not only those that can be measured.
"""

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge_bench.bench.io.record_codec import BoundedStr
from edge_bench.bench.records.tensor_spec import TensorSpec
from edge_bench.bench.runtimes import Runtime, graph_loader, runtime_named
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader, GraphSession
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.worker.access import access_to
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.limits import configure_worker, first_line
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["OPEN_SIZES", "Invoked", "LoadOutcome", "Loaded", "NotLoaded", "try_load"]

#: Sizes of open axes, except the batch, to try if a model does not load at its stored sizes. These are mostly one,
#: which is too small for a convolution without padding.
OPEN_SIZES = (32, 224)


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The interpreter was created and its tensors are allocated. `Invoked` follows."""

    size: int = 0  # of open axes, if the stored sizes did not work


class NotLoaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The runtime refused the model."""

    message: BoundedStr
    sizes: list[int] = []  # of open axes that did not work; others may work


class Invoked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model was invoked once with zeros; empty strings for text."""

    message: BoundedStr = ""  # why it failed; empty if it worked


Reply = Loaded | NotLoaded | Invoked


class LoadOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a runtime loads a model; both messages are the runtime's own."""

    refusal: str = ""  # empty if it loads
    invocation: str = ""  # why an invocation with zeros failed; empty if it worked or the model was not loaded
    sizes: list[int] = []  # of open axes: the one that works, or with a refusal those that do not; empty: the stored


def try_load(runtime: str, file: Path, timeout: float, memory_limit: int | None = None) -> LoadOutcome:
    """Load a .tflite file in a separate process and invoke it once.

    ``timeout`` is in seconds per step, ``memory_limit`` in bytes, by default what this machine can spare.
    """
    arguments = [runtime, str(file.absolute())]
    access = access_to([file])
    limit = untimed_memory_limit(memory_limit)
    with WorkerProcess.spawn("edge_bench.bench.worker.load_check", arguments, Reply, access, limit) as worker:
        try:
            reply = worker.wait_for(object, timeout)
        except WorkerFailed as cause:
            return LoadOutcome(refusal=cause.failure.message)
        if isinstance(reply, NotLoaded):
            return LoadOutcome(refusal=reply.message, sizes=reply.sizes)
        sizes = [reply.size] if isinstance(reply, Loaded) and reply.size else []
        try:
            return LoadOutcome(invocation=worker.wait_for(Invoked, timeout).message, sizes=sizes)
        except WorkerFailed as cause:
            return LoadOutcome(invocation=cause.failure.message, sizes=sizes)


def main(arguments: list[str]) -> int:
    """Load the model, reply, invoke it, reply. Return the exit code."""
    name, file, read_end, write_end, parent, limit = arguments
    configure_worker(int(parent), int(limit))
    channel = Channel(int(read_end), int(write_end), Reply)
    try:
        try:
            invoke, size = _load(runtime_named(name), file)
        except _SizesFail as cause:
            channel.send(NotLoaded(message=str(cause), sizes=[1, *OPEN_SIZES]))
            return 0
        except Exception as cause:  # any error of the library is reported
            channel.send(NotLoaded(message=first_line(cause)))
            return 0
        channel.send(Loaded(size=size))
        try:
            invoke()
        except Exception as cause:
            channel.send(Invoked(message=first_line(cause)))
            return 0
        channel.send(Invoked())
    except ChannelClosed:
        pass  # the parent has ended
    return 0


class _SizesFail(Exception):
    """The tensors cannot be allocated with any of the tried sizes."""


def _load(runtime: Runtime, file: str) -> tuple[Callable[[], object], int]:
    """Return a function that invokes the loaded model, and the size of its open axes, 0 for the stored sizes."""
    if not runtime.has_interpreter:
        return _load_graph(runtime, Path(file))
    interpreter, size = _load_interpreter(runtime, file)
    return (lambda: _invoke(interpreter)), size


def _load_graph(runtime: Runtime, file: Path) -> tuple[Callable[[], object], int]:
    """Load with a runtime whose sessions take any graph."""
    load = graph_loader(runtime)
    session, size = load(GraphFile(file, 1, None)), 0
    if session.layout.is_open:
        session, size = _load_at_open_sizes(load, file, session.inputs)
    return (lambda: session.invoke([np.zeros(spec.shape, spec.dtype) for spec in session.inputs])), size


def _load_at_open_sizes(load: GraphLoader, file: Path, inputs: Sequence[TensorSpec]) -> tuple[GraphSession, int]:
    failure: Exception | None = None
    for size in OPEN_SIZES:
        shapes = {spec.name: tuple(size if each < 0 else each for each in spec.shape) for spec in inputs}
        try:
            return load(GraphFile(file, 1, None, "", shapes)), size
        except (RuntimeError, ValueError) as cause:
            failure = cause
    raise _SizesFail(first_line(failure or ValueError("no size")))


def _load_interpreter(runtime: Runtime, file: str) -> tuple[Any, int]:
    """Return an allocated interpreter, and the size of its open axes, 0 for the stored sizes."""
    interpreter_class = importlib.import_module(f"{runtime.library}.interpreter").Interpreter
    interpreter = interpreter_class(model_path=file, num_threads=1)
    try:
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as cause:
        failure = cause
    else:
        return interpreter, 0
    is_open = any(_resized(detail, 2) != detail["shape"].tolist() for detail in interpreter.get_input_details())
    if not is_open or re.search(r"unresolved custom op|Select TensorFlow op", str(failure)):
        raise failure
    for size in OPEN_SIZES:
        interpreter = interpreter_class(model_path=file, num_threads=1)
        for detail in interpreter.get_input_details():
            interpreter.resize_tensor_input(detail["index"], _resized(detail, size))
        try:
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as cause:
            failure = cause
        else:
            return interpreter, size
    raise _SizesFail(first_line(failure))


def _resized(detail: dict[str, Any], size: int) -> list[int]:
    """Return the shape of an input with this size for open axes, except for the batch."""
    stored: list[int] = detail["shape"].tolist()
    signature: list[int] = detail["shape_signature"].tolist()
    if len(signature) != len(stored):
        return stored
    return [
        size if open_size < 0 and (axis > 0 or len(stored) == 1) else known
        for axis, (known, open_size) in enumerate(zip(stored, signature, strict=True))
    ]


def _invoke(interpreter: Any) -> None:
    """Invoke it with zeros at the stored sizes, in which open axes are mostly one."""
    for detail in interpreter.get_input_details():
        dtype, shape = np.dtype(detail["dtype"]), tuple(detail["shape"].tolist())
        is_text = dtype.kind in "SUO"
        interpreter.set_tensor(detail["index"], np.full(shape, b"", object) if is_text else np.zeros(shape, dtype))
    interpreter.invoke()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
