"""The client with servers that misbehave."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.client.http import MAX_ANSWER, Client, RemoteFailed, Server, server_from
from edge_bench.bench.offload.client.open_inference import infer_request
from tests.bench.messages import numbers_in

Handler = Callable[[socket.socket, bytes], None]
IMAGE = bytes(range(64))


@contextmanager
def serving(handle: Handler) -> Iterator[Server]:
    """A server on this machine that calls ``handle`` with each connection and its first request."""

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request and (chunk := connection.recv(65_536)):
                    request += chunk
                if request:
                    handle(connection, request)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield Server(host="127.0.0.1", port=listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def labelled(labels: list[int], model: str = "m", **changes: object) -> bytes:
    """A valid answer; ``changes`` of its output make it invalid."""
    output = {"name": "labels", "datatype": "INT64", "shape": [len(labels)], "parameters": {}} | changes
    times = {"queue_ns": 1, "decode_ns": 2, "compute_ns": 3, "total_ns": 7}
    header = json.dumps({"model_name": model, "outputs": [output], "parameters": times}).encode()
    data = np.array(labels, "<i8").tobytes()
    return answer(header + data, headers=f"Inference-Header-Content-Length: {len(header)}\r\n")


def asked(server: Server, timeout: float = 10, token: str = "") -> object:
    with Client(server, timeout=timeout, token=token) as client:
        return client.infer("m", infer_request("raw", [IMAGE], [8, 8, 1], "uint8"), 1)


def failure(handle: Handler, timeout: float = 10) -> RemoteFailed:
    with serving(handle) as server, pytest.raises(RemoteFailed) as failed:
        asked(server, timeout)
    return failed.value


def test_a_good_answer_has_its_label_its_times_and_its_bytes() -> None:
    requests: list[bytes] = []

    def handle(connection: socket.socket, request: bytes) -> None:
        requests.append(request)
        connection.sendall(labelled([7]))

    with serving(handle) as server, Client(server, token="secret") as client:
        got = client.infer("m", infer_request("raw", [IMAGE], [8, 8, 1], "uint8"), 1)
    assert got.answer.labels.tolist() == [7]
    assert (got.answer.times.compute_ns, got.answer.times.total_ns) == (3, 7)
    assert got.began <= got.sent <= got.first <= got.received <= got.decoded
    head, body = requests[0].split(b"\r\n\r\n", 1)
    assert b"Authorization: Bearer secret" in head
    assert got.bytes_up == len(requests[0])
    size = int(head.split(b"Inference-Header-Content-Length: ")[1].split(b"\r\n")[0])
    (tensor,) = json.loads(body[:size])["inputs"]
    assert (tensor["datatype"], tensor["shape"]) == ("UINT8", [1, 8, 8, 1])
    assert body[size:] == IMAGE


def test_encoded_images_travel_as_bytes_with_their_lengths() -> None:
    request = infer_request("png", [b"one", b"three"], [8, 8, 1], "uint8")
    header = json.loads(request.body[: request.header_bytes])
    assert (header["inputs"][0]["datatype"], header["inputs"][0]["shape"]) == ("BYTES", [2])
    assert request.body[request.header_bytes :] == struct.pack("<I", 3) + b"one" + struct.pack("<I", 5) + b"three"


def test_an_unreachable_server_is_reported_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(host="127.0.0.1", port=taken.getsockname()[1])
    with pytest.raises(RemoteFailed) as failed:
        asked(server)
    assert failed.value.kind == "unreachable"
    assert "edge-bench serve" in failed.value.remedy


def test_a_server_that_does_not_answer_times_out() -> None:
    def handle(connection: socket.socket, request: bytes) -> None:
        connection.recv(1)  # blocks until the client closes the connection

    assert failure(handle, timeout=0.2).kind == "no answer"


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", "ended"),
        (answer(b"x" * 100)[:-50], "ended"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "nonsense"),
        (answer(b"<html>a router's page</html>"), "nonsense"),
        (answer(b"[" * 100_000), "nonsense"),
        (answer(b'{"model_name": "m", "outputs": []}'), "nonsense"),
        (labelled([7], model="other"), "nonsense"),
        (labelled([7, 8]), "nonsense"),
        (labelled([7], datatype="FP32"), "nonsense"),
        (labelled([7], shape=[1, 1]), "nonsense"),
        (answer(b"{}", headers="Inference-Header-Content-Length: 999999\r\n"), "nonsense"),
        (answer(b'{"error": "wrong token"}', "401 Unauthorized"), "not allowed"),
        (answer(b'{"error": "full"}', "503 Service Unavailable", "Retry-After: 1\r\n"), "busy"),
        (answer(b'{"error": "no such model"}', "404 Not Found"), "another model"),
        (answer(b'{"error": "shape"}', "400 Bad Request"), "refused"),
        (answer(b"\xff\xfe", "500 Internal Server Error"), "refused"),
    ],
)
def test_every_invalid_answer_has_a_kind(sent: bytes, kind: str) -> None:
    assert failure(lambda connection, request: connection.sendall(sent)).kind == kind


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    def handle(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        try:
            for _ in range(2 * MAX_ANSWER // 65_536):
                connection.sendall(bytes(65_536))
        except OSError:
            pass

    failed = failure(handle)
    assert failed.kind == "nonsense"
    assert MAX_ANSWER >> 20 in numbers_in(str(failed))


def test_control_characters_in_a_servers_error_are_removed() -> None:
    body = json.dumps({"error": "\x1b[31mred\x1b[0m\nnext"}).encode()
    failed = failure(lambda connection, request: connection.sendall(answer(body, "400 Bad Request")))
    assert "\x1b" not in str(failed)
    assert "\n" not in str(failed)


def test_a_connection_that_the_server_has_closed_is_reopened() -> None:
    with serving(lambda connection, request: connection.sendall(answer(b"{}"))) as server, Client(server) as client:
        client.ready()  # the handler returns, and the server closes the connection
        client.reconnect_if_closed()


@pytest.mark.parametrize(
    "url",
    [
        "", "pi:8000", "ftp://host", "http://", "http://h:99999", "http://h:0", "http://h:", "http://h:x",
        "http://u:p@h", "http://@h", "http://h?x=1", "http://[::1", "http://::1]:80", "http://[h]", "http://h/a b",
        "http://h/\r\nX: y", "http://h\0", "http://" + "a" * 64, "http://" + "a." * 200, "http://a..b", "http://-h",
        "http://h/" + "a" * 9000,
    ],
)  # fmt: skip
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        server_from(url)
    assert "--server" in caught.value.problem


def test_addresses_are_parsed() -> None:
    assert server_from("http://pi.local:9000/edge/") == Server(host="pi.local", port=9000, prefix="/edge")
    assert server_from("https://host").port == 443
    assert server_from("http://[::1]:8000").url == "http://[::1]:8000"
