"""`edge-bench serve` as a person starts it, and requests as anybody may send them."""

import http.client
import json
import queue
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psutil

from tests.command_line import clean_environment, command

LONG = 120.0


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])

    @property
    def labels(self) -> list[int]:
        (labels,) = (output["data"] for output in self.json["outputs"] if output["name"] == "labels")
        return [int(label) for label in labels]


class Served:
    """A server in a process of its own; port 0, so that tests are in nobody's way."""

    def __init__(self, model: Path, cache: Path, *options: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            command("serve", model, "--port", 0, *options),
            env=clean_environment(cache) | environment,
            cwd=cache,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        found = re.search(r"(https?)://(.+):(\d+)$", self.wait_for_line("is served on"))
        assert found is not None
        self.scheme, self.host, self.port = found[1], found[2], int(found[3])

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        for child in psutil.Process(self.process.pid).children() if self.process.poll() is None else []:
            child.resume()  # a test may have left it stopped
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait_for_line(self, words: str) -> str:
        """Until it says so on stderr."""
        while (line := self._lines.get(timeout=LONG)) is not None:
            self.said.append(line)
            if words in line:
                return line
        raise AssertionError("\n".join(self.said))

    @property
    def worker(self) -> psutil.Process:
        (child,) = psutil.Process(self.process.pid).children()
        return child

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LONG)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=LONG)

    def connection_to_write(self) -> socket.socket:
        """For what no client library would send."""
        return socket.create_connection((self.host, self.port), timeout=LONG)

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            return answer_on(connection)
        finally:
            connection.close()

    def infer(self, request: dict[str, Any], binary: bytes = b"", **headers: str) -> Answer:
        return self.ask("POST", f"/v2/models/{self.name}/infer", *body_of(request, binary, headers))

    @property
    def name(self) -> str:
        return "paper-cnn"


def answer_on(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def body_of(request: dict[str, Any], binary: bytes, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    header = json.dumps(request).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return header + binary, ({"Inference-Header-Content-Length": str(len(header))} if binary else {}) | named


def pixels(images: npt.NDArray[Any], **changes: Any) -> tuple[dict[str, Any], bytes]:
    """A request with pixels in binary."""
    data = np.ascontiguousarray(images).tobytes()
    tensor = {
        "name": "images",
        "datatype": "UINT8",
        "shape": list(images.shape),
        "parameters": {"binary_data_size": len(data)},
    }
    return {"inputs": [tensor | changes]}, data


def as_json(images: npt.NDArray[Any], data: Any = None, **changes: Any) -> dict[str, Any]:
    tensor = {"name": "images", "datatype": "UINT8", "shape": list(images.shape)}
    return {"inputs": [tensor | {"data": images.tolist() if data is None else data} | changes]}
