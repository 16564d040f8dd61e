"""Invalid requests: each is refused with a status and a message, and the server still answers others."""

import gzip
import http.client
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.app.serving.bodies import files, png, read_response, request_head
from tests.app.serving.server import Answer, Served, answer_on, as_json, body_of, pixels

Images = npt.NDArray[np.uint8]
TWO = np.zeros((2, 28, 28, 1), np.uint8)


def binary(size: Any = 1568, **changes: Any) -> dict[str, Any]:
    """Return a request with two images as binary data of a stated size, with changed fields."""
    return pixels(TWO, **({"parameters": {"binary_data_size": size}} | changes))[0]


@pytest.mark.parametrize(
    ("request_", "data", "named"),
    [
        (binary(shape=[2, 28, 28]), bytes(1568), ["[2, 28, 28]", "28, 28, 1]"]),
        (binary(shape=[2, 28, 28, 3]), bytes(1568), ["[2, 28, 28, 3]", "28, 28, 1]"]),
        (binary(shape=[3, 28, 28, 1]), bytes(1568), ["[3, 28, 28, 1]", "1568", "2352"]),
        (binary(shape=[0, 28, 28, 1]), bytes(1568), ["400"]),
        (binary(shape=[-1, 28, 28, 1]), bytes(1568), ["-1", "400"]),
        (binary(shape=[401, 28, 28, 1]), bytes(1568), ["401", "400"]),
        (binary(datatype="FP32"), bytes(1568), ["FP32", "UINT8", "BYTES"]),
        (binary(datatype="UINT8 "), bytes(1568), ["'UINT8 '", "BYTES"]),
        (binary(name="picture"), bytes(1568), ["picture", "images"]),
        (binary(1567), bytes(1568), ["binary_data_size", "1567", "1568"]),
        (binary("1568"), bytes(1568), ["binary_data_size", "1568"]),
        (binary(True), bytes(1), ["binary_data_size", "true"]),
        (binary(shape="wide"), bytes(1568), ["$.inputs[0].shape"]),
        (binary(parameters={"shared_memory_region": "a"}), b"", ["images"]),
        ({"inputs": [{"name": "images", "shape": [2, 28, 28, 1], "datatype": "UINT8"}]}, b"", ["binary_data_size"]),
        (as_json(TWO), bytes(9), ["9", "binary_data_size"]),
        (as_json(TWO, parameters={"binary_data_size": 9}), bytes(9), ["binary_data_size"]),
        (as_json(TWO, TWO.tolist()[:1]), b"", ["[1, 28, 28, 1]", "[2, 28, 28, 1]"]),
        (as_json(TWO, [[[1], [2, 3]]]), b"", ["data", "$[0][0][0]"]),
        (as_json(TWO, [256] * 1568), b"", ["data", "255", "$[0]"]),
        (as_json(TWO, [-1] * 1568), b"", ["data", "$[0]"]),
        (as_json(TWO, [0.5] * 1568), b"", ["data", "float", "$[0]"]),
        (as_json(TWO, ["a"] * 1568), b"", ["data", "str", "$[0]"]),
        (as_json(TWO, 5), b"", ["data"]),
        (as_json(TWO, [0] * 60_000), b"", ["data", "180,000", "1,568"]),
        (as_json(TWO, ["?"], datatype="BYTES", shape=[1]), b"", ["data", "base64"]),
        (as_json(TWO, ["AAAA"], datatype="BYTES", shape=[2]), b"", ["data", "1", "2"]),
        ({"inputs": []}, b"", ["images"]),
        ({}, b"", ["inputs"]),
        (as_json(TWO) | {"outputs": [{"name": "logits"}]}, b"", ["logits", "labels", "scores"]),
        (
            as_json(TWO) | {"outputs": [{"name": "scores", "parameters": {"classification": 3}}]},
            b"",
            ["scores", "classification"],
        ),
        (as_json(TWO) | {"parameters": {"binary_data_output": "yes"}}, b"", ["binary_data_output", "yes"]),
    ],
)
def test_requests_that_do_not_fit_the_model_are_refused(
    served: Served, request_: dict[str, Any], data: bytes, named: list[str]
) -> None:
    assert_bad_request(served.infer(request_, data), *named)


@pytest.mark.parametrize(
    ("contents", "named"),
    [
        ([b"no image"], ["0", "PNG", "JPEG"]),
        ([b""], ["0", "PNG", "JPEG"]),
        ([png(np.zeros((28, 28, 1), np.uint8))[:48]], ["0", "PNG", "JPEG"]),
        ([png(np.zeros((28, 28, 1), np.uint8)), png(np.zeros((9, 7, 1), np.uint8))], ["1", "7×9", "28×28"]),
        ([png(np.zeros((8000, 8000, 1), np.uint8))], ["0", "8000×8000", "28×28"]),
        ([b"GIF89a" + bytes(200)], ["0", "PNG", "JPEG"]),
    ],
)
def test_damaged_image_files_and_other_image_sizes_are_refused(
    served: Served, contents: list[bytes], named: list[str]
) -> None:
    assert_bad_request(served.infer(*files(contents)), *named)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\x02\0\0\0ab\x01\0", ["1", "2"]),
        (b"\xff\xff\xff\xffab", ["0", "4,294,967,295", "2"]),
        (b"\0\0\0\0\0\0\0\0more", ["4", "2"]),
    ],
)
def test_wrong_element_lengths_are_refused(served: Served, data: bytes, named: list[str]) -> None:
    assert_bad_request(served.infer(binary(len(data), datatype="BYTES", shape=[2]), data), *named)


