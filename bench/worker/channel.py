"""Typed messages over two pipe ends, each in a frame with its length before it."""

import os
import select
import time
from typing import Any

import msgspec

__all__ = ["Channel", "ChannelClosed", "frame"]

#: A trial of a million images answers with some 10 MB.
MAX_FRAME = 256 << 20


class ChannelClosed(Exception):
    """The other side is gone, or does not speak this protocol."""


def frame(message: msgspec.Struct) -> bytes:
    """Four bytes of length, then MessagePack."""
    payload = msgspec.msgpack.encode(message)
    return len(payload).to_bytes(4, "big") + payload


class Channel:
    """Frames over two pipe ends."""

    def __init__(self, read_end: int, write_end: int, incoming: Any) -> None:
        self._read_end, self._write_end = read_end, write_end
        self._decoder = msgspec.msgpack.Decoder(incoming)

    def send(self, message: msgspec.Struct, timeout: float | None = None) -> None:
        """Writes one frame. TimeoutError where it is not taken within ``timeout`` seconds, ChannelClosed at the end."""
        data = memoryview(frame(message))
        deadline = None if timeout is None else time.monotonic() + timeout
        if timeout is not None:
            os.set_blocking(self._write_end, False)  # a full pipe that nobody empties must not keep us
        try:
            while data:
                _wait_until(self._write_end, select.POLLOUT, deadline)
                data = data[os.write(self._write_end, data) :]
        except TimeoutError:
            raise
        except OSError as cause:
            raise ChannelClosed(str(cause)) from None

    def receive(self, timeout: float | None = None) -> Any:
        """Sleeps until a whole frame is there. TimeoutError after ``timeout`` seconds, ChannelClosed at the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        size = int.from_bytes(self._exactly(4, deadline), "big")
        if size > MAX_FRAME:
            raise ChannelClosed("garbage on the pipe")
        try:
            return self._decoder.decode(self._exactly(size, deadline))
        except (ValueError, RecursionError):
            raise ChannelClosed("garbage on the pipe") from None

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            _wait_until(self._read_end, select.POLLIN, deadline)
            chunk = os.read(self._read_end, min(size - len(parts), 1 << 20))
            if not chunk:
                raise ChannelClosed("the pipe was closed")
            parts += chunk
        return bytes(parts)

    @property
    def ends(self) -> tuple[int, int]:
        """File descriptors to read from and to write to."""
        return self._read_end, self._write_end

    def close(self) -> None:
        """Closes both ends."""
        for end in (self._read_end, self._write_end):
            os.close(end)


def _wait_until(end: int, event: int, deadline: float | None) -> None:
    """Sleeps until one can go on at a pipe's end, or it is closed; TimeoutError at the deadline."""
    waiting = select.poll()  # not select(), which knows no handle above 1023
    waiting.register(end, event)
    left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
    if not waiting.poll(left):
        raise TimeoutError
