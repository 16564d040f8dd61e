"""Outputs of some examples from a worker process, with the first runtime that can load the model."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.graph_examples import GraphExamples
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.graphs.sampling import Outputs, SamplerFactory
from edge_bench.bench.interpretation.predictions import ProbeRuntime
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.outputs.boxes import Detections
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding, TensorDecoding
from edge_bench.bench.records.outputs.tensors import NUMBER_TYPES
from edge_bench.bench.system.memory import untimed_memory_limit
from edge_bench.bench.tasks.detection.boxes import Boxes
from edge_bench.bench.tasks.detection.truth import unpacked_detections
from edge_bench.bench.worker.graphs.messages import (
    GraphPrepared,
    PrepareGraph,
    RawOutputs,
    Record,
    Recorded,
    Sample,
    Sampled,
)
from edge_bench.bench.worker.messages import Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["WorkerSampler", "worker_samplers"]


def worker_samplers(
    runtimes: Mapping[str, Sequence[ProbeRuntime]], timeout: float, memory_limit: int | None
) -> SamplerFactory:
    """Return a function that opens a sampler of a model in a worker process, with the runtimes of its variant."""

    def opened(variant: Variant, examples: GraphExamples) -> WorkerSampler:
        # tflite-runtime last: without XNNPACK, quantized models take up to ten times as long
        known = sorted(runtimes.get(variant.name, ()), key=lambda each: each.configuration.runtime == "tflite-runtime")
        return WorkerSampler(variant, examples, known, timeout, memory_limit)

    return opened


class WorkerSampler:
    """A `Sampler` whose model is loaded in a worker when its outputs are first requested."""

    def __init__(
        self,
        variant: Variant,
        examples: GraphExamples,
        runtimes: Sequence[ProbeRuntime],
        timeout: float,
        memory_limit: int | None,
    ) -> None:
        self._variant, self._examples, self._runtimes = variant, examples, runtimes
        self._timeout, self._memory_limit = timeout, untimed_memory_limit(memory_limit)
        self._sampled: dict[tuple[int, ...], list[Outputs]] = {}

    def sample(self, positions: Sequence[int]) -> list[Outputs]:
        """Return all outputs of each example, without a batch axis; of as many examples as fit in a reply."""
        known = [each for each in positions if each < len(self._examples.rows)]
        if tuple(known) not in self._sampled:
            with self._worker(self._examples, TensorDecoding()) as worker:
                reply = self._asked(worker, Sample(positions=known), Sampled)
            self._sampled[tuple(known)] = [[_array(each) for each in outputs] for outputs in reply.outputs]
        return self._sampled[tuple(known)]

    def boxes(self, decoding: BoxDecoding, positions: Sequence[int]) -> list[Boxes]:
        """Return the boxes of each example, in pixels of its image."""
        chosen = np.array([each for each in positions if each < len(self._examples.rows)], np.int64)
        examples = GraphExamples(
            self._examples.inputs, self._examples.rows, self._examples.shapes, self._examples.signature, decoding
        ).selected(chosen)
        with self._worker(examples, examples.decoding) as worker:
            reply = self._asked(worker, Record(first=0, count=len(chosen), last=True), Recorded)
        if not isinstance(reply.outputs, Detections):
            raise BadInput(f"{self._variant.name}: its outputs were not read as boxes", "use another --task")
        try:
            return unpacked_detections(reply.outputs)
        except ValueError as cause:
            raise BadInput(f"{self._variant.name}: {cause}", "try another runtime with --runtime") from None

    def close(self) -> None:
        """Discard the outputs. Each worker ends with its request."""
        self._sampled.clear()

    @contextlib.contextmanager
    def _worker(self, examples: GraphExamples, decoding: Decoding) -> Iterator[WorkerProcess]:
        """Yield a worker with the loaded model; raise BadInput if no runtime can load it."""
        problem = remedy = ""
        for runtime in self._runtimes:
            files = [runtime.file, *(each.file for each in examples.inputs)]
            name = runtime.configuration.runtime
            with WorkerProcess(name, self._memory_limit, files=files, delegate=runtime.delegate) as worker:
                try:
                    worker.wait_for(Ready, self._timeout)
                    worker.ask(_request(runtime, examples, decoding), GraphPrepared, self._timeout)
                except WorkerFailed as cause:
                    problem, remedy = problem or cause.failure.message, remedy or cause.failure.remedy
                    continue
                yield worker
                return
        raise BadInput(
            f"{self._variant.name}: {problem or 'no installed runtime can load the model'}",
            remedy or "see which runtimes can with edge-bench inspect",
        )

    def _asked(self, worker: WorkerProcess, request: Any, answer: type[Any]) -> Any:
        try:
            return worker.ask(request, answer, self._timeout)
        except WorkerFailed as cause:
            raise BadInput(f"{self._variant.name}: {cause.failure.message}", cause.failure.remedy) from None


def _request(runtime: ProbeRuntime, examples: GraphExamples, decoding: Decoding) -> PrepareGraph:
    return PrepareGraph(
        configuration=runtime.configuration,
        file=runtime.file.absolute(),
        inputs=list(examples.inputs),
        rows=examples.rows.tolist(),
        decoding=decoding,
        signature=examples.signature,
        shapes={name: list(shape) for name, shape in examples.shapes.items()},
        warm_up=False,
        delegate_library=runtime.delegate,
    )


def _array(raw: RawOutputs) -> npt.NDArray[Any]:
    """Return an output; raise BadInput if the worker's reply is inconsistent."""
    if raw.dtype not in NUMBER_TYPES:
        raise BadInput(f"an output has the type {raw.dtype[:20]}", "only numbers are supported")
    dtype = np.dtype(raw.dtype).newbyteorder("<")
    if int(np.prod(raw.shape, dtype=object)) * dtype.itemsize != len(raw.data):
        raise BadInput(f"an output has shape {raw.shape[:8]}, but {len(raw.data):,} bytes", "try another runtime")
    return np.frombuffer(raw.data, dtype).reshape(raw.shape)
