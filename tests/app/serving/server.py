"""`edge-bench serve` in a separate process, and requests to it."""

import http.client
import json
import queue
import re
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psutil

from tests.command_line import clean_environment, command

#: Seconds after which a test fails instead of waiting any longer.
LONG = 120.0
#: Options for the small model, which loads fast.
LIGHT = ("--variant", "dynamic", "--runtime", "litert")


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of a refused request."""
        return str(self.json["error"])

    @property
    def labels(self) -> list[int]:
        """The predicted labels."""
        (labels,) = (output["data"] for output in self.json["outputs"] if output["name"] == "labels")
        return [int(label) for label in labels]


class Served:
    """A server in a separate process, on a free port."""

    def __init__(self, model: Path, cache: Path, *options: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            command("serve", model, "--port", 0, *options),
            env=clean_environment(cache) | environment,
            cwd=cache,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []  # of stderr, until the server was ready
        self._unread: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.scheme, self.host, port = self._wait_for_url()
        self.port = int(port)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        for child in psutil.Process(self.process.pid).children() if self.process.poll() is None else []:
            child.resume()  # a test may have stopped it
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._unread.put(line.rstrip("\n"))
        self._unread.put(None)

    def _wait_for_url(self) -> tuple[str, str, str]:
        """Wait for the line that ends with the server's URL, and return its scheme, host and port."""
        while (line := self._unread.get(timeout=LONG)) is not None:
            self.lines.append(line)
            if found := re.search(r"(https?)://(\S+):(\d+)$", line):
                return found[1], found[2], found[3]
        raise AssertionError("\n".join(self.lines))

    @property
    def worker(self) -> psutil.Process:
        """The process that runs the model."""
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=LONG)

    def raw_connection(self) -> socket.socket:
        """Return a connection for requests that no client library would send."""
        return socket.create_connection((self.host, self.port), timeout=LONG)

    def memory(self) -> int:
        """Return the memory of the server's process in bytes, without its worker."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request over a new connection."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            return answer_on(connection)
        finally:
            connection.close()

    def infer(self, request: dict[str, Any], binary: bytes = b"", **headers: str) -> Answer:
        """Send an inference request."""
        return self.ask("POST", f"/v2/models/{self.name}/infer", *body_of(request, binary, headers))

    @property
    def name(self) -> str:
        """The model's name."""
        return "paper-cnn"


def answer_on(connection: http.client.HTTPConnection) -> Answer:
    """Read a response."""
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def body_of(request: dict[str, Any], binary: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return the body of a request, and its headers (with ``_`` for ``-`` in ``headers``)."""
    header = json.dumps(request).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return header + binary, ({"Inference-Header-Content-Length": str(len(header))} if binary else {}) | named


def pixels(images: npt.NDArray[Any], **changes: Any) -> tuple[dict[str, Any], bytes]:
    """Return a request with pixels in binary, and its tensor data. ``changes`` replace fields of the tensor."""
    data = np.ascontiguousarray(images).tobytes()
    tensor = {
        "name": "images",
        "datatype": "UINT8",
        "shape": list(images.shape),
        "parameters": {"binary_data_size": len(data)},
    }
    return {"inputs": [tensor | changes]}, data


def as_json(images: npt.NDArray[Any], data: Any = None, **changes: Any) -> dict[str, Any]:
    """Return a request with pixels, or ``data`` instead, in JSON. ``changes`` replace fields of the tensor."""
    tensor = {"name": "images", "datatype": "UINT8", "shape": list(images.shape)}
    return {"inputs": [tensor | {"data": images.tolist() if data is None else data} | changes]}