def assert_bad_request(answer: Answer, *named: str) -> None:
    """Assert a response with status 400 whose message names the values."""
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    for value in named:
        assert value in answer.error


@pytest.mark.parametrize("length", ["-1", "9999", "1e1", "٣", "", "9" * 30])
def test_an_invalid_header_length_is_refused(served: Served, length: str) -> None:
    body, _ = body_of(*pixels(TWO), {})
    headers = {"Inference-Header-Content-Length": length.encode().decode("latin-1")}
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body, headers)
    assert_bad_request(answer, "Inference-Header-Content-Length")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff\xfe", b'{"inputs":' + b"[" * 100_000, b"{" * 9])
def test_a_body_that_is_not_a_request_is_refused(served: Served, body: bytes) -> None:
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body)
    assert_bad_request(answer)
    assert answer.error


@pytest.mark.parametrize(
    ("method", "path", "status", "named"),
    [
        ("GET", "/", 404, ["/"]),
        ("GET", "/v2/", 404, ["/v2/"]),
        ("GET", "/v2/models/other", 404, ["other", "paper-cnn"]),
        ("POST", "/v2/models/other/infer", 404, ["other", "paper-cnn"]),
        ("GET", "/v2/models/paper-cnn/versions/2", 404, ["paper-cnn", "2"]),
        ("GET", "/v2/models/paper-cnn/infer", 405, ["GET"]),
        ("DELETE", "/v2/models/paper-cnn", 405, ["DELETE"]),
    ],
)
def test_unknown_paths_and_methods_are_refused(
    served: Served, method: str, path: str, status: int, named: list[str]
) -> None:
    answer = served.ask(method, path)
    assert answer.status == status
    for value in named:
        assert value in answer.error


def test_a_body_of_two_gigabytes_is_refused_before_it_is_sent(served: Served) -> None:
    with served.raw_connection() as connection:
        connection.sendall(request_head(served, "Content-Length: 2147483648"))
        response = read_response(connection)
    assert response.startswith(b"HTTP/1.1 413")
    assert b"1,048,576" in response


def test_a_client_that_sends_its_whole_body_first_still_gets_the_response(served: Served) -> None:
    memory = served.memory()
    connection = served.connection()
    connection.request("POST", f"/v2/models/{served.name}/infer", bytes(200 << 20))
    assert answer_on(connection).status == 413
    assert served.memory() < memory + (100 << 20)


def test_a_chunked_body_that_grows_too_large_is_refused(served: Served) -> None:
    connection = served.connection()
    connection.request("POST", f"/v2/models/{served.name}/infer", iter([bytes(64 << 10)] * 40), encode_chunked=True)
    answer = answer_on(connection)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_a_client_that_expects_100_continue_for_a_large_body_is_refused(served: Served) -> None:
    with served.raw_connection() as connection:
        connection.sendall(request_head(served, "Content-Length: 9000000", "Expect: 100-continue"))
        assert read_response(connection).startswith(b"HTTP/1.1 413")


def test_a_body_that_is_too_large_once_decompressed_is_refused(served: Served) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 1 << 20
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", bomb, {"Content-Encoding": "gzip"})
    assert answer.status == 413


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"plain", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("br", b"{}", 415),
        ("deflate", b"", 400),
    ],
)
def test_an_unknown_or_damaged_encoding_is_refused(served: Served, encoding: str, body: bytes, status: int) -> None:
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body, {"Content-Encoding": encoding})
    assert answer.status == status


def test_the_connection_stays_open_after_a_refused_request(served: Served, digits: Images) -> None:
    connection = served.connection()
    body, headers = body_of(*pixels(digits[:1]), {})
    for path, status in (("/v2/models/other/infer", 404), (f"/v2/models/{served.name}/infer", 200)):
        connection.request("POST", path, body, headers)
        assert answer_on(connection).status == status
        assert connection.sock is not None
    connection.close()


def test_bytes_that_are_not_http_are_refused(served: Served) -> None:
    with served.raw_connection() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert read_response(connection).startswith(b"HTTP/1.1 400")


def test_an_endless_header_is_refused(served: Served) -> None:
    with served.raw_connection() as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nX: " + bytes(b"x" * (100 << 10)))
        assert read_response(connection).startswith(b"HTTP/1.1 431")


def test_bad_requests_do_not_restart_the_worker(served: Served, digits: Images) -> None:
    worker = served.worker.pid
    for body in (b"{", json.dumps(as_json(TWO, [300])).encode()):
        assert served.ask("POST", f"/v2/models/{served.name}/infer", body).status == 400
    assert served.infer(*pixels(digits[:1])).status == 200
    assert served.worker.pid == worker


def test_head_requests_get_no_body(served: Served) -> None:
    connection = http.client.HTTPConnection(served.host, served.port)
    connection.request("HEAD", "/v2")
    assert connection.getresponse().read() == b""
    connection.close()
