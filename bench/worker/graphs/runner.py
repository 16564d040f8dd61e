"""A loaded graph in a worker: timed trials, an untimed pass that records outputs, and samples of outputs."""

import time
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.masks import StoredMask
from edge_bench.bench.runtimes.base import Clock
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile, GraphLoader
from edge_bench.bench.runtimes.graphs.batched import batch_of
from edge_bench.bench.runtimes.profiling.base import ProfiledFile
from edge_bench.bench.worker.graphs.decoders import Decoder, decoder_for
from edge_bench.bench.worker.graphs.examples import GraphExamples
from edge_bench.bench.worker.graphs.messages import (
    GraphPrepared,
    PrepareGraph,
    RawOutputs,
    Record,
    Recorded,
    Sample,
    Sampled,
)
from edge_bench.bench.worker.messages import Timed
from edge_bench.bench.worker.warmup import measured_pass_ns, warm_up_passes

__all__ = ["GraphRunner"]

Array = npt.NDArray[Any]


class GraphRunner:
    """A loaded graph with its examples, warmed up if anything is timed."""

    def __init__(self, request: PrepareGraph, load: GraphLoader, clock: Clock) -> None:
        """Raise ValueError or BadInput if the model, its inputs and the decoding do not match."""
        self._request, self._clock = request, clock
        configuration = request.configuration
        memory_before = psutil.Process().memory_info().rss
        shapes = {name: tuple(shape) for name, shape in request.shapes.items()}
        began = clock()
        session = self._session = load(
            GraphFile(
                request.file, configuration.threads, configuration.batch_size, request.signature, shapes,
                stateful=request.stateful,
            )
        )  # fmt: skip
        loaded = clock()
        # after loading, since types and quantization are known only then
        self._examples = GraphExamples(request.inputs, request.rows, session)
        self._decoder: Decoder | None = None  # since the first `Record`
        self._recorded = 0
        size = session.batch_size
        first = self._examples.first(size)
        first_ns = 0
        if request.warm_up:
            times = session.run_pass(first, clock)
            first_ns = int(times.ended[-1] - times.began[0])
        session.learn_outputs([batch_of(feed, 0, size, pad=False) for feed in first])
        self._new_decoder()  # now, so that invalid settings are refused at once
        warm_ns, invocations, pass_ns = self._warm_up() if request.warm_up else (0, 0, 0)
        self.opened = GraphPrepared(
            load_ns=loaded - began,
            first_inference_ns=first_ns,
            warm_up_ns=warm_ns,
            warm_up_invocations=invocations,
            memory_before_bytes=memory_before,
            pass_ns=pass_ns,
            outputs=list(session.outputs),
            chunks=self._examples.chunks,
            warnings=[session.warning] if session.warning else [],
        )

    def _warm_up(self) -> tuple[int, int, int]:
        size, count = self._session.batch_size, len(self._examples)
        # a full batch and one as large as the last of a pass, so that both are warm
        feeds = self._examples.first(size + count % size)
        run = self._session.run_pass
        duration, invocations, pass_ns = warm_up_passes(
            lambda: run(feeds, self._clock), len(feeds[0].values), count, self._clock
        )
        return duration, invocations, measured_pass_ns(pass_ns, lambda: self.trial(1).elapsed_ns)

    def _new_decoder(self) -> Decoder:
        return decoder_for(self._request.decoding, self._session.outputs, len(self._examples))

    @property
    def profiled_file(self) -> ProfiledFile:
        """The file and the settings of the session."""
        request, configuration = self._request, self._request.configuration
        shapes = {name: tuple(shape) for name, shape in request.shapes.items()}
        return ProfiledFile(request.file, configuration.threads, configuration.batch_size, request.signature, shapes)

    @property
    def first_positions(self) -> list[int]:
        """Positions of the examples of one batch, some of them twice if there are too few."""
        return [number % len(self._examples) for number in range(self._session.batch_size)]

    def batch(self) -> list[Array]:
        """Return the inputs of one invocation, in the model's order."""
        feeds = next(iter(self._examples.parts(self.first_positions)))[1]
        return [batch_of(feed, 0, self._session.batch_size, pad=False) for feed in feeds]

    def trial(self, passes: int, image_positions: list[int] | None = None) -> Timed:
        """Run ``passes`` passes, timed as one trial; latencies are those of the last pass.

        Only the runtime's work is timed, without resets of the model's state. Inputs that are too large to be cached
        are prepared and timed in parts.
        """
        latencies, elapsed, cpu_began, began = list[int](), 0, time.process_time_ns(), 0
        for number in range(passes):
            for _, feeds in self._examples.parts(image_positions):
                start = self._clock()
                times = self._session.run_pass(feeds, self._clock)
                elapsed += self._clock() - start - times.reset_ns
                began = began or start
                if number == passes - 1:
                    latencies += (times.ended - times.began).tolist()
        return Timed(
            began_ns=began,
            elapsed_ns=elapsed,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies_ns=latencies,
            labels=[],
        )

    def record(self, request: Record) -> Recorded:
        """Run some examples without timing, and decode their outputs.

        The state of a model is reset before the first example. Raise ValueError for examples out of order.
        """
        if request.first == 0:
            self._decoder, self._recorded = self._new_decoder(), 0
            self._session.reset_state()
        end = request.first + request.count
        if self._decoder is None or request.first != self._recorded or end > len(self._examples):
            raise ValueError(f"examples {request.first:,} to {end:,} are out of order")
        if request.last != (end == len(self._examples)):
            raise ValueError(f"example {end:,} of {len(self._examples):,} is {'not ' if request.last else ''}the last")
        timed = self._request.with_postprocess and self._decoder.has_postprocess
        checksums, masks, durations = list[int](), list[StoredMask](), list[int]()
        for outputs in self._outputs(range(request.first, end)):
            checksums.append(_checksum(outputs))
            began = self._clock()
            decoded = self._decoder.decode(outputs)
            durations.append(self._clock() - began)
            mask = self._decoder.store(decoded)
            if mask is not None:
                masks.append(mask)
        self._recorded = end
        return Recorded(
            checksums=pack(np.array(checksums, np.uint32)),
            masks=masks,
            outputs=self._decoder.result() if request.last else None,
            postprocess_ns=durations if timed else [],
        )

    def sample(self, request: Sample) -> Sampled:
        """Return the raw outputs of some examples, as many as fit in the limit of bytes."""
        self._session.reset_state()
        examples, left = list[list[RawOutputs]](), request.most_bytes
        for outputs in self._outputs(request.positions):
            left -= sum(each.nbytes for each in outputs)
            if left < 0:
                break
            examples.append([_raw(each) for each in outputs])
        return Sampled(outputs=examples)

    def _outputs(self, positions: Sequence[int]) -> Iterator[list[Array]]:
        """Yield all outputs of each example, without a batch axis."""
        size = self._session.batch_size
        for _, feeds in self._examples.parts(positions):
            for start in range(0, len(feeds[0].values), size):
                yield from self._split(feeds, start, size)

    def _split(self, feeds: Sequence[Feed], start: int, size: int) -> Iterator[list[Array]]:
        inputs = [batch_of(feed, start, size, pad=False) for feed in feeds]
        outputs = self._session.invoke(inputs)
        keeps = self._session.keeps_batch_axis
        for number in range(min(size, len(feeds[0].values) - start)):
            yield [np.asarray(each[number]) if kept else each for each, kept in zip(outputs, keeps, strict=True)]


def _checksum(outputs: Sequence[Array]) -> int:
    """Return the CRC-32 of shapes and bytes of all outputs of one example."""
    checksum = 0
    for output in outputs:
        checksum = zlib.crc32(repr(tuple(map(int, output.shape))).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(output).tobytes(), checksum)
    return checksum


def _raw(output: Array) -> RawOutputs:
    data = np.ascontiguousarray(output, output.dtype.newbyteorder("<")).tobytes()
    return RawOutputs(dtype=output.dtype.name, shape=list(output.shape), data=data)
