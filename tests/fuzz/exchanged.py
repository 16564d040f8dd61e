"""Targets for what comes from elsewhere: requests to the server, archives, saved images, fleet files, tune records."""

import asyncio
import io
import random
import re
import tarfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
from uvicorn import Config
from uvicorn.server import ServerState

from edge_bench.app.fleet.docker.images import cut
from edge_bench.app.fleet.docker.inventory import engine_settings
from edge_bench.app.fleet.docker.transfer import unpacked
from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.http_limits import HEADER_BYTES, BoundedHttp
from edge_bench.app.serving.open_inference import AcceptedInput, read_request
from edge_bench.app.tables.doctor import Tuning
from edge_bench.bench.errors import BadInput
from edge_bench.bench.system.tuning.record import Original, Tuned, read_tuned
from tests.fleet.saved import saved_image
from tests.fuzz.mutate import mutated_bytes

__all__ = [
    "TUNED", "archives", "bodies", "damaged_http", "fleet_files", "requests",
    "saved_images", "tune_records", "use_archive", "use_body",
    "use_fleet_file", "use_http", "use_saved_image", "use_tune_record",
]  # fmt: skip

#: Path of the record of original values below its root folder.
TUNED = "var/lib/edge-bench/tune.json"

MOST = 1 << 20


def requests() -> list[bytes]:
    """Connections: pipelined requests, a chunked body with extensions and trailers, an upgrade."""
    get = b"GET /v2/health/live HTTP/1.1\r\nHost: here\r\n\r\n"
    post = b"POST /v2/models/m/infer HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n{}{}"
    chunked = b"POST /v2 HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nabcd\r\n0\r\nX: y\r\n\r\n"
    upgrade = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    return [get * 3 + post, chunked + get, get + upgrade + get, post * 2 + chunked]


def damaged_http(content: bytes, draw: random.Random) -> bytes:
    """Return damaged requests, sometimes with a part repeated thousands of times."""
    content = mutated_bytes(content, draw)
    if draw.random() < 0.5 and content:
        start = draw.randrange(len(content))
        part = content[start : start + draw.choice((1, 2, 8, 40))]
        content = content[:start] + part * draw.choice((100, 5_000, 100_000)) + content[start:]
    return content


class _Loop:
    """An event loop without sockets. Tasks that wait are dropped; an application answers without waiting."""

    def __init__(self) -> None:
        self._tasks: list[Coroutine[Any, Any, Any]] = []

    def call_later(self, *_: Any) -> "_Handle":
        return _Handle()

    def create_task(self, task: Coroutine[Any, Any, Any], **_: Any) -> "_Handle":
        self._tasks.append(task)
        return _Handle()

    def run(self) -> None:
        while self._tasks:
            task = self._tasks.pop(0)
            try:
                task.send(None)
            except StopIteration:
                continue
            task.close()


class _Handle:
    """A timer or task. A Mock keeps a record of every call, which a hundred thousand requests turn into a gigabyte."""

    def cancel(self) -> None: ...

    def add_done_callback(self, _: object) -> None: ...


class _Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self._closing = bytearray(), False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _application(scope: Any, receive: Any, send: Any) -> None:
    if int.from_bytes(scope["raw_path"][-1:], "big") % 2:  # one in two answers
        await receive()
    assert sum(len(name) + len(value) for name, value in scope["headers"]) <= HEADER_BYTES
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def use_http(path: Path) -> None:
    """Receive a file's bytes in packets of several sizes. Raise AssertionError for answers of another form."""
    data = path.read_bytes()
    refused = False
    for size in (1 << 18, 1000, 17) if len(data) < 20_000 else (1 << 18, 5000):
        written = _written_for(data, size)
        for answer in re.split(rb"(?=HTTP/1\.1 \d{3} )", written)[1:]:
            head, _, body = answer.partition(b"\r\n\r\n")
            status = int(head[9:12])
            assert status in (100, 200) or (body.startswith(b'{"error":') and b"application/json" in head), answer[:500]
            refused |= status >= 400
    if refused:
        raise BadInput("refused")


