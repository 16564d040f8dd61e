"""A worker process, for one configuration.

``python -m edge_bench.bench.worker RUNTIME READ_FD WRITE_FD PARENT MEMORY_LIMIT``.

Models are loaded by native code only in a worker, so that a crash ends only this process.
"""

import gc
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.io.npy import open_npy
from edge_bench.bench.preprocessing.model_inputs import InputBatches
from edge_bench.bench.runtimes import Runtime, graph_loader, loader, runtime_named
from edge_bench.bench.runtimes.base import Clock, Loader, ModelFile, with_known_output
from edge_bench.bench.runtimes.profiling import profiled_loader
from edge_bench.bench.runtimes.profiling.base import ProfiledFile
from edge_bench.bench.runtimes.scores import label_count, labels_and_top_five
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.graphs.describe import describe as describe_graph
from edge_bench.bench.worker.graphs.messages import DescribeGraph, PrepareGraph, Record, Sample
from edge_bench.bench.worker.graphs.runner import GraphRunner
from edge_bench.bench.worker.graphs.serving import GraphInferenceHandler
from edge_bench.bench.worker.graphs.serving_messages import InferGraph, OpenGraph
from edge_bench.bench.worker.limits import configure_worker, first_line, is_out_of_memory, peak_memory
from edge_bench.bench.worker.messages import (
    Describe,
    Described,
    Finish,
    Finished,
    Infer,
    Open,
    OpenProbe,
    Predict,
    Prepare,
    Prepared,
    Problem,
    Ready,
    Time,
    Timed,
)
from edge_bench.bench.worker.probing import Probe
from edge_bench.bench.worker.profiling.messages import ProfileModel
from edge_bench.bench.worker.profiling.profiler import profile
from edge_bench.bench.worker.protocol import Reply, Request
from edge_bench.bench.worker.serving import InferenceHandler
from edge_bench.bench.worker.warmup import measured_pass_ns, warm_up


def main(arguments: list[str]) -> int:
    """Serve requests until the parent sends `Finish` or closes the pipe; return the exit code."""
    name, read_end, write_end, parent, limit = arguments
    configure_worker(int(parent), int(limit))
    channel = Channel(int(read_end), int(write_end), Request)
    try:
        began = time.perf_counter_ns()
        try:
            runtime = runtime_named(name)
            load = loader(runtime)
        except Exception as cause:  # any error of the library is reported
            channel.send(Problem(kind="cannot load", message=f"importing {name}: {first_line(cause)}"))
            return 0
        channel.send(Ready(import_ns=time.perf_counter_ns() - began))
        _serve(channel, load, runtime)
    except ChannelClosed:
        pass  # the parent has ended
    return 0


def _problem_of(kind: str, cause: Exception) -> Problem:
    if is_out_of_memory(cause):
        return Problem(kind="out of memory", message=f"the worker is out of memory: {first_line(cause)}")
    remedy = cause.remedy if isinstance(cause, EdgeBenchError) else ""
    return Problem(kind=kind, message=first_line(cause), remedy=remedy)


def _serve(channel: Channel, load: Loader, runtime: Runtime) -> None:
    conversation = Conversation(load, runtime)
    reply = conversation.answer(channel.receive())
    if not conversation.ended:
        # before the reply, since the next request may follow immediately
        gc.collect()
        gc.freeze()
    channel.send(reply)
    while not conversation.ended:
        channel.send(conversation.answer(channel.receive()))


