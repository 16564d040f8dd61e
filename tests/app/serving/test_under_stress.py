"""Too many, too slow, dead or hanging: what the server does then."""

import concurrent.futures
import contextlib
import resource
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from tests.app.serving.server import LONG, Answer, Served, pixels
from tests.app.serving.test_bad_requests import answer_of, post
from tests.app.serving.test_protocol_served import counted

Images = npt.NDArray[np.uint8]
Start = Callable[..., Served]


def pending(server: Served, count: int) -> None:
    """Waits until so many requests wait or are computed."""
    while counted(server)["edge_bench_pending_requests"] != count:
        pass


def test_beyond_the_queue_it_says_busy_and_answers_those_who_wait(light: Start, digits: Images) -> None:
    with light("--queue", 2) as server, concurrent.futures.ThreadPoolExecutor(3) as pool:
        server.worker.suspend()
        waiting = [pool.submit(server.infer, *pixels(digits[n : n + 1])) for n in range(3)]
        pending(server, 3)
        busy = server.infer(*pixels(digits[:1]))
        assert (busy.status, busy.headers["retry-after"]) == (503, "1")
        assert "2 requests are waiting already" in busy.error
        assert server.ask("GET", "/v2/health/ready").status == 200
        server.worker.resume()
        assert [answer.result(LONG).status for answer in waiting] == [200] * 3
        assert server.infer(*pixels(digits[:1])).status == 200


@pytest.mark.parametrize("end", [signal.SIGSEGV, signal.SIGKILL])
def test_a_worker_that_crashes_costs_the_request_it_had(light: Start, digits: Images, end: signal.Signals) -> None:
    with light() as server, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = server.worker
        first.suspend()
        lost, next_one = (pool.submit(server.infer, *pixels(digits[:1])) for _ in range(2))
        pending(server, 2)
        first.send_signal(end)
        first.resume()
        answers = sorted([lost.result(LONG), next_one.result(LONG)])
        assert [answer.status for answer in answers] == [500, 503]
        assert f"the worker was ended by {end.name}" in answers[0].error
        assert answers[1].headers["retry-after"] == "5"
        server.wait_for_line("the model answers again")
        assert server.infer(*pixels(digits[:1])).status == 200
        assert counted(server)["edge_bench_worker_restarts"] == 1


def test_a_worker_that_dies_while_nobody_asks_costs_no_request(light: Start, digits: Images) -> None:
    with light() as server:
        server.worker.kill()
        server.wait_for_line("the model answers again")
        assert server.infer(*pixels(digits[:1])).status == 200


def test_a_worker_that_hangs_is_replaced(light: Start, digits: Images) -> None:
    with light("--timeout", 0.5) as server:
        hanging = server.worker
        hanging.suspend()
        answer = server.infer(*pixels(digits[:1]))
        assert (answer.status, answer.error) == (500, "the model gave no answer within 0.5 s")
        server.wait_for_line("the model answers again")
        assert server.infer(*pixels(digits[:1])).status == 200
        assert not psutil.pid_exists(hanging.pid)


def test_sigterm_answers_what_is_in_flight_and_ends(light: Start, digits: Images) -> None:
    with light() as server, concurrent.futures.ThreadPoolExecutor(2) as pool:
        worker = server.worker
        worker.suspend()
        in_flight = [pool.submit(server.infer, *pixels(digits[:1])) for _ in range(2)]
        pending(server, 2)
        server.process.send_signal(signal.SIGTERM)
        while refused(server) is False:  # it has stopped listening
            pass
        worker.resume()
        assert [answer.result(LONG).status for answer in in_flight] == [200, 200]
        assert server.process.wait(LONG) == 0
        assert not psutil.pid_exists(worker.pid)


def refused(server: Served) -> bool:
    try:
        server.connection_to_write().close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_end_does_not_wait_for_ever(light: Start, digits: Images, how: signal.Signals) -> None:
    with light("--grace", 1) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        worker = server.worker
        worker.suspend()
        in_flight = pool.submit(server.infer, *pixels(digits[:1]))
        pending(server, 1)
        server.process.send_signal(how)
        answer = in_flight.result(LONG)
        assert (answer.status, answer.error) == (503, "the server is being ended")
        assert server.process.wait(LONG) == 0
        assert not psutil.pid_exists(worker.pid)


def test_slow_headers_and_slow_bodies_are_cut(light: Start, digits: Images) -> None:
    with light("--header-timeout", 0.3, "--body-timeout", 0.3) as server:
        with server.connection_to_write() as wire:
            wire.sendall(b"POST /v2/models/paper-cnn/infer HTT")
            assert answer_of(wire).startswith(b"HTTP/1.1 408")
        with server.connection_to_write() as wire:
            wire.sendall(post(server, "Content-Length: 100") + b'{"inputs"')
            response = answer_of(wire)
            assert response.startswith(b"HTTP/1.1 408")
            assert b"the body was not there within 0.3 s" in response
            assert wire.recv(1) == b""
        assert server.infer(*pixels(digits[:1])).status == 200


def test_a_thousand_idle_connections_are_in_nobodys_way(light: Start, digits: Images) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with light() as server, contextlib.ExitStack() as idle:
        memory = server.memory()
        wires: list[socket.socket] = [idle.enter_context(server.connection_to_write()) for _ in range(1000)]
        wires[0].sendall(b"GET /v2")
        assert server.infer(*pixels(digits[:1])).status == 200
        assert counted(server)["process_open_fds"] > 1000
        assert server.memory() < memory + (50 << 20)
        for wire in wires:
            wire.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_has_no_token_learns_only_that_it_lives(light: Start, digits: Images, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open-sesame\n")
    with light("--token-file", tmp_path / "token") as server:
        for health in ("live", "ready"):
            assert server.ask("GET", f"/v2/health/{health}").status == 200
        strangers: list[dict[str, Any]] = [{}, {"Authorization": "Bearer open"}, {"Authorization": "open-sesame"}]
        for said in strangers:
            assert_unauthorized(server.ask("GET", "/metrics", headers=said))
            assert_unauthorized(server.ask("GET", "/v2/models/paper-cnn", headers=said))
            assert_unauthorized(server.infer(*pixels(digits[:1]), **said))
        right: dict[str, Any] = {"Authorization": "Bearer open-sesame"}
        assert server.infer(*pixels(digits[:1]), **right).status == 200
        assert server.ask("GET", "/metrics", headers=right).status == 200


def assert_unauthorized(answer: Answer) -> None:
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "the token is missing or wrong" in answer.error


def test_tls_with_a_certificate(light: Start, digits: Images, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl here to make a certificate with")
    with light("--certificate", certificate, "--key", key) as server:
        import http.client
        import ssl

        connection: Any = http.client.HTTPSConnection(
            server.host, server.port, context=ssl.create_default_context(cafile=certificate), timeout=LONG
        )
        connection.request("GET", "/v2/health/ready")
        assert connection.getresponse().status == 200
        connection.close()
        assert server.scheme == "https"
