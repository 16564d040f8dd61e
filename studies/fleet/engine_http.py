# ruff: noqa: A002 - http.server's names
"""HTTP as Docker engines speak it over their socket: bodies in chunks, answers as JSON."""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

__all__ = ["EngineHandler"]


class EngineHandler(BaseHTTPRequestHandler):
    """Reads bodies and writes answers; ``recorded.received`` counts bytes."""

    recorded: Any
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        """Where a caller is: a socket has no address."""
        return "unix"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent."""

    def _body(self) -> bytes:
        """A small body; a large one is counted and forgotten."""
        kept: list[bytes] = []
        engine = self.recorded
        for chunk in self._chunks():
            engine.received += len(chunk)
            if len(kept) < 4:
                kept.append(chunk)
        return b"".join(kept)

    def _chunks(self) -> Any:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                left = size
                while left:
                    data = self.rfile.read(min(left, 1 << 20))
                    left -= len(data)
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
