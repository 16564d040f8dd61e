"""A conversation with a worker that does not block the event loop."""

import asyncio
import os
from collections.abc import Callable

import msgspec

from edge_bench.bench.worker.channel import MAX_FRAME, ChannelClosed, frame
from edge_bench.bench.worker.messages import Reply
from edge_bench.bench.worker.process import WorkerProcess

__all__ = ["WorkerConnection"]


class WorkerConnection(asyncio.Protocol):
    """One question at a time; the worker's pipe is the loop's from here on.

    ``lost`` is called when the worker ends while nobody waits for it.
    """

    def __init__(self, worker: WorkerProcess, lost: Callable[["WorkerConnection"], None]) -> None:
        self.worker, self._lost = worker, lost
        self._received = bytearray()
        self._reply: asyncio.Future[Reply] | None = None
        self._reader: asyncio.ReadTransport
        self._writer: asyncio.WriteTransport
        self._decoder = msgspec.msgpack.Decoder(Reply)

    @classmethod
    async def open(cls, worker: WorkerProcess, lost: Callable[["WorkerConnection"], None]) -> "WorkerConnection":
        """Takes over the pipe of a worker that has been told what to do."""
        loop = asyncio.get_running_loop()
        connection, (read_end, write_end) = cls(worker, lost), worker.ends
        # duplicates: the transports close theirs, the worker its own
        connection._reader, _ = await loop.connect_read_pipe(lambda: connection, os.fdopen(os.dup(read_end), "rb", 0))
        connection._writer, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(os.dup(write_end), "wb", 0)
        )
        return connection

    async def ask(self, message: msgspec.Struct) -> Reply:
        """Sends a message and waits for what the worker says; ChannelClosed where it is gone.

        Whoever stops waiting has to close the line: the reply may still come.
        """
        self._reply = asyncio.get_running_loop().create_future()
        self._writer.write(frame(message))
        return await self._reply

    def close(self) -> None:
        """Lets go of the pipe."""
        if not self._reader.is_closing():
            self._reader.close()
        if not self._writer.is_closing():
            self._writer.abort()

    def data_received(self, data: bytes) -> None:
        """Part of a frame, or all of it."""
        received = self._received
        received += data
        if len(received) < 4:
            return
        size = int.from_bytes(received[:4], "big")
        if size > MAX_FRAME:
            self._fail("garbage on the pipe")
        elif len(received) >= 4 + size:
            try:
                reply = self._decoder.decode(memoryview(received)[4 : 4 + size])
            except msgspec.DecodeError:
                self._fail("garbage on the pipe")
                return
            self._received = bytearray()
            if self._reply and not self._reply.done():
                self._reply.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The worker's end is closed."""
        if self._reply and not self._reply.done():
            self._fail("the pipe was closed")
        else:
            self._lost(self)

    def _fail(self, why: str) -> None:
        if self._reply and not self._reply.done():
            self._reply.set_exception(ChannelClosed(why))
