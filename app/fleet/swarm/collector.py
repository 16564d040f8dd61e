"""The one place in a swarm that has the bundle and takes the Runs: a small HTTP server on the job's own network.

GET /bundle.tar                 the bundle; its SHA-256 is in the header
PUT /runs/NODE                  a Run; its SHA-256 is the answer when it is whole and on disk, however often it is sent
PUT /progress/NODE              a line of what that node is doing, printed

Everyone has to name the token that the swarm gives to this job's services alone.
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

from edge_bench.bench.io.files import sha256_of, write_atomically

__all__ = ["PORT", "SHA256", "Collector"]

PORT = 8080
SHA256 = "X-SHA256"
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_MOST_RUN = 512 << 20
_MOST_LINE = 300
#: Runs that are being received at once, each in memory; the others wait.
_AT_ONCE = 4
_SPARE_DISK = 64 << 20
_SILENCE_SECONDS = 60


class Collector(ThreadingHTTPServer):
    """Serves until ``shutdown``; ``server_address`` says where."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], bundle: Path, results: Path, token: str) -> None:
        """Packs the bundle at once. OSError where it cannot be read or the port is taken."""
        super().__init__(address, _Handler)
        self.results, self.token = results, token
        self.receiving = threading.BoundedSemaphore(_AT_ONCE)
        results.mkdir(parents=True, exist_ok=True)
        self.archive = results.parent / "bundle.tar"
        with tarfile.open(self.archive, "w") as out:
            out.add(bundle, "bundle", filter=_plain)
        self.digest = sha256_of(self.archive)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that broke off is the sender's to repeat."""
        print(f"a connection broke off: {sys.exc_info()[1]}", flush=True)  # noqa: T201


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry if entry.isfile() or entry.isdir() else None


class _Handler(BaseHTTPRequestHandler):
    server: Collector
    timeout = _SILENCE_SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "edge-bench", ""

    def do_GET(self) -> None:
        """The bundle."""
        if not self._may():
            return
        if self.path != "/bundle.tar":
            self._answer(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.archive.stat().st_size))
        self.send_header(SHA256, self.server.digest)
        self.end_headers()
        with self.server.archive.open("rb") as file:
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def do_PUT(self) -> None:
        """A Run or a line."""
        if not self._may():
            return
        kind, _, node = self.path.removeprefix("/").partition("/")
        length = self.headers.get("Content-Length", "")
        if kind not in ("runs", "progress") or not _NODE.fullmatch(node) or not re.fullmatch(r"\d{1,12}", length):
            self._refuse(400)
        elif int(length) > (_MOST_RUN if kind == "runs" else _MOST_LINE):
            self._refuse(413)
        elif kind == "progress":
            text = self.rfile.read(int(length)).decode(errors="replace")
            self._say(node, "".join(c if c.isprintable() else " " for c in text))
            self._answer(200)
        elif shutil.disk_usage(self.server.results).free < int(length) + _SPARE_DISK:
            self._refuse(507)
        else:
            with self.server.receiving:
                self._keep(node, int(length))

    def _keep(self, node: str, length: int) -> None:
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
            self._say(node, f"received {digest}")
        self._answer(201, digest)

    def _may(self) -> bool:
        stated = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(stated.encode(), self.server.token.encode()):
            return True
        self._refuse(403)
        return False

    def _refuse(self, code: int) -> None:
        """Without reading what was sent, so the connection is of no more use."""
        self.close_connection = True
        self._answer(code)

    def _answer(self, code: int, text: str = "") -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _say(self, node: str, text: str) -> None:
        print(f"{node} {text}", file=sys.stderr, flush=True)  # noqa: T201

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Not every request is news."""