class Conversation:
    """Describes or opens a model at the first request, and uses it for the later ones."""

    def __init__(self, load: Loader, runtime: Runtime) -> None:
        self._load, self._runtime = load, runtime
        self._worker: Worker | None = None
        self.ended = False  # whether the last reply was the final one

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request. Errors are replies, too, and end the conversation."""
        try:
            reply = self._first(request) if self._worker is None else self._later(self._worker, request)
        except Exception as cause:
            reply = _problem_of("cannot load" if self._worker is None else "failed", cause)
        self.ended |= isinstance(reply, Problem)
        return reply

    def _first(self, request: Request) -> Reply:
        self.ended = isinstance(request, Describe | DescribeGraph)
        if isinstance(request, Describe):
            return _describe(request, self._load)
        if isinstance(request, DescribeGraph):
            return describe_graph(request, graph_loader(self._runtime))
        self._worker = self._opened(request)
        return self._worker.opened

    def _opened(self, request: Request) -> "Worker":
        match request:
            case Open():
                return InferenceHandler(request, self._load)
            case OpenProbe():
                return Probe(request, self._load)
            case PrepareGraph():
                return GraphRunner(request, graph_loader(self._runtime), time.perf_counter_ns)
            case OpenGraph():
                return GraphInferenceHandler(request, graph_loader(self._runtime))
            case Prepare():
                return _TrialRunner(request, self._load, time.perf_counter_ns)
            case _:
                raise ValueError(f"unexpected request: {type(request).__name__}")

    def _later(self, worker: "Worker", request: Request) -> Reply:
        self.ended = isinstance(request, Finish)
        if isinstance(request, ProfileModel) and isinstance(worker, _TrialRunner | GraphRunner):
            return profile(worker, profiled_loader(self._runtime), request, time.perf_counter_ns)
        return Finished(memory_peak_bytes=peak_memory()) if isinstance(request, Finish) else _reply(worker, request)


def _reply(worker: "Worker", request: Request) -> Reply:
    match request:
        case Time(passes=passes, image_positions=image_positions) if isinstance(worker, _TrialRunner | GraphRunner):
            return worker.trial(passes, image_positions)
        case Record() if isinstance(worker, GraphRunner):
            return worker.record(request)
        case Sample() if isinstance(worker, GraphRunner):
            return worker.sample(request)
        case Predict() if isinstance(worker, Probe):
            return worker.predict(request)
        case _:
            return _served(worker, request)


def _served(worker: "Worker", request: Request) -> Reply:
    match request:
        case Infer() if isinstance(worker, InferenceHandler):
            return worker.infer(request)
        case InferGraph() if isinstance(worker, GraphInferenceHandler):
            return worker.infer(request)
        case _:
            return Problem(kind="failed", message=f"unexpected request: {type(request).__name__}")


class _TrialRunner:
    """A loaded model, warmed up and with its inputs, that runs timed trials."""

    def __init__(self, request: Prepare, load: Loader, clock: Clock) -> None:
        self._request, self._clock = request, clock
        images = open_npy(request.images)
        memory_before = psutil.Process().memory_info().rss
        configuration = request.configuration
        file = ModelFile(
            request.file,
            configuration.threads,
            configuration.batch_size,
            _as_shape(request.input_shape),
            stateful=request.stateful,
        )
        began = clock()
        session = self._session = load(file)
        loaded = clock()
        with_known_output(session)
        # after loading, since the quantization is known only then
        self._batches = InputBatches(images, request.rows, request.preprocessing, session.input, session.batch_size)
        self._count, self._classes = len(request.rows), label_count(session.output)
        self._threshold, self._class_of_output = request.threshold, request.class_of_output
        inputs = self._batches.first(session.batch_size + self._count % session.batch_size)
        scores = self._empty_scores(len(inputs))
        times = session.classify(inputs[: session.batch_size], scores[: session.batch_size], clock)
        warm_ns, invocations, pass_ns = warm_up(session, inputs, scores, self._count, clock)
        pass_ns = measured_pass_ns(pass_ns, lambda: self.trial(1).elapsed_ns)
        self.opened = Prepared(
            load_ns=loaded - began,
            first_inference_ns=int(times.ended[-1] - times.began[0]),
            warm_up_ns=warm_ns,
            warm_up_invocations=invocations,
            memory_before_bytes=memory_before,
            pass_ns=pass_ns,
            output=session.output,
            chunks=self._batches.chunks,
            warnings=[session.warning] if session.warning else [],
        )

    def _empty_scores(self, count: int) -> npt.NDArray[Any]:
        # an open axis beside the classes has to turn out to be 1
        sizes = [max(1, size) for size in self._session.output.shape[1:]]
        return np.zeros((count, *sizes), self._session.output.dtype)

    @property
    def profiled_file(self) -> ProfiledFile:
        """The file and the settings of the session."""
        configuration = self._request.configuration
        return ProfiledFile(self._request.file, configuration.threads, configuration.batch_size)

    @property
    def first_positions(self) -> list[int]:
        """Positions of the images of one batch, some of them twice if there are too few."""
        return [number % self._count for number in range(self._session.batch_size)]

    def batch(self) -> list[npt.NDArray[Any]]:
        """Return the input of one invocation."""
        return [next(iter(self._batches.parts(self.first_positions)))[1]]

    def trial(self, passes: int, image_positions: list[int] | None = None) -> Timed:
        """Run ``passes`` passes, timed as one trial; latencies and labels are those of the last pass.

        Only the runtime's work is timed, without resets of the model's state. Inputs that are too large to be cached
        are prepared and timed in parts.
        """
        count = self._count if image_positions is None else len(image_positions)
        labels, top_five = np.zeros(count, np.int64), np.zeros((count, min(5, self._classes)), "<u2")
        latencies, elapsed, cpu_began, began = list[int](), 0, time.process_time_ns(), 0
        tied, outside_unit = 0, False
        for number in range(passes):
            for part, inputs in self._batches.parts(image_positions):
                scores = self._empty_scores(len(inputs))
                start = self._clock()
                times = self._session.classify(inputs, scores, self._clock)
                elapsed += self._clock() - start - times.reset_ns
                began = began or start
                if number == passes - 1:
                    latencies += (times.ended - times.began).tolist()
                    labelled = labels_and_top_five(scores, self._session.output, self._threshold, self._class_of_output)
                    labels[part], top_five[part] = labelled.labels, labelled.top_five
                    tied, outside_unit = tied + labelled.tied, outside_unit or labelled.outside_unit
        return Timed(
            began_ns=began,
            elapsed_ns=elapsed,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies_ns=latencies,
            labels=labels.tolist(),
            best=top_five.tobytes() if self._classes > top_five.shape[1] else b"",
            tied=tied,
            outside_unit=outside_unit,
        )


Worker = _TrialRunner | InferenceHandler | Probe | GraphRunner | GraphInferenceHandler


def _describe(request: Describe, load: Loader) -> Described:
    session = with_known_output(load(ModelFile(request.file, 1, None, _as_shape(request.input_shape))))
    return Described(input=session.input, output=session.output, fixed_batch=session.fixed_batch)


def _as_shape(sizes: list[int] | None) -> tuple[int, ...] | None:
    return None if sizes is None else tuple(sizes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
