"""What strangers send: each gets a status and a reason, and the server goes on."""

import gzip
import http.client
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.app.serving.bodies import files, png
from tests.app.serving.raw import answer_of, post
from tests.app.serving.server import Served, answer_on, as_json, body_of, pixels

Images = npt.NDArray[np.uint8]
TWO = np.zeros((2, 28, 28, 1), np.uint8)


def binary(size: Any = 1568, **changes: Any) -> dict[str, Any]:
    return pixels(TWO, **({"parameters": {"binary_data_size": size}} | changes))[0]


@pytest.mark.parametrize(
    ("request_", "data", "words"),
    [
        (binary(shape=[2, 28, 28]), bytes(1568), "shape [2, 28, 28]; the model takes [n, 28, 28, 1]"),
        (binary(shape=[2, 28, 28, 3]), bytes(1568), "the model takes [n, 28, 28, 1]"),
        (binary(shape=[3, 28, 28, 1]), bytes(1568), "1568 bytes; shape [3, 28, 28, 1] of UINT8 has 2352"),
        (binary(shape=[0, 28, 28, 1]), bytes(1568), "0 images; 1 to 400"),
        (binary(shape=[-1, 28, 28, 1]), bytes(1568), "-1 images"),
        (binary(shape=[401, 28, 28, 1]), bytes(1568), "401 images; 1 to 400 are taken at once"),
        (binary(datatype="FP32"), bytes(1568), "datatype 'FP32'; the model takes UINT8 or BYTES"),
        (binary(datatype="UINT8 "), bytes(1568), "datatype 'UINT8 '"),
        (binary(name="picture"), bytes(1568), "the model has one input, 'images'; the request has: picture"),
        (binary(1567), bytes(1568), "binary_data_size 1567, but 1568 bytes follow"),
        (binary("1568"), bytes(1568), "binary_data_size 1568, but"),
        (binary(True), bytes(1), "binary_data_size True"),
        (binary(shape="wide"), bytes(1568), "not a request of the inference protocol"),
        (binary(parameters={"shared_memory_region": "a"}), b"", "shared memory is not supported"),
        (
            {"inputs": [{"name": "images", "shape": [2, 28, 28, 1], "datatype": "UINT8"}]},
            b"",
            "neither data nor binary",
        ),
        (as_json(TWO), bytes(9), "9 bytes follow the JSON, and no input has a binary_data_size"),
        (as_json(TWO, parameters={"binary_data_size": 9}), bytes(9), "both data and binary_data_size"),
        (as_json(TWO, TWO.tolist()[:1]), b"", "has shape [1, 28, 28, 1], the tensor [2, 28, 28, 1]"),
        (as_json(TWO, [[[1], [2, 3]]]), b"", "data: "),
        (as_json(TWO, [256] * 1568), b"", "<= 255"),
        (as_json(TWO, [-1] * 1568), b"", ">= 0"),
        (as_json(TWO, [0.5] * 1568), b"", "Expected `int`, got `float`"),
        (as_json(TWO, ["a"] * 1568), b"", "Expected `int`, got `str`"),
        (as_json(TWO, 5), b"", "Expected `array`"),
        (as_json(TWO, [0] * 60_000), b"", "bytes of JSON for 1,568 numbers"),
        (as_json(TWO, ["?"], datatype="BYTES", shape=[1]), b"", "base64"),
        (as_json(TWO, ["AAAA"], datatype="BYTES", shape=[2]), b"", "1 elements, the shape says 2"),
        ({"inputs": []}, b"", "the request has: none"),
        ({}, b"", "missing required field `inputs`"),
        (as_json(TWO) | {"outputs": [{"name": "logits"}]}, b"", "no output 'logits'; it has: labels, scores"),
        (
            as_json(TWO) | {"outputs": [{"name": "scores", "parameters": {"classification": 3}}]},
            b"",
            "classification is not supported",
        ),
        (as_json(TWO) | {"parameters": {"binary_data_output": "yes"}}, b"", "neither true nor false"),
    ],
)
def test_tensors_that_do_not_fit_are_told_why(
    served: Served, request_: dict[str, Any], data: bytes, words: str
) -> None:
    answer = served.infer(request_, data)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert words in answer.error


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ([b"no image"], "image 0: not a whole PNG or JPEG"),
        ([b""], "image 0: not a whole PNG or JPEG"),
        ([png(np.zeros((28, 28, 1), np.uint8))[:48]], "image 0: not a whole PNG or JPEG"),
        ([png(np.zeros((28, 28, 1), np.uint8)), png(np.zeros((9, 7, 1), np.uint8))], "image 1 has 7×9 pixels"),
        ([png(np.zeros((8000, 8000, 1), np.uint8))], "image 0 has 8000×8000 pixels, the model takes 28×28"),
        ([b"GIF89a" + bytes(200)], "not a whole PNG or JPEG"),
    ],
)
def test_files_that_are_no_images_of_the_models_size_are_told_why(
    served: Served, contents: list[bytes], words: str
) -> None:
    answer = served.infer(*files(contents))
    assert answer.status == 400
    assert words in answer.error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x02\0\0\0ab\x01\0", "the data ends within element 1 of 2"),
        (b"\xff\xff\xff\xffab", "element 0 is said to have 4,294,967,295 bytes, 2 are left"),
        (b"\0\0\0\0\0\0\0\0more", "4 bytes are left over after 2 elements"),
    ],
)
def test_lengths_of_elements_that_are_wrong_are_told(served: Served, data: bytes, words: str) -> None:
    answer = served.infer(binary(len(data), datatype="BYTES", shape=[2]), data)
    assert answer.status == 400
    assert words in answer.error


