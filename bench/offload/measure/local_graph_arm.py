"""Local inference by a model with any inputs and outputs, timed from one example's stored values to its outputs."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from edge_bench.bench.offload.client.examples import InputExamples
from edge_bench.bench.offload.measure.messages import Prepared, PrepareLocalGraph, Timed, TimeLocal
from edge_bench.bench.offload.measure.samples import sampled
from edge_bench.bench.runtimes.base import Clock
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader
from edge_bench.bench.worker.durations import WARM_UP
from edge_bench.bench.worker.graphs.messages import Sample, Sampled

__all__ = ["LocalGraphArmWorker"]

Array = npt.NDArray[Any]


class _Inference(NamedTuple):
    prepare_ns: int
    model_ns: int
    reset_ns: int
    outputs: list[Array]


class LocalGraphArmWorker:
    """A loaded and warmed-up model that processes one example at a time."""

    def __init__(self, request: PrepareLocalGraph, load: GraphLoader, clock: Clock = time.perf_counter_ns) -> None:
        self._clock, self._rows = clock, request.rows
        shapes = {name: tuple(shape) for name, shape in request.shapes.items()}
        # its state is reset here, outside its times
        self._session = load(
            GraphFile(
                request.file, request.configuration.threads, 1, request.signature, shapes, serving=True, stateful=True
            )
        )
        self._examples = InputExamples(request.inputs, self._session.inputs)
        # in memory, like values from a sensor, so that no trial waits for the disk
        self._timed = self._examples.stored(request.rows[: request.timed])
        self._session.learn_outputs(self._examples.inputs(self._timed[0]))
        began, count, least = clock(), 0, WARM_UP.nanoseconds()
        while not count or clock() - began < least:
            self._infer(self._timed[count % len(self._timed)])
            count += 1
        pass_ns = (clock() - began) * len(self._timed) // count
        self.prepared = Prepared(pass_ns=pass_ns, outputs=list(self._session.outputs))

    def _infer(self, example: Sequence[Array]) -> _Inference:
        """Return the outputs, and the nanoseconds of preparing the inputs, inference with copies, and resets."""
        began = self._clock()
        inputs = self._examples.inputs(example)
        ready = self._clock()
        self._session.reset_state()
        reset = self._clock()
        outputs = self._session.invoke(inputs)
        return _Inference(ready - began, self._clock() - reset, reset - ready, outputs)

    def trial(self, request: TimeLocal) -> Timed:
        """Time ``request.passes`` passes over all timed examples."""
        prepare, model, resets = list[int](), list[int](), 0
        cpu_began, began = time.process_time_ns(), self._clock()
        for _ in range(request.passes):
            for example in self._timed:
                inference = self._infer(example)
                prepare.append(inference.prepare_ns)
                model.append(inference.model_ns)
                resets += inference.reset_ns
        return Timed(
            began_ns=began,
            elapsed_ns=self._clock() - began - resets,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies=[a + b for a, b in zip(prepare, model, strict=True)],
            parts={"prepare": prepare, "model": model},
            labels=[],
        )

    def sample(self, request: Sample) -> Sampled:
        """Return the outputs of some examples, not timed."""
        return sampled(request, lambda at: self._infer(self._examples.stored([self._rows[at]])[0]).outputs)
