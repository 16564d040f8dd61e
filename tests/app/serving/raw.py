"""Requests as bytes on a socket."""

import socket

from tests.app.serving.server import Served

__all__ = ["answer_of", "post"]


def post(server: Served, *headers: str) -> bytes:
    return "\r\n".join([f"POST /v2/models/{server.name}/infer HTTP/1.1", "Host: here", *headers, "", ""]).encode()


def answer_of(wire: socket.socket) -> bytes:
    """All until the server closes."""
    received = b""
    while part := wire.recv(65536):
        received += part
        if b"\r\n\r\n" in received and b"content-length: 0" not in received and received.endswith(b"}"):
            break
    return received
