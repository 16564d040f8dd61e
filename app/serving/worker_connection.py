"""Messages to and from a worker process on the event loop, without a thread."""

import asyncio
import os
from collections.abc import Callable

import msgspec

from edge_bench.bench.worker.channel import MAX_FRAME, ChannelClosed, frame
from edge_bench.bench.worker.process import WorkerProcess
from edge_bench.bench.worker.protocol import Reply

__all__ = ["WorkerConnection"]


class WorkerConnection:
    """Connection to a worker, for one request at a time. The event loop reads and writes the worker's pipe.

    ``on_exit`` is called if the worker ends while no request waits for its reply.
    """

    def __init__(self, worker: WorkerProcess, on_exit: Callable[["WorkerConnection"], None]) -> None:
        self.worker, self._on_exit = worker, on_exit
        self._pending: asyncio.Future[Reply] | None = None
        self._read_transport: asyncio.ReadTransport
        self._write_transport: asyncio.WriteTransport
        self._read_task: asyncio.Task[None]
        self._decoder: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)

    @classmethod
    async def open(cls, worker: WorkerProcess, on_exit: Callable[["WorkerConnection"], None]) -> "WorkerConnection":
        """Return a connection to a worker that has loaded its model."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        connection, (read_end, write_end) = cls(worker, on_exit), worker.ends
        # duplicates, because both the transports and the worker close their own descriptors
        connection._read_transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(read_end), "rb", 0)
        )
        connection._write_transport, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(os.dup(write_end), "wb", 0)
        )
        connection._read_task = loop.create_task(connection._read_replies(reader))
        return connection

    async def ask(self, message: msgspec.Struct) -> Reply:
        """Send a message and return the worker's reply. Raise ChannelClosed if the worker ends or sends invalid data.

        A caller that stops waiting must close the connection, because the reply may still arrive.
        """
        self._pending = asyncio.get_running_loop().create_future()
        self._write_transport.write(frame(message))
        return await self._pending

    def close(self) -> None:
        """Stop reading and close both ends of the pipe."""
        self._read_task.cancel()
        self._read_transport.close()
        if not self._write_transport.is_closing():  # abort() fails on a closed transport
            self._write_transport.abort()

    async def _read_replies(self, reader: asyncio.StreamReader) -> None:
        """Pass each reply to the request that waits for it, until the pipe is closed."""
        try:
            while True:
                reply = await self._read_reply(reader)
                if self._pending and not self._pending.done():
                    self._pending.set_result(reply)
        except ChannelClosed as cause:
            if self._pending and not self._pending.done():
                self._pending.set_exception(cause)
            else:
                self._on_exit(self)

    async def _read_reply(self, reader: asyncio.StreamReader) -> Reply:
        try:
            size = int.from_bytes(await reader.readexactly(4), "big")
            if size > MAX_FRAME:
                raise ChannelClosed("invalid data on the pipe")
            return self._decoder.decode(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError):
            raise ChannelClosed("the pipe was closed") from None
        except (ValueError, RecursionError):
            raise ChannelClosed("invalid data on the pipe") from None
