"""Too many, too slow, dead or hanging: what the server does then."""

import concurrent.futures
import contextlib
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from edge_bench.bench.records.bundle import Bundle
from tests.app.serving.bodies import counted
from tests.app.serving.conftest import LIGHT
from tests.app.serving.raw import answer_of, post
from tests.app.serving.server import LONG, Answer, Served, body_of, pixels

pytestmark = pytest.mark.slow

Images = npt.NDArray[np.uint8]
Start = Callable[..., Served]


def pending(server: Served, count: int) -> None:
    """Waits until so many requests wait or are computed."""
    while counted(server)["edge_bench_pending_requests"] != count:
        pass


@pytest.fixture(scope="module")
def stressed(digits_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A short queue and little patience, for tests that leave it answering."""
    folder = tmp_path_factory.mktemp("stressed")
    with Served(digits_bundle.folder, folder, *LIGHT, "--queue", 2, "--timeout", 5) as server:
        yield server


def test_beyond_the_queue_it_says_busy_and_answers_those_who_wait(stressed: Served, digits: Images) -> None:
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        stressed.worker.suspend()
        waiting = [pool.submit(stressed.infer, *pixels(digits[n : n + 1])) for n in range(3)]
        pending(stressed, 3)
        busy = stressed.infer(*pixels(digits[:1]))
        assert (busy.status, busy.headers["retry-after"]) == (503, "1")
        assert "2 requests are waiting already" in busy.error
        assert stressed.ask("GET", "/v2/health/ready").status == 200
        stressed.worker.resume()
        assert [answer.result(LONG).status for answer in waiting] == [200] * 3
    assert stressed.infer(*pixels(digits[:1])).status == 200


def test_what_nobody_waits_for_any_more_is_not_computed(stressed: Served, digits: Images) -> None:
    before = counted(stressed)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stressed.worker.suspend()
        first = pool.submit(stressed.infer, *pixels(digits[:1]))
        pending(stressed, 1)
        with stressed.connection_to_write() as gives_up:
            body, headers = body_of(*pixels(digits[:5]), {})
            gives_up.sendall(post(stressed, f"Content-Length: {len(body)}", *map(": ".join, headers.items())) + body)
            pending(stressed, 2)
        while counted(stressed)["process_open_fds"] > before["process_open_fds"] + 1:
            pass  # until the server has seen it go
        wait_for_long(stressed)
        stressed.worker.resume()
        assert first.result(LONG).status == 200
    pending(stressed, 0)
    assert counted(stressed)["edge_bench_images_total"] == before["edge_bench_images_total"] + 1


def wait_for_long(server: Served) -> None:
    """Asks until what counts as a long wait is over."""
    began = time.monotonic()
    while time.monotonic() < began + 0.1:
        counted(server)


def test_a_worker_that_crashes_costs_the_request_it_had(stressed: Served, digits: Images) -> None:
    restarts = counted(stressed)["edge_bench_worker_restarts"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = stressed.worker
        first.suspend()
        lost, next_one = (pool.submit(stressed.infer, *pixels(digits[:1])) for _ in range(2))
        pending(stressed, 2)
        first.send_signal(signal.SIGSEGV)
        first.resume()
        answers = sorted([lost.result(LONG), next_one.result(LONG)])
    assert [answer.status for answer in answers] == [500, 503]
    assert "the worker was ended by SIGSEGV" in answers[0].error
    assert answers[1].headers["retry-after"] == "5"
    stressed.wait_for_line("the model answers again")
    assert stressed.infer(*pixels(digits[:1])).status == 200
    assert counted(stressed)["edge_bench_worker_restarts"] == restarts + 1


def test_a_worker_that_dies_while_nobody_asks_costs_no_request(stressed: Served, digits: Images) -> None:
    stressed.worker.kill()
    stressed.wait_for_line("the model answers again")
    assert stressed.infer(*pixels(digits[:1])).status == 200


def test_a_worker_that_hangs_is_replaced(stressed: Served, digits: Images) -> None:
    hanging = stressed.worker
    hanging.suspend()
    answer = stressed.infer(*pixels(digits[:1]))
    assert (answer.status, answer.error) == (500, "the model gave no answer within 5 s")
    stressed.wait_for_line("the model answers again")
    assert stressed.infer(*pixels(digits[:1])).status == 200
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
    except ConnectionResetError:
        return False  # it was about to
    return False


def test_the_end_does_not_wait_for_ever(light: Start, digits: Images) -> None:
    with light("--shutdown-timeout", 1) as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        worker = server.worker
        worker.suspend()
        in_flight = pool.submit(server.infer, *pixels(digits[:1]))
        pending(server, 1)
        server.process.send_signal(signal.SIGINT)
        answer = in_flight.result(LONG)
        assert (answer.status, answer.error) == (503, "the server is being ended")
        assert server.process.wait(LONG) == 0
        assert not psutil.pid_exists(worker.pid)


def test_slow_headers_slow_bodies_and_who_has_no_token_are_turned_away(
    light: Start, digits: Images, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("open-sesame\n")
    right: dict[str, Any] = {"Authorization": "Bearer open-sesame"}
    options = ("--token-file", tmp_path / "token", "--header-timeout", 0.5, "--body-timeout", 0.5)
    with light(*options) as server:
        with server.connection_to_write() as idle:
            assert idle.recv(1) == b""
        with server.connection_to_write() as wire:
            wire.sendall(b"POST /v2/models/paper-cnn/infer HTT")
            assert answer_of(wire).startswith(b"HTTP/1.1 408")
        with server.connection_to_write() as wire:
            slow = post(server, "Content-Length: 100", "Authorization: Bearer open-sesame")
            wire.sendall(slow + b'{"inputs"')
            response = answer_of(wire)
            assert response.startswith(b"HTTP/1.1 408")
            assert b"the body was not there within 0.5 s" in response
            assert wire.recv(1) == b""
        strangers: list[dict[str, Any]] = [{}, {"Authorization": "Bearer open"}, {"Authorization": "open-sesame"}]
        for said in strangers:
            assert_unauthorized(server.ask("GET", "/metrics", headers=said))
            assert_unauthorized(server.ask("GET", "/v2/models/paper-cnn", headers=said))
            assert_unauthorized(server.infer(*pixels(digits[:1]), **said))
        for health in ("live", "ready"):
            assert server.ask("GET", f"/v2/health/{health}").status == 200
        assert server.infer(*pixels(digits[:1]), **right).status == 200
        assert server.ask("GET", "/metrics", headers=right).status == 200


def test_a_thousand_idle_connections_are_in_nobodys_way(served: Served, digits: Images) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with contextlib.ExitStack() as idle:
        memory, files = served.memory(), counted(served)["process_open_fds"]
        wires: list[socket.socket] = [idle.enter_context(served.connection_to_write()) for _ in range(1000)]
        wires[0].sendall(b"GET /v2")
        assert served.infer(*pixels(digits[:1])).status == 200
        assert counted(served)["process_open_fds"] >= files + 1000
        assert served.memory() < memory + (50 << 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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
