"""What a benchmark and its workers say to each other: typed messages, each in a frame with its length before it."""

import os
import select
import time
from typing import Annotated, Any

import msgspec

from bench.bundle import Preprocessing, TensorSpec
from bench.codec import Count, Positive, Text
from bench.results import Configuration

__all__ = [
    "Channel",
    "ChannelClosed",
    "Describe",
    "Described",
    "Finish",
    "Finished",
    "Prepare",
    "Prepared",
    "Problem",
    "Ready",
    "Time",
    "Timed",
]

#: A trial of a million images answers with some 10 MB.
MAX_FRAME = 256 << 20


class Prepare(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model and warm up."""

    configuration: Configuration
    file: str
    images: str  # .npy, uint8 [n, height, width, channels] or float32 [n, …]
    rows: list[int]
    preprocessing: Preprocessing
    input_shape: list[int] | None = None  # of one image, where the file leaves it open


class Describe(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model and say what it takes and gives; then end."""

    file: str
    input_shape: list[int] | None = None


class Time(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Make one trial of so many passes, over all prepared images or some of them, by their places."""

    passes: int
    places: list[int] | None = None


class Finish(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No more trials will be asked for."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The runtime's library has been imported."""

    import_ns: Count


class Prepared(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warm."""

    load_ns: Count
    first_ns: Count
    warm_up_ns: Count
    warm_up_invocations: Count
    memory_before_bytes: Count
    pass_ns: Count  # how long a pass will take, as far as the warm-up tells
    output: TensorSpec
    chunks: Count = 1  # parts that a pass is timed in, because all its inputs at once would be too large


class Described(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a model takes and gives; an axis of size -1 is open."""

    input: TensorSpec
    output: TensorSpec


class Timed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One trial."""

    began_ns: Count  # by the machine's monotonic clock
    elapsed_ns: Positive
    cpu_ns: Count  # processor time of all the worker's threads
    latencies_ns: list[Count]
    labels: list[Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)]]
    best: bytes = b""  # uint16 [images, 5], little-endian: the outputs with the five highest scores; of more than five


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker ends now."""

    memory_peak_bytes: Count


class Problem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker could not do what was asked."""

    kind: Text
    message: Text


Request = Prepare | Describe | Time | Finish
Reply = Ready | Prepared | Described | Timed | Finished | Problem


class ChannelClosed(Exception):
    """The other side is gone, or does not speak this protocol."""


class Channel:
    """Frames over two pipe ends: four bytes of length, then MessagePack."""

    def __init__(self, read_end: int, write_end: int, incoming: Any) -> None:
        self._read_end, self._write_end = read_end, write_end
        self._decoder, self._encoder = msgspec.msgpack.Decoder(incoming), msgspec.msgpack.Encoder()

    def send(self, message: msgspec.Struct) -> None:
        """Writes one frame; ChannelClosed where nobody reads."""
        payload = self._encoder.encode(message)
        data = memoryview(len(payload).to_bytes(4, "big") + payload)
        try:
            while data:
                data = data[os.write(self._write_end, data) :]
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
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._read_end], [], [], left)[0]:
                raise TimeoutError
            chunk = os.read(self._read_end, min(size - len(parts), 1 << 20))
            if not chunk:
                raise ChannelClosed("the pipe was closed")
            parts += chunk
        return bytes(parts)

    def close(self) -> None:
        """Closes both ends."""
        for end in (self._read_end, self._write_end):
            os.close(end)
