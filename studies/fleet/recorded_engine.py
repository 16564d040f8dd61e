# ruff: noqa: ARG002, N815 - names of http.server, and handlers with the same signature
"""A simulated Docker engine: it answers Docker's SDK with recorded responses and its containers return a given Run.

The responses about the engine were recorded from Docker 26.1.5. A container only waits. A hundred engines therefore
need almost no CPU time, and the load of this machine is that of the fleet command.
"""

import io
import json
import re
import socketserver
import struct
import tarfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from studies.fleet.engine_http import EngineHandler

__all__ = ["RecordedEngine"]

VERSION = {
    "Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "arm64",
    "KernelVersion": "6.12.20+rpt-rpi-v8", "Platform": {"Name": ""}, "Components": [],
}  # fmt: skip
INFO = {
    "ID": "recorded", "Name": "raspberrypi", "ServerVersion": "26.1.5", "OperatingSystem": "Debian GNU/Linux 12",
    "OSType": "linux", "Architecture": "aarch64", "NCPU": 4, "MemTotal": 3_976_884_224, "Driver": "overlay2",
    "Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False},
}  # fmt: skip


@dataclass
class _Container:
    name: str
    labels: dict[str, str]
    ends: float = 0.0  # when it ends, in seconds of the monotonic clock
    started: bool = False


