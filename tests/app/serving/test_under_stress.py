"""Overload, slow clients, crashed and hanging workers, shutdown."""

import concurrent.futures
import contextlib
import http.client
import resource
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from edge_bench.app.serving.model_worker import LONG_WAIT_NS
from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.bodies import metrics, read_response, request_head
from tests.app.serving.server import LIGHT, LONG, Answer, Served, body_of, pixels

pytestmark = pytest.mark.slow

Images = npt.NDArray[np.uint8]
Start = Callable[..., Served]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true; fail after ``LONG`` seconds."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline


def wait_for_pending(server: Served, count: int) -> None:
    """Wait until the server has that many unanswered requests."""
    wait_until(lambda: metrics(server)["edge_bench_pending_requests"] == count)


def wait_for_restart(server: Served, restarts: float) -> None:
    """Wait until the worker has been restarted that many times."""
    wait_until(lambda: metrics(server)["edge_bench_worker_restarts"] == restarts)


def restarts_of(server: Served) -> float:
    return metrics(server)["edge_bench_worker_restarts"]


@pytest.fixture(scope="module")
def stressed(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a short queue and a short timeout, for tests after which it still answers."""
    folder = tmp_path_factory.mktemp("stressed")
    with Served(digits_bundle.folder, folder, *LIGHT, "--queue", 2, "--timeout", 5) as server:
        yield server


def test_a_full_queue_refuses_requests_and_answers_the_waiting_ones(stressed: Served, digits: Images) -> None:
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        stressed.worker.suspend()
        waiting = [pool.submit(stressed.infer, *pixels(digits[n : n + 1])) for n in range(3)]
        wait_for_pending(stressed, 3)
        busy = stressed.infer(*pixels(digits[:1]))
        assert (busy.status, busy.headers["retry-after"]) == (503, "1")
        assert stressed.ask("GET", "/v2/health/ready").status == 200
        stressed.worker.resume()
        assert [answer.result(LONG).status for answer in waiting] == [200] * 3
    assert stressed.infer(*pixels(digits[:1])).status == 200


def test_requests_of_disconnected_clients_are_not_computed(stressed: Served, digits: Images) -> None:
    before = metrics(stressed)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stressed.worker.suspend()
        first = pool.submit(stressed.infer, *pixels(digits[:1]))
        wait_for_pending(stressed, 1)
        with stressed.raw_connection() as gives_up:
            body, headers = body_of(*pixels(digits[:5]), {})
            head = request_head(stressed, f"Content-Length: {len(body)}", *map(": ".join, headers.items()))
            gives_up.sendall(head + body)
            wait_for_pending(stressed, 2)
        # until the server has noticed the disconnection
        wait_until(lambda: metrics(stressed)["process_open_fds"] <= before["process_open_fds"] + 1)
        time.sleep(2 * LONG_WAIT_NS / 1e9)
        stressed.worker.resume()
        assert first.result(LONG).status == 200
    wait_for_pending(stressed, 0)
    assert metrics(stressed)["edge_bench_images_total"] == before["edge_bench_images_total"] + 1


def test_a_crash_of_the_worker_fails_only_its_current_request(stressed: Served, digits: Images) -> None:
    restarts = restarts_of(stressed)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = stressed.worker
        first.suspend()
        lost, next_one = (pool.submit(stressed.infer, *pixels(digits[:1])) for _ in range(2))
        wait_for_pending(stressed, 2)
        first.send_signal(signal.SIGSEGV)
        first.resume()
        answers = sorted([lost.result(LONG), next_one.result(LONG)])
    assert [answer.status for answer in answers] == [500, 503]
    assert "SIGSEGV" not in answers[0].error  # a detail of the server, which its log has
    assert answers[1].headers["retry-after"] == "5"
    wait_for_restart(stressed, restarts + 1)
    assert stressed.infer(*pixels(digits[:1])).status == 200


def test_an_idle_worker_that_dies_is_replaced(stressed: Served, digits: Images) -> None:
    restarts = restarts_of(stressed)
    stressed.worker.kill()
    wait_for_restart(stressed, restarts + 1)
    assert stressed.infer(*pixels(digits[:1])).status == 200


def test_a_worker_that_hangs_is_replaced(stressed: Served, digits: Images) -> None:
    hanging, restarts = stressed.worker, restarts_of(stressed)
    hanging.suspend()
    answer = stressed.infer(*pixels(digits[:1]))
    assert (answer.status, "5" in answer.error) == (500, True)  # seconds
    wait_for_restart(stressed, restarts + 1)
    assert stressed.infer(*pixels(digits[:1])).status == 200
    assert not psutil.pid_exists(hanging.pid)


def test_sigterm_answers_pending_requests_and_ends(light: Start, digits: Images) -> None:
    with light() as server, concurrent.futures.ThreadPoolExecutor(2) as pool:
        worker = server.worker
        worker.suspend()
        in_flight = [pool.submit(server.infer, *pixels(digits[:1])) for _ in range(2)]
        wait_for_pending(server, 2)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(server))
        worker.resume()
        assert [answer.result(LONG).status for answer in in_flight] == [200, 200]
        assert server.process.wait(LONG) == 0
        assert not psutil.pid_exists(worker.pid)


def refuses_connections(server: Served) -> bool:
    try:
        server.raw_connection().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # it is about to stop listening
    return False


def test_the_shutdown_timeout_ends_pending_requests(light: Start, digits: Images) -> None:
    with light("--shutdown-timeout", 1) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        worker = server.worker
        worker.suspend()
        in_flight = pool.submit(server.infer, *pixels(digits[:1]))
        wait_for_pending(server, 1)
        server.process.send_signal(signal.SIGINT)
        answer = in_flight.result(LONG)
        assert (answer.status, answer.headers["retry-after"]) == (503, "10")
        assert server.process.wait(LONG) == 0
        assert not psutil.pid_exists(worker.pid)


def test_slow_headers_slow_bodies_and_wrong_tokens_are_refused(light: Start, digits: Images, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open-sesame\n")
    right: dict[str, Any] = {"Authorization": "Bearer open-sesame"}
    options = ("--token-file", tmp_path / "token", "--header-timeout", 0.5, "--body-timeout", 0.5)
    with light(*options) as server:
        with server.raw_connection() as idle:
            assert idle.recv(1) == b""
        with server.raw_connection() as wire:
            wire.sendall(b"POST /v2/models/paper-cnn/infer HTT")
            assert read_response(wire).startswith(b"HTTP/1.1 408")
        with server.raw_connection() as wire:
            slow = request_head(server, "Content-Length: 100", "Authorization: Bearer open-sesame")
            wire.sendall(slow + b'{"inputs"')
            response = read_response(wire)
            assert response.startswith(b"HTTP/1.1 408")
            assert b"0.5" in response.partition(b"\r\n\r\n")[2]
            assert wire.recv(1) == b""
        without_token: list[dict[str, Any]] = [{}, {"Authorization": "Bearer open"}, {"Authorization": "open-sesame"}]
        for headers in without_token:
            assert_unauthorized(server.ask("GET", "/metrics", headers=headers))
            assert_unauthorized(server.ask("GET", "/v2/models/paper-cnn", headers=headers))
            assert_unauthorized(server.infer(*pixels(digits[:1]), **headers))
        for health in ("live", "ready"):
            assert server.ask("GET", f"/v2/health/{health}").status == 200
        assert server.infer(*pixels(digits[:1]), **right).status == 200
        assert server.ask("GET", "/metrics", headers=right).status == 200


def test_a_thousand_idle_connections_do_not_block_others(served: Served, digits: Images) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with contextlib.ExitStack() as idle:
        memory, files = served.memory(), metrics(served)["process_open_fds"]
        wires: list[socket.socket] = [idle.enter_context(served.raw_connection()) for _ in range(1000)]
        wires[0].sendall(b"GET /v2")
        assert served.infer(*pixels(digits[:1])).status == 200
        assert metrics(served)["process_open_fds"] >= files + 1000
        assert served.memory() < memory + (50 << 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def assert_unauthorized(answer: Answer) -> None:
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.error


def test_tls_with_a_certificate(light: Start, digits: Images, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("needs openssl to make a certificate")
    with light("--certificate", certificate, "--key", key) as server:
        connection: Any = http.client.HTTPSConnection(
            server.host, server.port, context=ssl.create_default_context(cafile=certificate), timeout=LONG
        )
        connection.request("GET", "/v2/health/ready")
        assert connection.getresponse().status == 200
        connection.close()
        assert server.scheme == "https"