def _written_for(data: bytes, size: int) -> bytes:
    """Return what the server writes to a client that sends the data in packets of this size."""
    config = Config(_application, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    loop, transport = _Loop(), _Transport()
    protocol = BoundedHttp(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    protocol.connection_made(transport)
    for start in range(0, len(data), size):
        if transport.is_closing():
            break
        protocol.data_received(data[start : start + size])
        loop.run()
    protocol.connection_lost(None)
    loop.run()
    return bytes(transport.written)


def bodies() -> list[bytes]:
    """Return requests for inference."""
    pixels = b'{"name": "images", "shape": [1, 2, 2, 1], "datatype": "UINT8", "data": [1, 2, 3, 4]}'
    image = b'{"name": "images", "shape": [1], "datatype": "BYTES", "data": ["AAAA"], "parameters": {"a": 1}}'
    outputs = b'"outputs": [{"name": "scores", "parameters": {"binary_data": true}}]'
    flag = b'"parameters": {"binary_data_output": true}'
    return [b'{"id": "a", "inputs": [%s]}' % pixels, b'{"inputs": [%s], %s, %s}' % (image, outputs, flag)]


def use_body(path: Path) -> None:
    """Read the body of a request."""
    body = path.read_bytes()
    errors = [error for length in (str(len(body) // 2), None) if (error := _refusal(body, length)) is not None]
    for error in errors:
        assert len(error.message) <= 500, error.message
        assert not re.search(r"0x[0-9a-f]{6}| object at ", error.message), error.message
    if len(errors) == 2:
        raise BadInput(errors[1].message)


def _refusal(body: bytes, header_length: str | None) -> RequestError | None:
    accepted = AcceptedInput(image_shape=(2, 2, 1), datatype="UINT8", accepts_files=True, max_images=10)
    try:
        read_request(body, header_length, accepted)
    except RequestError as error:
        return error
    return None


def archives() -> list[bytes]:
    """Return archives as engines send them, in each format, with members of every kind."""
    made = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as out:
            for name, kind in (
                ("runs", tarfile.DIRTYPE), ("runs/run-1.json", tarfile.REGTYPE), ("runs/link", tarfile.SYMTYPE),
                ("runs/" + "long" * 22, tarfile.REGTYPE), ("runs/pipe", tarfile.FIFOTYPE),
            ):  # fmt: skip
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname, entry.mtime = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else "", 1.5
                entry.size = 600 if kind == tarfile.REGTYPE else 0
                out.addfile(entry, io.BytesIO(b"{" * 600))
        made.append(file.getvalue())
    return made


def use_archive(path: Path) -> None:
    """Unpack an archive. Raise AssertionError if more is written than it has."""
    data, target = path.read_bytes(), path.parent / "unpacked" / str(len(list((path.parent / "unpacked").glob("*"))))
    written = unpacked(iter([data]), target, re.compile(r"runs/.*", re.DOTALL), MOST, lambda _: None)
    assert sum(each.stat().st_size for each in written) <= len(data)
    assert all(each.is_file() and not each.is_symlink() for each in written)


def saved_images(folder: Path) -> list[bytes]:
    """Return an image as `docker save` writes it."""
    path = saved_image(folder / "saved.tar")
    content = path.read_bytes()
    path.unlink()
    return [content]


def use_saved_image(path: Path) -> None:
    """Take one platform out of a saved image."""
    cut(path, "linux/arm64", "edge-bench", path.parent)


def fleet_files() -> list[bytes]:
    """Return fleet files."""
    return [
        b'ssh_config = "ssh_config"\n\n[[engine]]\nname = "pi4"\nurl = "ssh://pi@pi4.local:22/run/docker.sock"\n\n'
        b'[[engine]]\nname = "emulated"\ncontext = "default"\nplatform = "linux/arm64"\nmemory = "1G"\n'
        b'[[engine]]\nname = "tls"\nurl = "tcp://[::1]:2376"\ntls = "keys"\n',
    ]


def tune_records() -> list[bytes]:
    """Records of original values of `edge-bench tune`."""
    paths = {
        "proc/sys/vm/swappiness": "1",
        "proc/irq/31/smp_affinity_list": "0",
        "sys/devices/system/cpu/cpufreq/boost": None,
    }
    originals = [Original(path=path, content=b"60\n", then=then) for path, then in paths.items()]
    return [msgspec.json.encode(Tuned(boot="b", began="2026-01-01T00:00:00+00:00", cpus="1-3", originals=originals))]


def use_tune_record(path: Path) -> None:
    """Read a record of original values, and describe it."""
    if tuned := read_tuned(path.parents[3]):
        Tuning(tuned.summary, tuned).text.encode(errors="surrogatepass")


def use_fleet_file(path: Path) -> None:
    """Read a fleet file."""
    engine_settings([], path)
