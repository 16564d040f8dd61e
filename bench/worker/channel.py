"""Typed messages over two pipe ends, each in a length-prefixed frame."""

import os
import select
import time
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["Channel", "ChannelClosed", "frame"]

#: Maximum bytes of a frame. The reply for a trial of a million images has about 10 MB.
MAX_FRAME = 256 << 20


class ChannelClosed(Exception):
    """The other side has closed the pipe or violates the protocol."""


def frame(message: msgspec.Struct) -> bytes:
    """Encode a message: 4 bytes of length, big-endian, then MessagePack."""
    payload = msgspec.msgpack.encode(message, enc_hook=_path_to_bytes)
    return len(payload).to_bytes(4, "big") + payload


class Channel:
    """Frames over two pipe ends, with incoming messages of a given type."""

    def __init__(self, read_end: int, write_end: int, incoming: Any) -> None:
        self._read_end, self._write_end = read_end, write_end
        self._decoder = msgspec.msgpack.Decoder(incoming, dec_hook=_path_from_bytes)

    def send(self, message: msgspec.Struct, timeout: float | None = None) -> None:
        """Write one frame; raise TimeoutError after ``timeout`` seconds, ChannelClosed if the other side has ended."""
        data = memoryview(frame(message))
        deadline = None if timeout is None else time.monotonic() + timeout
        if timeout is not None:
            os.set_blocking(self._write_end, False)  # so that a full pipe does not block past the timeout
        try:
            while data:
                _wait_until(self._write_end, select.POLLOUT, deadline)
                data = data[os.write(self._write_end, data) :]
        except TimeoutError:
            raise
        except OSError as cause:
            raise ChannelClosed(str(cause)) from None

    def receive(self, timeout: float | None = None) -> Any:
        """Wait for a whole frame; raise TimeoutError after ``timeout`` seconds, ChannelClosed if the pipe is closed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        size = int.from_bytes(self._read_exactly(4, deadline), "big")
        if size > MAX_FRAME:
            raise ChannelClosed("invalid data on the pipe")
        try:
            return self._decoder.decode(self._read_exactly(size, deadline))
        except (ValueError, RecursionError):
            raise ChannelClosed("invalid data on the pipe") from None

    def _read_exactly(self, size: int, deadline: float | None) -> bytes:
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
        """Close both ends."""
        for end in (self._read_end, self._write_end):
            os.close(end)


def _path_to_bytes(value: Any) -> bytes:
    """Return a path as the bytes of its name, which need not be UTF-8."""
    if isinstance(value, Path):
        return os.fsencode(value)
    raise NotImplementedError(type(value).__name__)


def _path_from_bytes(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | bytes):
        return Path(os.fsdecode(value))
    raise NotImplementedError(kind.__name__)


def _wait_until(end: int, event: int, deadline: float | None) -> None:
    """Wait until a pipe's end is ready or closed; raise TimeoutError at the deadline."""
    poller = select.poll()  # not select(), which does not support descriptors above 1023
    poller.register(end, event)
    timeout_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
    if not poller.poll(timeout_ms):
        raise TimeoutError
