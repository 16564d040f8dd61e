"""One model in one worker process, behind a bounded queue. A worker that crashes or hangs is replaced."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.worker_connection import WorkerConnection
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import time_limit
from edge_bench.bench.worker.channel import ChannelClosed
from edge_bench.bench.worker.graphs.serving_messages import (
    GraphInferred,
    GraphOpened,
    GraphRefused,
    InferGraph,
    OpenGraph,
)
from edge_bench.bench.worker.messages import Infer, Inferred, NotFinite, Open, Opened, Problem, Ready, Refused
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["Answer", "ModelWorker"]

#: Shortest and longest pause between attempts to start a worker, in seconds. Each pause is twice the one before.
FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0
#: The reason may name files and libraries of this machine, so only the server's log shows it.
_FAILED = "the model failed on this request; see the server's log"
#: After a longer wait, in ns, a request is computed only if its client is still connected.
LONG_WAIT_NS = 50_000_000


@dataclass(frozen=True)
class Answer:
    """Result of an inference, and how long the request waited for the model."""

    inferred: Inferred | GraphInferred
    queue_ns: int


class ModelWorker:
    """Worker process for one model. Requests run one at a time, in order of arrival."""

    def __init__(
        self,
        open_message: Open | OpenGraph,
        *,
        queue: int,
        start_timeout: float,
        timeout: float,
        memory_limit: int | None,
        say: Callable[[str], None],
    ) -> None:
        self._open_message, self._queue, self._memory_limit, self._say = open_message, queue, memory_limit, say
        self._start_timeout, self._timeout = start_timeout, timeout
        self._lock = asyncio.Lock()
        self._connection: WorkerConnection | None = None
        self._starting_worker: WorkerProcess | None = None
        self._restart_task: asyncio.Task[object] | None = None
        self._closed = False
        self.pending = 0  # requests that wait for the model or run on it
        self.restarts = 0
        self.unclassified = 0  # images without finite scores

    @property
    def ready(self) -> bool:
        """Whether a worker with a loaded model is running."""
        return self._connection is not None

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, or None while it is being restarted."""
        return self._connection.worker.pid if self._connection else None

    async def start(self) -> Opened | GraphOpened:
        """Start the first worker and load the model. Raise EdgeBenchError if that fails."""
        try:
            opened, self._connection = await self._new_worker()
        except WorkerFailed as cause:
            failure = cause.failure
            raise EdgeBenchError(f"{self._open_message.configuration}: {failure.message}", failure.remedy) from None
        return opened

    def admit(self) -> None:
        """Raise RequestError if the queue is full or the worker is restarting. Call this before reading the body."""
        self._require_ready()
        if self.pending > self._queue:
            raise RequestError(503, f"the queue of {self._queue} requests is full", retry_after=1)

    async def infer(self, request: Infer | InferGraph, is_disconnected: Callable[[], Awaitable[bool]]) -> Answer:
        """Wait for the request's turn and return the model's answer. Raise RequestError if there is none.

        After a wait of more than LONG_WAIT_NS, the request is dropped if its client has disconnected. Clients of an
        overloaded server give up and retry, and their abandoned requests would delay the others.
        """
        self.admit()
        queued_at = time.perf_counter_ns()
        self.pending += 1
        try:
            async with self._lock:
                queue_ns = time.perf_counter_ns() - queued_at
                if queue_ns > LONG_WAIT_NS and await is_disconnected():
                    raise RequestError(400, "the client disconnected")
                return await self._ask(self._require_ready(), request, queue_ns)
        finally:
            self.pending -= 1

    def _require_ready(self) -> WorkerConnection:
        if self._connection is None:
            raise RequestError(503, "the model is restarting", retry_after=5)
        return self._connection

    async def close(self) -> None:
        """Stop the worker for good."""
        self._closed = True
        if self._restart_task:
            self._restart_task.cancel()
        if self._starting_worker:
            self._starting_worker.stop()
        if self._connection:
            self._stop(self._connection)

    async def _ask(self, connection: WorkerConnection, request: Infer | InferGraph, queue_ns: int) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                reply = await connection.ask(request)
        except TimeoutError:
            self._replace(connection)
            self._say(f"! the model did not answer within {time_limit(self._timeout)}: restarting its worker")
            raise RequestError(500, f"the model did not answer within {time_limit(self._timeout)}") from None
        except ChannelClosed as cause:
            await self._replace_exited(connection, str(cause))
            raise RequestError(500, _FAILED) from None
        except asyncio.CancelledError:
            self._stop(connection)  # the server is shutting down
            raise
        if isinstance(reply, Inferred | GraphInferred):
            return Answer(reply, queue_ns)
        if isinstance(reply, GraphRefused) and reply.log:
            self._say(f"! a request was refused: {reply.log}")
        if isinstance(reply, Refused | GraphRefused):
            raise RequestError(400, reply.message)
        if isinstance(reply, NotFinite):
            self.unclassified += len(reply.images)
            others = f" and {len(reply.images) - 1} more" if len(reply.images) > 1 else ""
            raise RequestError(
                500, f"the model returned scores that are not finite for image {reply.images[0]}{others}"
            )
        reason = reply.message if isinstance(reply, Problem) else f"unexpected reply {type(reply).__name__}"
        self._replace(connection)
        self._say(f"! the model's worker failed: {reason}: restarting it")
        raise RequestError(500, _FAILED)

    async def _replace_exited(self, connection: WorkerConnection, cause: str) -> None:
        """Report why the worker ended, and start a new one."""
        self._connection = None
        reason = (await asyncio.to_thread(connection.worker.why_closed, cause)).message
        self._say(f"! {reason}: restarting the worker")
        self._replace(connection)

    def _on_worker_exit(self, connection: WorkerConnection) -> None:
        """Replace a worker that ended while it had no request."""
        if connection is self._connection:
            self._connection = None
            self._restart_task = asyncio.create_task(self._replace_exited(connection, "the pipe was closed"))

    def _stop(self, connection: WorkerConnection) -> None:
        self._connection = None
        connection.close()
        connection.worker.stop()

    def _replace(self, connection: WorkerConnection) -> None:
        self._stop(connection)
        if not self._closed:
            self._restart_task = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                _, self._connection = await self._new_worker()
            except (WorkerFailed, OSError) as cause:
                self._say(f"! the model cannot be started: {cause}; retrying in {pause:g} s")
            else:
                self.restarts += 1
                self._say("the model is available again")
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)

    async def _new_worker(self) -> tuple[Opened | GraphOpened, WorkerConnection]:
        message = self._open_message
        worker = self._starting_worker = WorkerProcess(
            message.configuration.runtime, self._memory_limit, files=[message.file]
        )
        try:
            opened = await asyncio.to_thread(self._load_model, worker)
            return opened, await WorkerConnection.open(worker, self._on_worker_exit)
        except BaseException:
            worker.stop()
            raise
        finally:
            self._starting_worker = None

    def _load_model(self, worker: WorkerProcess) -> Opened | GraphOpened:
        worker.wait_for(Ready, self._start_timeout)
        if isinstance(self._open_message, OpenGraph):
            return worker.ask(self._open_message, GraphOpened, self._start_timeout)
        return worker.ask(self._open_message, Opened, self._start_timeout)
