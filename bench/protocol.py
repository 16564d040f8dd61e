"""What a benchmark and its workers say to each other: typed messages, each in a frame with its length before it."""

import os
import select
import time
from typing import Annotated, Any, Literal

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
    "Infer",
    "Inferred",
    "Open",
    "Opened",
    "Prepare",
    "Prepared",
    "Problem",
    "Ready",
    "Refused",
    "Reply",
    "Time",
    "Timed",
    "frame",
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


class Open(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the model to serve it, and warm up."""

    configuration: Configuration
    file: str
    preprocessing: Preprocessing
    image: list[int]  # shape of one image as it is sent
    dtype: str  # of images as they are sent: uint8, or float32
    input_shape: list[int] | None = None  # of one image as the model takes it, where the file leaves it open


class Infer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Classify the images that someone sent."""

    form: Literal["raw", "json", "files", "base64"]  # pixels; the same as JSON; image files; the same as JSON strings
    count: int
    data: bytes


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


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The model is loaded and warm, and answers."""

    load_ns: int
    input: TensorSpec
    output: TensorSpec


class Inferred(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the model says of each image."""

    labels: bytes  # int64 [images], little-endian
    scores: bytes  # float32 [images, classes], little-endian
    classes: int
    decode_ns: int  # from what was sent to the model's inputs
    compute_ns: int  # the model's invocations alone


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What was sent is not what it was said to be; the worker goes on."""

    message: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker ends now."""

    memory_peak_bytes: Count


class Problem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker could not do what was asked."""

    kind: Text
    message: Text
    remedy: Text = ""


Request = Prepare | Describe | Open | Time | Infer | Finish
Reply = Ready | Prepared | Described | Opened | Timed | Inferred | Refused | Finished | Problem


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
