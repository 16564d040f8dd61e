"""The HTTP server of a swarm job. It serves the bundle and receives the Runs, on the job's own network.

GET /bundle.tar                 the bundle; its SHA-256 is in the header
PUT /runs/NODE                  a Run; the response is its SHA-256 once it is on disk; repeating it is harmless
PUT /progress/NODE              a progress line of that node, printed on stderr

Every request needs the token that the swarm gives only to this job's services.
"""

import hashlib
import hmac
import re
import shutil
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from edge_bench.app.fleet.docker.errors import one_line
from edge_bench.app.fleet.docker.inventory import NAME
from edge_bench.app.fleet.docker.transfer import CHUNK_BYTES
from edge_bench.bench.io.files import sha256_of, write_atomically

__all__ = ["MAX_LINE_BYTES", "PORT", "SHA256", "Collector"]

PORT = 8080
SHA256 = "X-SHA256"
MAX_LINE_BYTES = 300
_MAX_RUN_BYTES = 512 << 20
#: Runs received at the same time, each in memory. Further requests wait.
_PARALLEL_UPLOADS = 4
#: Minimum free disk space, in bytes.
_RESERVED_DISK = 64 << 20
_IDLE_SECONDS = 60


class Collector(ThreadingHTTPServer):
    """A server that runs until ``shutdown``, at ``server_address``."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], bundle: Path, results: Path, token: str) -> None:
        """Listen on the address and pack the bundle. Raise OSError if the bundle is unreadable or the port in use."""
        super().__init__(address, _Handler)
        self.results, self.token = results, token
        self.uploads = threading.BoundedSemaphore(_PARALLEL_UPLOADS)
        results.mkdir(parents=True, exist_ok=True)
        self.archive = results.parent / "bundle.tar"
        with tarfile.open(self.archive, "w") as out:
            out.add(bundle, "bundle", filter=_without_owner)
        self.digest = sha256_of(self.archive)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Report a lost connection. The sender repeats its request."""
        print(f"a connection was lost: {one_line(sys.exc_info()[1])}", flush=True)  # noqa: T201


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry if entry.isfile() or entry.isdir() else None


class _Handler(BaseHTTPRequestHandler):
    server: Collector
    timeout = _IDLE_SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "edge-bench", ""

    def do_GET(self) -> None:
        """Send the bundle."""
        if not self._authorized():
            return
        if self.path != "/bundle.tar":
            self._respond(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.archive.stat().st_size))
        self.send_header(SHA256, self.server.digest)
        self.end_headers()
        with self.server.archive.open("rb") as file:
            shutil.copyfileobj(file, self.wfile, CHUNK_BYTES)

    def do_PUT(self) -> None:
        """Receive a Run or a progress line."""
        if not self._authorized():
            return
        kind, _, node = self.path.removeprefix("/").partition("/")
        length = self.headers.get("Content-Length", "")
        if kind not in ("runs", "progress") or not NAME.fullmatch(node) or not re.fullmatch(r"\d{1,12}", length):
            self._refuse(400)
        elif int(length) > (_MAX_RUN_BYTES if kind == "runs" else MAX_LINE_BYTES):
            self._refuse(413)
        elif kind == "progress":
            self._print(node, one_line(self.rfile.read(int(length)).decode(errors="replace")))
            self._respond(200)
        elif shutil.disk_usage(self.server.results).free < int(length) + _RESERVED_DISK:
            self._refuse(507)
        else:
            with self.server.uploads:
                self._receive_run(node, int(length))

    def _receive_run(self, node: str, length: int) -> None:
        data = self.rfile.read(length)
        digest = hashlib.sha256(data).hexdigest()
        if len(data) != length or not hmac.compare_digest(
            digest, self.headers.get(SHA256, "").encode().decode("ascii", "replace")
        ):
            self._refuse(422)
            return
        path = self.server.results / node / f"run-{digest}.json"
        if not path.exists():
            write_atomically(path, data)
            self._print(node, f"received {digest}")
        self._respond(201, digest)

    def _authorized(self) -> bool:
        """Return whether the request has the token, and refuse it otherwise."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(token.encode(), self.server.token.encode()):
            return True
        self._refuse(403)
        return False

    def _refuse(self, code: int) -> None:
        """Respond without reading the body and close the connection, which then cannot be reused."""
        self.close_connection = True
        self._respond(code)

    def _respond(self, code: int, text: str = "") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _print(self, node: str, text: str) -> None:
        print(f"{node} {text}", file=sys.stderr, flush=True)  # noqa: T201

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Do not log requests."""
