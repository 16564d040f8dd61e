"""The parent's side of a worker process: start it, exchange messages, and report why it failed."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.progress import time_limit
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.run import Failure
from edge_bench.bench.sandbox.launch import Access, sandboxed_command
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.system.cpu_features import illegal_instruction
from edge_bench.bench.wording import size
from edge_bench.bench.worker.access import WorkerScratch, access_to
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.graphs.messages import DescribeGraph, GraphDescribed
from edge_bench.bench.worker.messages import Describe, Described, Finish, Finished, Problem, Ready
from edge_bench.bench.worker.protocol import Reply

__all__ = ["WorkerFailed", "WorkerProcess", "describe_graph", "describe_model"]

ReplyType = TypeVar("ReplyType")

_EXIT_GRACE_SECONDS = 2.0
#: Lines that are not the cause of a crash: QEMU's own only repeats the signal, and others are for information,
#: such as "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_NO_CAUSE = re.compile(r"qemu: uncaught target signal|INFO: |I\d{4} ")


class WorkerFailed(Exception):
    """A worker did not reply as expected. ``failure`` is the reason that is reported for the configuration."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class WorkerProcess:
    """A fresh process for one configuration of one runtime, in the sandbox."""

    def __init__(
        self, runtime: str, memory_limit: int | None = None, *, files: Sequence[Path] = (), delegate: Path | None = None
    ) -> None:
        """Start the process. It can read only ``files``: the model and the images.

        With ``delegate``, the library of one, it can also read that, and use the devices for which there are delegates.
        Raise OSError, and leave nothing open, if processes, memory or descriptors run out.
        """
        self._delegate = delegate
        self._start("edge_bench.bench.worker", [runtime], memory_limit, Reply, access_to(files, delegate))

    @classmethod
    def spawn(
        cls, module: str, arguments: Sequence[str], replies: Any, access: Access | None, memory_limit: int | None = None
    ) -> "WorkerProcess":
        """Start a worker that runs another module, whose replies have the type ``replies``.

        The module itself sets ``memory_limit``, in bytes, which is its last argument (`limit_memory`).

        It runs in the sandbox with ``access`` to files. None is for processes that load no model, and runs it without
        the sandbox.
        """
        worker = cls.__new__(cls)
        worker._delegate = None
        worker._start(module, arguments, memory_limit, replies, access)
        return worker

    def _start(
        self, module: str, arguments: Sequence[str], memory_limit: int | None, replies: Any, access: Access | None
    ) -> None:
        self._memory_limit = memory_limit
        self._scratch: WorkerScratch | None = None
        with contextlib.ExitStack() as cleanup:
            command, environment = module_command(module), module_environment()
            if access is not None and (support := sandbox_support()).parts:
                self._scratch = WorkerScratch(access, support)
                cleanup.callback(self._scratch.remove)
                command = sandboxed_command(module, self._scratch.access, support)
                environment |= self._scratch.environment
            self._log = cleanup.enter_context(_log_file())
            (request_read, request_write), (reply_read, reply_write) = _pipe(cleanup), _pipe(cleanup)
            command += [*arguments, *_worker_arguments(request_read, reply_write, memory_limit)]
            self._process = _start_process(command, environment, (request_read, reply_write), self._log)
            cleanup.pop_all()
        os.close(request_read)
        os.close(reply_write)
        self._channel = Channel(reply_read, request_write, replies)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, request: msgspec.Struct, answer: type[ReplyType], timeout: float) -> ReplyType:
        """Send a request and return its reply; raise WorkerFailed if there is none within ``timeout`` seconds."""
        try:
            self._channel.send(request, timeout)
        except TimeoutError:
            raise WorkerFailed(_timeout_failure(timeout)) from None
        except ChannelClosed as cause:
            raise WorkerFailed(self.why_closed(str(cause))) from None
        return self.wait_for(answer, timeout)

    def wait_for(self, answer: type[ReplyType], timeout: float) -> ReplyType:
        """Wait for a reply of this type; raise WorkerFailed for another one or after ``timeout`` seconds."""
        try:
            reply = self._channel.receive(timeout)
        except TimeoutError:
            raise WorkerFailed(_timeout_failure(timeout)) from None
        except ChannelClosed as cause:
            raise WorkerFailed(self.why_closed(str(cause))) from None
        if isinstance(reply, Problem):
            # XNNPACK does not report why it fails to copy the weights
            lacks_memory = reply.kind == "out of memory" or "failed to create XNNPACK runtime" in reply.message
            hint = self._memory_hint() if lacks_memory else ""
            remedy = reply.remedy or hint or self._delegate_hint()
            raise WorkerFailed(Failure(kind=reply.kind, message=reply.message, remedy=remedy))
        if not isinstance(reply, answer):
            raise WorkerFailed(Failure(kind="failed", message=f"the worker sent an unexpected {type(reply).__name__}"))
        return reply

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._process.pid

    @property
    def ends(self) -> tuple[int, int]:
        """File descriptors to read replies from and to write requests to, for non-blocking use."""
        return self._channel.ends

    def finish(self, timeout: float) -> Finished:
        """Ask the worker to end and return its final message."""
        return self.ask(Finish(), Finished, timeout)

    def delegate(self, counted: Sequence[Delegation] = ()) -> str:
        """Return the name of the runtime's own delegate that it printed, for example XNNPACK; empty if none.

        tflite-runtime prints it even if it then runs no node: ``counted`` decides, if the nodes were counted.
        """
        match = re.search(r"Created TensorFlow Lite (\S+) delegate", self._printed())
        name = match[1] if match else ""
        return name if not counted or any(each.nodes for each in counted if each.name == name) else ""

    def stop(self) -> None:
        """Kill the process and release its resources; safe to call twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._scratch is not None:
            self._scratch.remove()
        if not self._log.closed:
            self._log.close()
            self._channel.close()

    def why_closed(self, cause: str) -> Failure:
        """Return why a worker with a closed pipe ended; wait up to two seconds for its end."""
        try:
            code = self._process.wait(_EXIT_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return Failure(kind="crashed", message=f"the worker violated the protocol: {cause}")
        last_line = self._last_line()
        if code < 0:
            name = signal.Signals(-code).name
            hint = "out of memory?" if name == "SIGKILL" else self._delegate_hint() or self._memory_hint()
            meaning = " (illegal instruction)" if name == "SIGILL" else ""
            message = f"the worker was killed by {name}{meaning}{last_line}"
            return Failure(kind="crashed", message=message, remedy=illegal_instruction(-code) or hint)
        return Failure(
            kind="crashed",
            message=f"the worker ended with exit code {code}{last_line}",
            remedy=self._delegate_hint() or self._memory_hint(),
        )

    def _delegate_hint(self) -> str:
        if self._delegate is None:
            return ""
        return f"the delegate {self._delegate.name} may be the cause: measure without it (--delegate default)"

    def _memory_hint(self) -> str:
        # native code usually aborts when an allocation fails, without a reliable message
        if not self._memory_limit:
            return ""
        return f"its memory limit was {size(self._memory_limit)}; try a larger --memory-limit"

    def _last_line(self) -> str:
        printed = (line.strip() for line in self._printed().splitlines())
        lines = [line for line in printed if line and not _NO_CAUSE.match(line)]
        return f": {lines[-1][:200]}" if lines else ""

    def _printed(self) -> str:
        """Return the last 4 KiB of its output, read by position, as the worker shares the file offset."""
        length = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 4096, max(0, length - 4096)).decode(errors="replace")


def _log_file() -> IO[bytes]:
    """Return a file in memory for the output of native code, as there may be no writable temporary folder."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("edge-bench-worker"), "r+b", buffering=0)
    return tempfile.TemporaryFile()


