"""LiteRT: the profiler of its compiled model. Times are in whole microseconds.

The times of XNNPACK's operators are rounded down, those of all others are differences of rounded times.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.files import mapped
from edge_bench.bench.model_formats.tflite import MAX_FILE_BYTES, Tensor, parse_tflite
from edge_bench.bench.runtimes.profiling.base import (
    Executed,
    ProfiledFile,
    ProfiledLoader,
    StatedTensor,
    from_rounded_down,
    whole_inputs,
)
from edge_bench.bench.runtimes.profiling.litert.library import CompiledModel, Event, EventKind
from edge_bench.bench.runtimes.profiling.litert.parts import NO_DELEGATE, Part, interpreter_of, parts_of
from edge_bench.bench.runtimes.profiling.litert.xnnpack import align

__all__ = ["import_profiler"]

_NS = 1000
_NO_PROFILE = "measure the whole model with `edge-bench run`, or profile an .onnx file of the same model"
_OTHER_PARTS = "LiteRT's compiled model delegates other operators than its interpreter"


class _Step(NamedTuple):
    """What LiteRT executed in every invocation at the same position."""

    event: Event  # of the first invocation
    times: npt.NDArray[np.int64]  # microseconds, [invocations]


class LitertProfile:
    """A .tflite model whose operators LiteRT times. Its interpreter tells which nodes it delegates."""

    profiler = "the profiler of LiteRT's compiled model"
    resolution_ns = _NS

    def __init__(self, library: Any, file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> None:
        with mapped(file.path, MAX_FILE_BYTES) as content:
            self._file = parse_tflite(content)
        external = None if file.delegate_library is None else (file.delegate_library, file.delegate_options)
        try:
            self._model = CompiledModel(
                file.path, file.threads, file.signature, external, xnnpack=file.delegate != NO_DELEGATE
            )
        except RuntimeError as cause:
            raise EdgeBenchError(
                f"LiteRT's compiled model, which has the profiler, cannot load it: {cause}",
                "" if external else _NO_PROFILE,  # a delegate may be the cause: the caller names it
            ) from None
        self._axes = [len(tensor.shape) for tensor in self._tensors(file.signature)]
        self._order = [
            [tensor.name for tensor in self._tensors(file.signature)].index(name) for name in self._model.input_names
        ]
        whole = whole_inputs(inputs, self._axes)
        self._model.allocate([whole[number].shape for number in self._order])
        self._parts = parts_of(interpreter_of(library, file), self._file)
        self._recorded = list[list[Event]]()

    def _tensors(self, signature: str) -> Sequence[Tensor]:
        """Return the inputs in the order of the graph's session."""
        named = next((each for each in self._file.signatures if signature and each.key == signature), None)
        return [tensor for _, tensor in named.inputs] if named else self._file.inputs

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> int:
        """Invoke the model on one batch, profiled; return its duration in nanoseconds.

        An invocation without the profiler precedes it. Otherwise the threads of the model would be asleep, because the
        profiler works between invocations for longer than threads wait for new work.
        """
        whole = whole_inputs(inputs, self._axes)
        for position, number in enumerate(self._order):
            self._model.write(position, whole[number])
        invoke, start = self._model.invoke, self._model.start
        invoke()
        start()
        began = time.perf_counter_ns()
        invoke()
        duration = time.perf_counter_ns() - began
        events = [each for each in self._model.stop() if each.kind in (EventKind.OPERATOR, EventKind.DELEGATED)]
        self._recorded.append(events)
        return duration

    def finish(self, skip: int) -> list[Executed]:
        """Return what was executed, without the first invocations."""
        invocations = self._recorded[skip:]
        if not invocations or not invocations[0]:
            raise ValueError("LiteRT's profiler reports no operators")
        if any(
            [_identity(each) for each in one] != [_identity(each) for each in invocations[0]] for one in invocations
        ):
            raise ValueError("LiteRT's profiler reports different operators for each invocation")
        times = np.array([[event.elapsed for event in events] for events in invocations], np.int64)
        steps = [_Step(event, times[:, number]) for number, event in enumerate(invocations[0])]
        return list(self._executed(steps))

    def tensors(self) -> dict[str, StatedTensor]:
        """Return nothing, as a .tflite file states its shapes."""
        return {}

    def _executed(self, steps: Sequence[_Step]) -> Iterable[Executed]:
        # an external delegate runs a part as one operator, with the number of its node; the others are XNNPACK's
        numbers = {step.event.number for step in steps if step.event.kind == EventKind.OPERATOR}
        own = [part for part in self._parts if part.number not in numbers]
        pending = list[_Step]()
        for step in [*steps, None]:
            starts_part = step is not None and step.event.kind == EventKind.DELEGATED and step.event.number == 0
            if pending and (step is None or step.event.kind == EventKind.OPERATOR or starts_part):
                yield from self._delegated(pending, own)
                pending = []
            if step is None:
                break
            if step.event.kind == EventKind.DELEGATED:
                pending.append(step)
            elif step.event.graph == 0:  # the time of a loop includes the operators of its body
                yield self._operator(step)
        if own:
            raise ValueError(_OTHER_PARTS)

    def _operator(self, step: _Step) -> Executed:
        event, is_part = step.event, step.event.number >= self._file.main_nodes
        nodes = [event.number]
        if is_part:
            nodes = next((part.nodes for part in self._parts if part.number == event.number), [])
        kernel = f"{'delegate' if is_part else 'LiteRT'}: {event.tag}"
        return Executed(kind=event.tag, kernel=kernel, nodes=nodes, times_ns=(step.times * _NS).tolist())

    def _delegated(self, steps: Sequence[_Step], parts: list[Part]) -> Iterable[Executed]:
        part, names = _next_part(parts), [step.event.tag for step in steps]
        lists = align(names, [self._file.nodes[node].name for node in part.nodes])
        if lists is None:  # not understood: the part as a whole is still right
            lists = [list(range(len(part.nodes)))] * len(steps)
        start = 0
        for number in range(1, len(steps) + 1):
            if number == len(steps) or lists[number] != lists[start]:
                group = steps[start:number]
                times = sum(from_rounded_down(step.times) for step in group)
                kernels = " + ".join(step.event.tag for step in group[:8]) + (" + …" if len(group) > 8 else "")
                yield Executed(
                    kind=group[0].event.tag, kernel=f"XNNPACK: {kernels}", times_ns=np.asarray(times).tolist(),
                    nodes=[part.nodes[each] for each in lists[start]],
                )  # fmt: skip
                start = number


def _next_part(parts: list[Part]) -> Part:
    if not parts:
        raise ValueError(_OTHER_PARTS)
    return parts.pop(0)


def _identity(event: Event) -> tuple[int, str, int, int]:
    return event.kind, event.tag, event.number, event.graph


def import_profiler() -> ProfiledLoader:
    """Import the library and return a loader of profiled models."""
    from ai_edge_litert import interpreter

    def load(file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> LitertProfile:
        return LitertProfile(interpreter, file, inputs)

    return load
