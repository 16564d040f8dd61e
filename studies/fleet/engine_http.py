# ruff: noqa: A002 - http.server's names
"""HTTP as in the API of Docker engines over a Unix socket: chunked request bodies and JSON responses."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

__all__ = ["EngineHandler"]


class EngineHandler(BaseHTTPRequestHandler):
    """Request handler that reads bodies and writes responses; ``recorded.received`` counts bytes of bodies."""

    recorded: Any
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        """Return a fixed name, since the client of a Unix socket has no address."""
        return "unix"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Suppress the log."""

    def _body(self) -> bytes:
        """Return the first four chunks of the body; count the bytes of all chunks."""
        first: list[bytes] = []
        for chunk in self._chunks():
            self.recorded.received += len(chunk)
            if len(first) < 4:
                first.append(chunk)
        return b"".join(first)

    def _chunks(self) -> Any:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                remaining = size
                while remaining:
                    data = self.rfile.read(min(remaining, 1 << 20))
                    remaining -= len(data)
                    yield data
                self.rfile.readline()
            self.rfile.readline()
        elif length := int(self.headers.get("Content-Length") or 0):
            yield self.rfile.read(length)

    def _json(self, code: int, value: Any) -> None:
        self._raw(code, json.dumps(value).encode(), "application/json")

    def _raw(self, code: int, data: bytes, kind: str, **headers: str) -> None:
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if code != 204 and self.command != "HEAD":
            self.wfile.write(data)