@dataclass
class RecordedEngine:
    """One engine that listens on a Unix socket and records the requests.

    ``layers`` are those of the image that the engine has, or that it receives if ``has_image`` is false.
    """

    socket: Path
    files: dict[str, bytes]  # results of its container: path in the results folder → content
    layers: list[str]
    architecture: str = "aarch64"
    has_image: bool = True
    seconds: float = 0.0  # that the measuring container runs
    exit_code: int = 0
    stderr: str = "measuring: 2/2 in 0:01"  # of the measuring container
    memory: int = 3_976_884_224  # bytes
    received: int = 0  # bytes of request bodies
    disconnects: int = 0  # calls of stop(), which ends all connections
    requests: list[str] = field(default_factory=list)  # method and path of each
    containers: dict[str, _Container] = field(default_factory=dict)
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)  # name → labels

    @property
    def url(self) -> str:
        """The value of --engine."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Listen in a thread until ``stop`` or the end of the process."""
        engine = self

        class Handler(_Handler):
            recorded = engine

        self._server = _Server(str(self.socket), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening and end the pending requests without a response."""
        self.disconnects += 1
        self._server.shutdown()
        self._server.server_close()
        self.socket.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: the SDK closes the connection if its wait for a container times out."""


class _Handler(EngineHandler):
    recorded: RecordedEngine

    def _do(self) -> None:
        parts = urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+", "", unquote(parts.path))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        engine = self.recorded
        engine.requests.append(f"{self.command} {path}")
        for pattern, method, handle in _ROUTES:
            if method == self.command and (match := re.fullmatch(pattern, path)):
                handle(self, engine, query, *match.groups())
                return
        self._body()
        self._json(404, {"message": f"page not found: {path}"})

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _do

    # Handlers of the API's paths, see _ROUTES

    def ping(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        self._raw(200, b"OK", "text/plain")

    def version(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        self._json(200, VERSION)

    def info(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        self._json(200, INFO | {"Architecture": engine.architecture, "MemTotal": engine.memory})

    def image(self, engine: RecordedEngine, query: dict[str, str], name: str) -> None:
        if not engine.has_image:
            self._json(404, {"message": f"No such image: {name}"})
        else:
            self._json(200, {"Id": "sha256:0", "RootFS": {"Type": "layers", "Layers": engine.layers}})

    def load(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        self._body()
        engine.has_image = True
        self._json(200, {"stream": "Loaded image\n"})

    def create_volume(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        volume = json.loads(self._body())
        engine.volumes[volume["Name"]] = volume.get("Labels") or {}
        self._json(201, {"Name": volume["Name"], "Driver": "local", "Mountpoint": "/", "Scope": "local"})

    def volumes(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        all_volumes = engine.volumes.items()
        volumes = [{"Name": name, "Labels": labels} for name, labels in all_volumes if _matches(labels, query)]
        self._json(200, {"Volumes": volumes, "Warnings": None})

    def remove_volume(self, engine: RecordedEngine, query: dict[str, str], name: str) -> None:
        engine.volumes.pop(name, None)
        self._raw(204, b"", "")

    def create(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        request, identity = json.loads(self._body()), uuid.uuid4().hex
        engine.containers[identity] = _Container(query.get("name", ""), request.get("Labels") or {})
        self._json(201, {"Id": identity, "Warnings": []})

    def inspect(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        container = engine.containers.get(identity)
        if container is None:
            self._json(404, {"message": f"No such container: {identity}"})
            return
        running = container.started and time.monotonic() < container.ends
        code = engine.exit_code if _role(container) == "run" else 0
        state = {"Running": running, "Status": "running" if running else "exited", "ExitCode": 0 if running else code}
        self._json(200, {
            "Id": identity, "Name": f"/{container.name}", "State": state,
            "Config": {"Tty": False, "Labels": container.labels}, "HostConfig": {"LogConfig": {"Type": "json-file"}},
        })  # fmt: skip

    def containers(self, engine: RecordedEngine, query: dict[str, str]) -> None:
        self._json(200, [
            {"Id": identity, "Names": [container.name]}
            for identity, container in list(engine.containers.items()) if _matches(container.labels, query)
        ])  # fmt: skip

    def start_container(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        self._body()
        container = engine.containers[identity]
        container.started = True
        container.ends = time.monotonic() + (engine.seconds if _role(container) == "run" else 0)
        self._raw(204, b"", "")

    def stop_container(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        self._body()
        container = engine.containers[identity]
        if time.monotonic() < container.ends:  # an ended one keeps its exit code
            container.ends, engine.exit_code = 0.0, 130
        self._raw(204, b"", "")

    def wait(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        self._body()
        container, disconnects = engine.containers[identity], engine.disconnects
        while (remaining := container.ends - time.monotonic()) > 0:
            time.sleep(min(remaining, 0.2))
            if engine.disconnects != disconnects:
                raise ConnectionAbortedError
        self._json(200, {"StatusCode": engine.exit_code if _role(container) == "run" else 0})

    def logs(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        container = engine.containers[identity]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z ", time.gmtime()) if query.get("timestamps") == "1" else ""
        name, stream, text = "stdout", 1, "disk 60000000\nmemory 3000000\n"
        if _role(container) == "run":
            name, stream, text = "stderr", 2, f"{stamp}{engine.stderr}\n"
        frame = struct.pack(">BxxxL", stream, len(text.encode())) + text.encode() if query.get(name) == "1" else b""
        self._raw(200, frame, "application/vnd.docker.multiplexed-stream")

    def put_archive(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        self._body()
        self._raw(200, b"", "text/plain")

    def get_archive(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name, content in engine.files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        stat = "eyJuYW1lIjoicnVucyIsInNpemUiOjQwOTYsIm1vZGUiOjQ5M30="  # {"name":"runs","size":4096,"mode":493}
        self._raw(200, file.getvalue(), "application/x-tar", X_Docker_Container_Path_Stat=stat)

    def remove(self, engine: RecordedEngine, query: dict[str, str], identity: str) -> None:
        engine.containers.pop(identity, None)
        self._raw(204, b"", "")


def _role(container: _Container) -> str:
    return container.labels.get("edge-bench.role", "")


def _matches(labels: dict[str, str], query: dict[str, str]) -> bool:
    filters = json.loads(query.get("filters", "{}")).get("label", [])
    return all(f"{name}={labels[name]}" == each if (name := each.partition("=")[0]) in labels else False
               for each in filters)  # fmt: skip


_ID = r"([0-9a-f]+)"
_ROUTES: list[tuple[str, str, Any]] = [
    (r"/_ping", "GET", _Handler.ping),
    (r"/_ping", "HEAD", _Handler.ping),
    (r"/version", "GET", _Handler.version),
    (r"/info", "GET", _Handler.info),
    (r"/images/(.+)/json", "GET", _Handler.image),
    (r"/images/load", "POST", _Handler.load),
    (r"/volumes/create", "POST", _Handler.create_volume),
    (r"/volumes", "GET", _Handler.volumes),
    (r"/volumes/(.+)", "DELETE", _Handler.remove_volume),
    (r"/containers/create", "POST", _Handler.create),
    (r"/containers/json", "GET", _Handler.containers),
    (rf"/containers/{_ID}/json", "GET", _Handler.inspect),
    (rf"/containers/{_ID}/start", "POST", _Handler.start_container),
    (rf"/containers/{_ID}/stop", "POST", _Handler.stop_container),
    (rf"/containers/{_ID}/wait", "POST", _Handler.wait),
    (rf"/containers/{_ID}/logs", "GET", _Handler.logs),
    (rf"/containers/{_ID}/archive", "PUT", _Handler.put_archive),
    (rf"/containers/{_ID}/archive", "GET", _Handler.get_archive),
    (rf"/containers/{_ID}", "DELETE", _Handler.remove),
]
