"""One configuration in one fresh process: ``python -m bench.worker RUNTIME READ_FD WRITE_FD``.

Native code meets a model only here, so that what it does to a process happens to this one.
"""

import gc
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from bench.bundle import Preprocessing, TensorSpec
from bench.protocol import (
    Channel,
    ChannelClosed,
    Finish,
    Finished,
    Prepare,
    Prepared,
    Problem,
    Ready,
    Request,
    Time,
    Timed,
)
from bench.runtimes import loader, runtime_named
from bench.runtimes.base import Clock, Loader, Session

__all__ = ["model_inputs", "warm_up"]

#: TensorFlow Lite's benchmark_model: warmup_runs = 1, warmup_min_secs = 0.5.
WARM_UP_NS = 500_000_000


def main(arguments: list[str]) -> int:
    """Answers requests until there are no more."""
    # Ctrl-C reaches the whole process group; the parent decides when a worker ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    name, read_end, write_end = arguments
    channel = Channel(int(read_end), int(write_end), Request)
    try:
        began = time.perf_counter_ns()
        try:
            load = loader(runtime_named(name))
        except Exception as cause:  # whatever the library raises, the row says it
            channel.send(Problem(kind="cannot load", message=f"importing {name}: {_line(cause)}"))
            return 0
        channel.send(Ready(import_ns=time.perf_counter_ns() - began))
        _serve(channel, load)
    except ChannelClosed:
        pass  # the parent is gone
    return 0


def _serve(channel: Channel, load: Loader) -> None:
    prepare = channel.receive()
    try:
        worker = _Prepared(prepare, load, time.perf_counter_ns)
    except Exception as cause:
        channel.send(Problem(kind="cannot load", message=_line(cause)))
        return
    channel.send(worker.answer)
    gc.collect()
    gc.freeze()
    while True:
        request = channel.receive()
        match request:
            case Time(passes=passes, places=places):
                try:
                    channel.send(worker.trial(passes, places))
                except Exception as cause:
                    channel.send(Problem(kind="failed", message=_line(cause)))
                    return
            case Finish():
                channel.send(Finished(memory_peak_bytes=peak_memory()))
                return
            case _:
                channel.send(Problem(kind="failed", message=f"out of turn: {type(request).__name__}"))
                return


class _Prepared:
    """A loaded, warm session with its inputs in memory."""

    def __init__(self, request: Prepare, load: Loader, clock: Clock) -> None:
        self._clock = clock
        images = np.load(request.images, mmap_mode="r", allow_pickle=False)[request.indices]
        # what a quantized model takes is known only once it is loaded, so real-valued inputs wait here
        memory_before = psutil.Process().memory_info().rss
        began = clock()
        self._session = load(Path(request.file), request.configuration.threads, request.configuration.batch_size)
        loaded = clock()
        self._inputs = model_inputs(images, request.preprocessing, self._session.input)
        self._outputs = np.zeros((len(images), *self._session.output.shape[1:]), self._session.output.dtype)
        if self._outputs.ndim != 2:
            raise ValueError(f"the model's output has shape {self._session.output.shape}; a classifier's has two axes")
        first = self._classify(min(len(images), self._session.batch_size))
        warm_ns, invocations, pass_ns = warm_up(self._session, self._inputs, self._outputs, clock)
        self.answer = Prepared(
            load_ns=loaded - began,
            first_ns=first,
            warm_up_ns=warm_ns,
            warm_up_invocations=invocations,
            memory_before_bytes=memory_before,
            pass_ns=pass_ns,
            output=self._session.output,
        )

    def _classify(self, count: int) -> int:
        times = self._session.classify(self._inputs[:count], self._outputs[:count], self._clock)
        return int(times.ended[-1] - times.began[0])

    def trial(self, passes: int, places: list[int] | None = None) -> Timed:
        """So many passes, timed as one; latencies and labels are the last pass's."""
        session, inputs, outputs, clock = self._session, self._inputs, self._outputs, self._clock
        if places is not None:  # picked out before anything is timed
            inputs, outputs = inputs[places], outputs[: len(places)]
        cpu_began = time.process_time_ns()
        began = clock()
        for _ in range(passes):
            times = session.classify(inputs, outputs, clock)
        elapsed = clock() - began
        return Timed(
            began_ns=began,
            elapsed_ns=elapsed,
            cpu_ns=time.process_time_ns() - cpu_began,
            latencies_ns=(times.ended - times.began).tolist(),
            labels=outputs.argmax(axis=1).tolist(),
        )


def model_inputs(images: npt.NDArray[np.uint8], preprocessing: Preprocessing, spec: TensorSpec) -> npt.NDArray[Any]:
    """Stored pixels as the model takes them, shape of ``images``: scaled, and quantized where the model is.

    Raises ValueError where the model's input does not fit the images.
    """
    if tuple(spec.shape[1:]) != images.shape[1:]:
        raise ValueError(f"the model takes images of shape {spec.shape[1:]}, these have {list(images.shape[1:])}")
    dtype = np.dtype(spec.dtype)
    real = images * np.float32(preprocessing.scale) + np.float32(preprocessing.offset)
    if dtype.kind == "f":
        return real.astype(dtype)
    if dtype.kind not in "iu" or not spec.scale:
        raise ValueError(
            f"the model takes {spec.dtype} without quantization; edge-bench feeds floats or quantized integers"
        )
    limits = np.iinfo(dtype)
    steps = np.rint(real / np.float32(spec.scale)) + spec.zero_point
    quantized: npt.NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(dtype)
    return quantized


def warm_up(
    session: Session, inputs: npt.NDArray[Any], outputs: npt.NDArray[Any], clock: Clock
) -> tuple[int, int, int]:
    """At least one invocation and at least half a second; (duration, invocations, expected duration of a pass) in ns.

    One full batch and one as large as the last of a pass, so that both shapes have been seen.
    """
    count, size = len(inputs), session.batch_size
    some = min(count, size + count % size)
    begin = clock()
    images = invocations = 0
    while invocations == 0 or clock() - begin < WARM_UP_NS:
        times = session.classify(inputs[:some], outputs[:some], clock)
        images += some
        invocations += len(times.began)
    duration = clock() - begin
    return duration, invocations, duration * count // images


def peak_memory() -> int:
    """Highest resident size of this process, in bytes.

    Read from the kernel's own record: getrusage's figure would include the parent's, from before exec.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def _line(cause: BaseException) -> str:
    """The first line of what a library says; the rest is a trace for its developers."""
    text = str(cause).strip() or type(cause).__name__
    return text.splitlines()[0][:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
