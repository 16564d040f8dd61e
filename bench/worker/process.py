"""The parent's side of a worker process: starts it, asks, waits asleep, and says why it ended if it did."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

import edge_bench
from edge_bench.bench.records.run import Failure
from edge_bench.bench.worker.channel import Channel, ChannelClosed
from edge_bench.bench.worker.messages import Describe, Described, Finish, Finished, Problem, Ready, Reply

__all__ = ["WorkerFailed", "WorkerProcess", "describe_model"]

ReplyType = TypeVar("ReplyType")

_ROOT = Path(edge_bench.__file__).parent.parent
GRACE_SECONDS = 2.0


class WorkerFailed(Exception):
    """A worker did not answer as it should; ``failure`` is what its row says."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class WorkerProcess:
    """A fresh process for one configuration of one runtime."""

    def __init__(self, runtime: str, memory_limit: int | None = None) -> None:
        """OSError where there are no more processes, memory or file handles to be had; then nothing is left open."""
        self._begin("edge_bench.bench.worker", [runtime], memory_limit, Reply)

    @classmethod
    def spawn(cls, module: str, arguments: Sequence[str], replies: Any) -> "WorkerProcess":
        """A worker that runs another module, which answers with messages of its own."""
        worker = cls.__new__(cls)
        worker._begin(module, arguments, None, replies)
        return worker

    def _begin(self, module: str, arguments: Sequence[str], memory_limit: int | None, replies: Any) -> None:
        self._memory_limit = memory_limit
        with contextlib.ExitStack() as opened:
            self._log = opened.enter_context(_memory_file())
            ends = [end for _ in range(2) for end in _pipe(opened)]
            self._process = _started(module, arguments, ends[0], ends[3], memory_limit, self._log)
            opened.pop_all()
        os.close(ends[0])
        os.close(ends[3])
        self._channel = Channel(ends[2], ends[1], replies)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, request: msgspec.Struct, answer: type[ReplyType], timeout: float) -> ReplyType:
        """Sends a request and waits for its answer; WorkerFailed says why there is none."""
        try:
            self._channel.send(request, timeout)
        except TimeoutError:
            raise WorkerFailed(_timed_out(timeout)) from None
        except ChannelClosed as cause:
            raise WorkerFailed(self.why_closed(str(cause))) from None
        return self.wait_for(answer, timeout)

    def wait_for(self, answer: type[ReplyType], timeout: float) -> ReplyType:
        """Sleeps on the pipe until the worker says something."""
        try:
            reply = self._channel.receive(timeout)
        except TimeoutError:
            raise WorkerFailed(_timed_out(timeout)) from None
        except ChannelClosed as cause:
            raise WorkerFailed(self.why_closed(str(cause))) from None
        if isinstance(reply, Problem):
            raise WorkerFailed(Failure(kind=reply.kind, message=reply.message, remedy=reply.remedy))
        if not isinstance(reply, answer):
            raise WorkerFailed(Failure(kind="failed", message=f"answered {type(reply).__name__} out of turn"))
        return reply

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def ends(self) -> tuple[int, int]:
        """File descriptors to read its replies from and to write requests to, for who would not block on them."""
        return self._channel.ends

    def finish(self, timeout: float) -> Finished:
        """Lets the worker end; its last words."""
        return self.ask(Finish(), Finished, timeout)

    def delegate(self) -> str:
        """The delegate that the runtime said it made, XNNPACK say; empty where it said nothing."""
        named = re.search(r"Created TensorFlow Lite (\S+) delegate", self._said())
        return named[1] if named else ""

    def stop(self) -> None:
        """Ends the process, whatever it does, and frees what belongs to it. Safe to call twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if not self._log.closed:
            self._log.close()
            self._channel.close()

    def why_closed(self, cause: str) -> Failure:
        """What became of a worker whose pipe is closed; waits a moment for its end."""
        try:
            code = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return Failure(kind="crashed", message=f"the worker is out of step: {cause}")
        said = self._last_words()
        if code < 0:
            name = signal.Signals(-code).name
            hint = "out of memory?" if name == "SIGKILL" else self._memory_hint()
            return Failure(kind="crashed", message=f"the worker was ended by {name}{said}", remedy=hint)
        return Failure(
            kind="crashed", message=f"the worker ended with exit code {code}{said}", remedy=self._memory_hint()
        )

    def _memory_hint(self) -> str:
        """Native code that gets no memory mostly aborts, without a word that can be relied on."""
        if not self._memory_limit:
            return ""
        return f"it could allocate {self._memory_limit / (1 << 20):,.0f} MiB; try a larger --memory-limit"

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._said().splitlines() if line.strip()]
        return f": {lines[-1][:200]}" if lines else ""

    def _said(self) -> str:
        """The end of what its native code printed. Read by position, for the worker writes to the same file."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")


def _memory_file() -> IO[bytes]:
    """A file with no place on any disk, for what native code prints: there may be no temporary folder."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("edge-bench-worker"), "r+b", buffering=0)
    return tempfile.TemporaryFile()


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        opened.callback(os.close, end)
    return ends


def _started(
    module: str, arguments: Sequence[str], requests: int, replies: int, memory_limit: int | None, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH")) if part)
    # to the kernel a parent is a thread: a worker that a passing one has started must not end with it
    lasting = threading.current_thread() is threading.main_thread()
    words = [*arguments, requests, replies, os.getpid() if lasting else 0, memory_limit or 0]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *map(str, words)],
        pass_fds=(requests, replies),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=os.environ | {"PYTHONPATH": path},
    )


def _timed_out(timeout: float) -> Failure:
    return Failure(
        kind="timed out",
        message=f"no answer within {timeout:g} s; the worker was stopped",
        remedy="a larger --timeout, or a smaller --limit",
    )


def describe_model(
    runtime: str,
    file: Path,
    timeout: float,
    input_shape: Sequence[int] | None = None,
    memory_limit: int | None = None,
) -> Described:
    """What a model takes and gives, by loading it in a worker; WorkerFailed where the runtime cannot."""
    with WorkerProcess(runtime, memory_limit) as worker:
        worker.wait_for(Ready, timeout)
        shape = None if input_shape is None else list(input_shape)
        return worker.ask(Describe(file=str(file.absolute()), input_shape=shape), Described, timeout)