def _pipe(cleanup: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        cleanup.callback(os.close, end)
    return ends


def _worker_arguments(requests: int, replies: int, memory_limit: int | None) -> list[str]:
    # PR_SET_PDEATHSIG ends a worker with the thread that started it, so that must not be a short-lived thread
    in_main_thread = threading.current_thread() is threading.main_thread()
    return [str(value) for value in (requests, replies, os.getpid() if in_main_thread else 0, memory_limit or 0)]


def _start_process(
    command: Sequence[str], environment: dict[str, str], pass_fds: tuple[int, int], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        command,
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
    )
    # if memory runs out, Linux ends this process first, before any other on the machine
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")
    return process


def _timeout_failure(timeout: float) -> Failure:
    return Failure(
        kind="timed out",
        message=f"no answer within {time_limit(timeout)}; the worker was stopped",
        remedy="use a larger --timeout, or a smaller --limit",
    )


def describe_model(
    runtime: str,
    file: Path,
    timeout: float,
    input_shape: Sequence[int] | None = None,
    memory_limit: int | None = None,
) -> Described:
    """Return a model's input and output by loading it in a worker; raise WorkerFailed if it cannot be loaded."""
    with WorkerProcess(runtime, memory_limit, files=[file]) as worker:
        worker.wait_for(Ready, timeout)
        shape = None if input_shape is None else list(input_shape)
        return worker.ask(Describe(file=file.absolute(), input_shape=shape), Described, timeout)


def describe_graph(
    runtime: str,
    file: Path,
    timeout: float,
    signature: str = "",
    shapes: Mapping[str, Sequence[int]] | None = None,
    memory_limit: int | None = None,
) -> GraphDescribed:
    """Return inputs and outputs of a model by loading it in a worker; raise WorkerFailed if it cannot be loaded.

    ``timeout`` is in seconds per step, ``memory_limit`` in bytes. ``shapes`` are of whole inputs with open axes.
    """
    with WorkerProcess(runtime, memory_limit, files=[file]) as worker:
        worker.wait_for(Ready, timeout)
        stated = {name: list(shape) for name, shape in (shapes or {}).items()}
        request = DescribeGraph(file=file.absolute(), signature=signature, shapes=stated)
        return worker.ask(request, GraphDescribed, timeout)
