"""The part of GitHub's API that comments on pull requests, as a local server that remembers them."""

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["Comments", "github_api"]


@dataclass
class Comments:
    """All comments, and how the server answers."""

    url: str = ""
    by_id: dict[int, tuple[int, str]] = field(default_factory=dict)  # (pull request, body)
    requests: list[str] = field(default_factory=list)  # such as ``POST /repos/…``
    denied: frozenset[str] = frozenset()  # methods that are answered with 403
    foreign: frozenset[int] = frozenset()  # comments of others, which the token may not change
    failures: int = 0  # how many of the next requests are answered with 502
    lost: int = 0  # how many of the next comments are added, and then the connection is reset
    token: str = "token"

    def add(self, pull_request: int, body: str) -> int:
        """Add a comment; return its id."""
        number = len(self.by_id) + 1
        self.by_id[number] = pull_request, body
        return number

    def of(self, pull_request: int) -> list[str]:
        """Return the bodies of a pull request's comments."""
        return [body for number, body in self.by_id.values() if number == pull_request]


@contextmanager
def github_api(repository: str = "someone/models") -> Iterator[Comments]:
    """Serve the API on a free port of this machine."""
    comments = Comments()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(comments, f"/repos/{repository}/issues"))
    comments.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield comments
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(comments: Comments, issues: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def _answer(self) -> None:
            comments.requests.append(f"{self.command} {self.path}")
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, found = self._found(json.loads(content) if content else {})
            if self.command == "POST" and comments.lost:
                comments.lost -= 1
                self._reset()
                return
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

        def _found(self, content: dict[str, str]) -> tuple[int, Any]:
            asked = urlsplit(self.path)
            if comments.failures:
                comments.failures -= 1
                return 502, {}
            if self.headers["Authorization"] != f"Bearer {comments.token}":
                return 401, {"message": "Bad credentials"}
            if self.command in comments.denied:
                return 403, {"message": "Resource not accessible by integration"}
            if changed := re.fullmatch(f"{issues}/comments/([0-9]+)", asked.path):
                number = int(changed[1])
                if number in comments.foreign:
                    return 403, {"message": "Resource not accessible by integration"}
                comments.by_id[number] = comments.by_id[number][0], content["body"]
                return 200, {"id": number}
            if (listed := re.fullmatch(f"{issues}/([0-9]+)/comments", asked.path)) is None:
                return 404, {"message": "Not Found"}
            if self.command == "POST":
                return 201, {"id": comments.add(int(listed[1]), content["body"])}
            query = parse_qs(asked.query)
            size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
            bodies = [
                {"id": number, "body": body}
                for number, (pull_request, body) in comments.by_id.items()
                if pull_request == int(listed[1])
            ]
            return 200, bodies[size * (page - 1) : size * page]

    return Handler
