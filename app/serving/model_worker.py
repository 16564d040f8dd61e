"""One model in one worker process: a bounded queue before it, and a new worker where one crashed or hangs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.worker_connection import WorkerConnection
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.worker.channel import ChannelClosed
from edge_bench.bench.worker.messages import Infer, Inferred, Open, Opened, Problem, Ready, Refused
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["Answer", "ModelWorker"]

#: Seconds between attempts to start a worker again: doubled from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0
LONG_NS = 50_000_000


@dataclass(frozen=True)
class Answer:
    """What the model said, and how long it was waited for."""

    inferred: Inferred
    queue_ns: int


class ModelWorker:
    """Asks a worker, one request after another, in the order they came."""

    def __init__(
        self,
        opening: Open,
        *,
        queue: int,
        start_timeout: float,
        timeout: float,
        memory_limit: int | None,
        say: Callable[[str], None],
    ) -> None:
        self._opening, self._queue, self._memory_limit, self._say = opening, queue, memory_limit, say
        self._start_timeout, self._timeout = start_timeout, timeout
        self._turn = asyncio.Lock()
        self._connection: WorkerConnection | None = None
        self._starting: WorkerProcess | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._closed = False
        self.pending = 0  # requests that wait or are computed
        self.restarts = 0

    @property
    def ready(self) -> bool:
        """Whether a worker is there to answer."""
        return self._connection is not None

    @property
    def worker_pid(self) -> int | None:
        """The worker's process, where there is one."""
        return self._connection.worker.pid if self._connection else None

    async def start(self) -> Opened:
        """The first worker. EdgeBenchError says why there is none."""
        try:
            opened, self._connection = await self._new_worker()
        except WorkerFailed as cause:
            failure = cause.failure
            raise EdgeBenchError(f"{self._opening.configuration}: {failure.message}", failure.remedy) from None
        return opened

    def admit(self) -> None:
        """Raise RequestError if the queue is full or the model is restarting, before the request's body is read."""
        self._require_ready()
        if self.pending > self._queue:
            raise RequestError(503, f"{self._queue} requests are waiting already", retry_after=1)

    async def infer(self, request: Infer, gone: Callable[[], Awaitable[bool]]) -> Answer:
        """The model's answer, in turn. Fault says why there is none.

        Of a request that has waited for long it is asked whether its client is ``gone``: overload makes clients give up
        and come again, and what nobody waits for is not to delay the rest.
        """
        self.admit()
        came = time.perf_counter_ns()
        self.pending += 1
        try:
            async with self._turn:
                waited = time.perf_counter_ns() - came
                if waited > LONG_NS and await gone():
                    raise RequestError(400, "the client went away")
                return await self._ask(self._require_ready(), request, waited)
        finally:
            self.pending -= 1

    def _require_ready(self) -> WorkerConnection:
        if self._connection is None:
            raise RequestError(503, "the model is being started again", retry_after=5)
        return self._connection

    async def close(self) -> None:
        """Ends the worker."""
        self._closed = True
        if self._restarting:
            self._restarting.cancel()
        if self._starting:
            self._starting.stop()
        if self._connection:
            self._drop(self._connection)

    async def _ask(self, connection: WorkerConnection, request: Infer, queue_ns: int) -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                reply = await connection.ask(request)
        except TimeoutError:
            self._replace(connection)
            self._say(f"! the model gave no answer within {self._timeout:g} s: its worker is started again")
            raise RequestError(500, f"the model gave no answer within {self._timeout:g} s") from None
        except ChannelClosed as cause:
            why = await self._why(connection, str(cause))
            raise RequestError(500, f"the model failed on this request: {why}") from None
        except asyncio.CancelledError:
            self._drop(connection)  # the server is being ended
            raise
        match reply:
            case Inferred():
                return Answer(reply, queue_ns)
            case Refused(message=message):
                raise RequestError(400, message)
            case _:
                why = reply.message if isinstance(reply, Problem) else f"it answered {type(reply).__name__}"
                self._replace(connection)
                self._say(f"! the model's worker failed: {why}: it is started again")
                raise RequestError(500, f"the model failed on this request: {why}")

    async def _why(self, connection: WorkerConnection, cause: str) -> str:
        """Why a worker has ended; another is started."""
        self._connection = None
        why = (await asyncio.to_thread(connection.worker.why_closed, cause)).message
        self._say(f"! {why}: it is started again")
        self._replace(connection)
        return why

    def _lost(self, connection: WorkerConnection) -> None:
        """A worker has ended while nobody asked it."""
        if connection is self._connection:
            self._connection = None
            self._restarting = asyncio.create_task(self._on_worker_exit(connection))

    async def _on_worker_exit(self, connection: WorkerConnection) -> None:
        await self._why(connection, "the pipe was closed")

    def _drop(self, connection: WorkerConnection) -> None:
        self._connection = None
        connection.close()
        connection.worker.stop()

    def _replace(self, connection: WorkerConnection) -> None:
        self._drop(connection)
        if not self._closed:
            self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                _, self._connection = await self._new_worker()
            except (WorkerFailed, OSError) as cause:
                self._say(f"! the model cannot be started: {cause}; next attempt in {pause:g} s")
            else:
                self.restarts += 1
                self._say("the model answers again")
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)

    async def _new_worker(self) -> tuple[Opened, WorkerConnection]:
        worker = self._starting = WorkerProcess(self._opening.configuration.runtime, self._memory_limit)
        try:
            opened = await asyncio.to_thread(self._open, worker)
            return opened, await WorkerConnection.open(worker, self._lost)
        except BaseException:
            worker.stop()
            raise
        finally:
            self._starting = None

    def _open(self, worker: WorkerProcess) -> Opened:
        worker.wait_for(Ready, self._start_timeout)
        return worker.ask(self._opening, Opened, self._start_timeout)
