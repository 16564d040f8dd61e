"""A swarm's collector and couriers over real sockets: nothing is lost, nothing is taken twice, nobody else is heard."""

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


def test_a_task_fetches_the_bundle_runs_and_hands_its_run_over(
    collector: Collector, digits_bundle: Bundle, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "mine").mkdir()
    options = ["--variant", "dynamic", "--runtime", "litert", "--trials", "1", "--processes", "1", "--limit", "20"]
    client(collector).measure(tmp_path / "artifacts", tmp_path / "mine", options)
    (there,) = collector.results.glob("node1/run-*.json")
    assert read_run(there).bundle.sha256 == digits_bundle.digest
    said = capfd.readouterr().err
    assert "node1 measuring: 1/1" in said
    assert f"node1 received {hashlib.sha256(there.read_bytes()).hexdigest()}" in said


def test_a_run_that_fails_says_why(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    with pytest.raises(EdgeBenchError, match="no variant 'nonsense'"):
        client(collector).measure(tmp_path / "artifacts", tmp_path / "mine", ["--variant", "nonsense"])


def test_a_run_sent_twice_is_kept_once_and_acknowledged_twice(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    for _ in range(2):
        client(collector).upload_run(tmp_path / "run.json")
    assert len(list(collector.results.rglob("*.json"))) == 1


def test_what_was_damaged_on_its_way_is_not_acknowledged(collector: Collector) -> None:
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
def test_others_and_nonsense_are_refused(collector: Collector, path: str, headers: dict[str, str], code: int) -> None:
    assert _put(collector, path, b"", headers) == code


def test_without_the_token_there_is_no_bundle(collector: Collector, tmp_path: Path) -> None:
    with pytest.raises(EdgeBenchError, match="the collector answered 403"):
        client(collector, token="wrong").fetch_bundle(tmp_path)


def test_a_collector_that_comes_back_is_found_again(digits_bundle: Bundle, tmp_path: Path) -> None:
    """Its service is moved or begun again: the courier keeps on until it is acknowledged."""
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