@pytest.mark.parametrize("length", ["-1", "9999", "1e1", "٣", "", "9" * 30])
def test_a_header_length_that_is_none_is_refused(served: Served, length: str) -> None:
    body, _ = body_of(*pixels(TWO), {})
    headers = {"Inference-Header-Content-Length": length.encode().decode("latin-1")}
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body, headers)
    assert answer.status == 400
    assert "Inference-Header-Content-Length" in answer.error


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff\xfe", b'{"inputs":' + b"[" * 100_000, b"{" * 9])
def test_what_is_no_request_is_refused(served: Served, body: bytes) -> None:
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body)
    assert answer.status == 400
    assert "not a request of the inference protocol" in answer.error


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/", 404, "no such path"),
        ("GET", "/v2/", 404, "no such path"),
        ("GET", "/v2/models/other", 404, "no model is called 'other'; there is 'paper-cnn'"),
        ("POST", "/v2/models/other/infer", 404, "no model is called 'other'"),
        ("GET", "/v2/models/paper-cnn/versions/2", 404, "no version '2'"),
        ("GET", "/v2/models/paper-cnn/infer", 405, "GET is not for this path"),
        ("DELETE", "/v2/models/paper-cnn", 405, "DELETE is not for this path"),
    ],
)
def test_a_path_that_is_none_is_told(served: Served, method: str, path: str, status: int, words: str) -> None:
    answer = served.ask(method, path)
    assert answer.status == status
    assert words in answer.error


def test_a_body_of_two_gigabytes_is_refused_before_it_is_sent(served: Served) -> None:
    with served.connection_to_write() as wire:
        wire.sendall(post(served, "Content-Length: 2147483648"))
        response = answer_of(wire)
    assert response.startswith(b"HTTP/1.1 413")
    assert b"1,048,576 bytes" in response


def test_a_client_that_writes_a_large_body_first_still_reads_the_refusal(served: Served) -> None:
    memory = served.memory()
    connection = served.connection()
    connection.request("POST", f"/v2/models/{served.name}/infer", bytes(200 << 20))
    assert answer_on(connection).status == 413
    assert served.memory() < memory + (100 << 20)


def test_a_chunked_body_is_refused_where_it_grows_too_large(served: Served) -> None:
    connection = served.connection()
    connection.request("POST", f"/v2/models/{served.name}/infer", iter([bytes(64 << 10)] * 40), encode_chunked=True)
    answer = answer_on(connection)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_who_waits_for_leave_to_send_too_much_is_not_given_it(served: Served) -> None:
    with served.connection_to_write() as wire:
        wire.sendall(post(served, "Content-Length: 9000000", "Expect: 100-continue"))
        assert answer_of(wire).startswith(b"HTTP/1.1 413")


def test_a_body_that_unpacks_to_too_much_is_refused(served: Served) -> None:
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 1 << 20
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", bomb, {"Content-Encoding": "gzip"})
    assert answer.status == 413


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [("gzip", b"plain", 400), ("gzip", gzip.compress(b"{}")[:-4], 400), ("br", b"{}", 415), ("deflate", b"", 400)],
)
def test_an_encoding_that_is_none_is_refused(served: Served, encoding: str, body: bytes, status: int) -> None:
    answer = served.ask("POST", f"/v2/models/{served.name}/infer", body, {"Content-Encoding": encoding})
    assert answer.status == status


def test_a_refused_request_does_not_cost_the_connection(served: Served, digits: Images) -> None:
    connection = served.connection()
    body, headers = body_of(*pixels(digits[:1]), {})
    for path, status in (("/v2/models/other/infer", 404), (f"/v2/models/{served.name}/infer", 200)):
        connection.request("POST", path, body, headers)
        assert answer_on(connection).status == status
        assert connection.sock is not None
    connection.close()


def test_what_is_no_http_is_refused(served: Served) -> None:
    with served.connection_to_write() as wire:
        wire.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert answer_of(wire).startswith(b"HTTP/1.1 400")


def test_a_header_without_end_is_refused(served: Served) -> None:
    with served.connection_to_write() as wire:
        wire.sendall(b"GET /v2 HTTP/1.1\r\nX: " + bytes(b"x" * (100 << 10)))
        assert answer_of(wire).startswith(b"HTTP/1.1 431")


def test_after_all_this_it_answers_from_the_same_worker(served: Served, digits: Images) -> None:
    worker = served.worker.pid
    for body in (b"{", json.dumps(as_json(TWO, [300])).encode()):
        assert served.ask("POST", f"/v2/models/{served.name}/infer", body).status == 400
    assert served.infer(*pixels(digits[:1])).status == 200
    assert served.worker.pid == worker


def test_answers_are_http(served: Served) -> None:
    connection = http.client.HTTPConnection(served.host, served.port)
    connection.request("HEAD", "/v2")
    assert connection.getresponse().read() == b""
    connection.close()
