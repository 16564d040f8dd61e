"""Downloads from a real server that stops in the middle: killed, disconnected, and two at once."""

import http.server
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.app.training.data.download import fashion_mnist
from edge_bench.bench.errors import DatasetError, DatasetUnavailable
from edge_bench.bench.progress import Silent
from tests.command_line import clean_environment

pytestmark = pytest.mark.slow

SIZE = 300_000
NAMES = ["a", "b"]


class Server(http.server.ThreadingHTTPServer):
    """Serves files of SIZE bytes; stops in the middle of ``b`` until ``go_on`` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.half, self.go_on, self.asked = threading.Event(), threading.Event(), Counter[str]()
        self.cut_off = False


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        self.wfile.write(bytes(SIZE // 2))
        if self.path == "/b.gz":
            self.server.half.set()
            if self.server.cut_off:
                return
            self.server.go_on.wait()
        self.wfile.write(bytes(SIZE - SIZE // 2))

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    serving = Server()
    serving.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed client closes its connection
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EDGE_BENCH_FASHION_MNIST_URL", f"http://127.0.0.1:{serving.server_port}/")
    yield serving
    serving.go_on.set()
    serving.shutdown()
    thread.join()
    serving.server_close()


def whole(path: Path) -> None:
    if path.stat().st_size != SIZE:
        raise DatasetError(f"{path}: truncated")


def fetching(tmp_path: Path, server: Server) -> "subprocess.Popen[bytes]":
    code = "from tests.faults.test_downloads import *\nfashion_mnist(NAMES, whole, Silent())"
    environment = clean_environment(tmp_path) | {
        "EDGE_BENCH_FASHION_MNIST_URL": f"http://127.0.0.1:{server.server_port}/"
    }
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)


def there(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "fashion-mnist").rglob("*"))


def test_a_killed_download_keeps_complete_files_only(server: Server, tmp_path: Path) -> None:
    killed = fetching(tmp_path, server)
    assert server.half.wait(60)
    killed.kill()
    killed.communicate()
    assert "a.gz" in there(tmp_path)
    assert "b.gz" not in there(tmp_path)
    server.go_on.set()
    fashion_mnist(NAMES, whole, Silent())
    assert there(tmp_path) == ["a.gz", "b.gz"], "and no temporary file"
    assert server.asked == {"/a.gz": 1, "/b.gz": 2}


def test_the_second_of_two_downloads_waits_and_uses_the_files_of_the_first(server: Server, tmp_path: Path) -> None:
    first = fetching(tmp_path, server)
    assert server.half.wait(60)
    second = fetching(tmp_path, server)
    server.go_on.set()
    for each in (first, second):
        assert each.communicate()[1] == b""
        assert each.returncode == 0
    assert there(tmp_path) == ["a.gz", "b.gz"]
    assert server.asked == {"/a.gz": 1, "/b.gz": 1}


def test_an_interrupted_response_is_retried_and_then_reported(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # between two attempts
    server.cut_off = True
    with pytest.raises(DatasetUnavailable) as caught:
        fashion_mnist(NAMES, whole, Silent())
    assert "b.gz" in caught.value.problem
    assert server.asked["/b.gz"] == 3
    assert there(tmp_path) == ["a.gz"]


def test_without_a_network_there_is_one_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EDGE_BENCH_FASHION_MNIST_URL", "http://no-such-host.invalid/")
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with pytest.raises(DatasetUnavailable):
        fashion_mnist(NAMES, whole, Silent())
    assert waits == []
