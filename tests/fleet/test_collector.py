"""A swarm's collector and its clients over real sockets."""

import hashlib
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_bench.app.fleet.swarm.collector import SHA256, Collector
from edge_bench.app.fleet.swarm.task import CollectorClient
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run_files import read_run

TOKEN = "a-token"


@pytest.fixture
def collector(digits_bundle: Bundle, tmp_path: Path) -> Iterator[Collector]:
    with Collector(("127.0.0.1", 0), digits_bundle.folder, tmp_path / "results" / "runs", TOKEN) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def client(server: Collector, node: str = "node1", token: str = TOKEN, reconnect_timeout: float = 0) -> CollectorClient:
    return CollectorClient("127.0.0.1", server.server_address[1], node, token, reconnect_timeout)


@pytest.mark.slow
def test_a_task_downloads_the_bundle_runs_and_uploads_its_run(
    collector: Collector, digits_bundle: Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "mine").mkdir()
    options = ["--variant", "dynamic", "--runtime", "litert", "--trials", "1", "--processes", "1", "--limit", "20"]
    client(collector).measure(tmp_path / "artifacts", tmp_path / "mine", options)
    (there,) = collector.results.glob("node1/run-*.json")
    assert read_run(there).bundle.sha256 == digits_bundle.digest
    lines = capfd.readouterr().err.splitlines()
    assert any(line.startswith("node1 ") and "1/1" in line for line in lines)
    digest = hashlib.sha256(there.read_bytes()).hexdigest()
    assert any(line.startswith("node1 ") and digest in line for line in lines)


@pytest.mark.slow
def test_the_error_of_a_failed_run_is_reported(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    with pytest.raises(EdgeBenchError) as caught:
        client(collector).measure(tmp_path / "artifacts", tmp_path / "mine", ["--variant", "nonsense"])
    assert "nonsense" in caught.value.problem


def test_a_run_sent_twice_is_stored_once_and_acknowledged_twice(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    for _ in range(2):
        client(collector).upload_run(tmp_path / "run.json")
    assert len(list(collector.results.rglob("*.json"))) == 1


def test_a_run_damaged_in_transit_is_not_acknowledged(collector: Collector) -> None:
    assert _put(collector, "/runs/node1", b"half", {SHA256: hashlib.sha256(b"whole").hexdigest()}) == 422
    assert list(collector.results.rglob("*.json")) == []


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/runs/node1", {"Authorization": "Bearer wrong"}, 403),
        ("/runs/..%2f..%2fx", {}, 400),
        ("/runs/../x", {}, 400),
        ("/elsewhere/node1", {}, 400),
        ("/runs/node1", {"Content-Length": "99999999999"}, 413),
        ("/runs/node1", {"Content-Length": "-1"}, 400),
    ],
)
def test_invalid_requests_are_refused(collector: Collector, path: str, headers: dict[str, str], code: int) -> None:
    assert _put(collector, path, b"", headers) == code


def test_the_bundle_needs_the_token(collector: Collector, tmp_path: Path) -> None:
    with pytest.raises(EdgeBenchError) as caught:
        client(collector, token="wrong").fetch_bundle(tmp_path)
    assert "403" in caught.value.problem
    assert not list(tmp_path.rglob("bundle"))


def test_a_bundle_in_the_image_is_not_in_the_way_of_the_fetched_one(
    collector: Collector, digits_bundle: Bundle, tmp_path: Path
) -> None:
    volume = tmp_path / "artifacts"  # Docker has copied the image's bundle into it
    (volume / "bundle").mkdir(parents=True)
    (volume / "bundle" / "manifest.json").write_text("{}")
    fetched = client(collector).fetch_bundle(volume)
    assert Bundle.open(fetched).digest == digits_bundle.digest


def test_a_restarted_collector_gets_the_run(digits_bundle: Bundle, tmp_path: Path) -> None:
    """A client repeats its upload until the Run is acknowledged."""
    (tmp_path / "run.json").write_text("{}")
    first = Collector(("127.0.0.1", 0), digits_bundle.folder, tmp_path / "r" / "runs", TOKEN)
    port = first.server_address[1]
    first.server_close()
    sender = threading.Thread(
        target=CollectorClient("127.0.0.1", port, "node1", TOKEN, 30).upload_run, args=(tmp_path / "run.json",)
    )
    sender.start()
    with Collector(("127.0.0.1", port), digits_bundle.folder, tmp_path / "r" / "runs", TOKEN) as second:
        threading.Thread(target=second.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        sender.join(30)
        second.shutdown()
    assert not sender.is_alive()
    assert len(list(second.results.rglob("*.json"))) == 1


def _put(server: Collector, path: str, data: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        connection.request("PUT", path, data, {"Authorization": f"Bearer {TOKEN}"} | headers)
        return connection.getresponse().status
    finally:
        connection.close()
