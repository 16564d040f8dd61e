"""The pages of the server: contents, access, exports, names with HTML, and clients that are slow."""

import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_bench.bench.errors import BadInput
from tests.app.dashboard.fleets import fleet, write_all
from tests.command_line import CommandLine, Refuses
from tests.serving import Served, served

pytestmark = pytest.mark.slow

TOKEN = "correct-horse"
MARKUP = "<script>alert(1)</script>&\"'"


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        return None


def get(url: str, data: bytes | None = None, **headers: str) -> Answer:
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read().decode())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = fleet(3, slower="pi1", silent="pi2") + fleet(1, 2, name=MARKUP)
    return write_all(runs, tmp_path_factory.mktemp("dashboard") / "results")


@pytest.fixture(scope="module")
def server(results: Path) -> Iterator[Served]:
    with served(results, command="dashboard") as running:
        yield running


def links(text: str, prefix: str) -> list[str]:
    return re.findall(rf'href="({prefix}[^"]+)"', text)


def test_the_overview_leads_to_each_series_and_run(server: Served) -> None:
    overview = get(server.url)
    assert overview.status == 200
    assert "slower" in re.sub("<[^>]+>", " ", overview.text).lower()
    assert len(set(links(overview.text, "/series/"))) == 4
    (series, *_) = links(overview.text, "/series/")  # the first table has the changes
    page = get(server.url + series)
    assert "pi1" in page.text
    assert page.text.count("<figure") == 1
    runs = links(page.text, "/runs/")
    assert len(runs) == 20
    report = get(server.url + runs[0])
    assert report.status == 200
    assert "edge-bench report" in report.text


def test_no_name_becomes_markup(server: Served) -> None:
    overview = get(server.url).text
    pages = [overview, *(get(server.url + each).text for each in set(links(overview, "/series/")))]
    pages += [get(server.url + each).text for each in set(links(overview, "/runs/"))]
    assert any("&lt;script&gt;" in each for each in pages)
    assert not any("<script" in each for each in pages)


def test_exports_are_those_of_history(server: Served, results: Path, edge_bench_here: CommandLine) -> None:
    for form, kind in (("jsonl", "application/jsonl"), ("csv", "text/csv")):
        answer = get(f"{server.url}/export/history.{form}")
        assert answer.headers.get_content_type() == kind
        assert answer.text.strip() == edge_bench_here("history", results, "--format", form).stdout.strip()
    assert len([json.loads(line) for line in get(f"{server.url}/export/history.jsonl").text.splitlines()]) == 59


def test_it_only_reads_and_unknown_addresses_are_404(server: Served) -> None:
    assert get(server.url, b"x=1").status == 405
    for path in ("/series/0", "/runs/" + "0" * 32, "/runs/..%2f..%2fetc%2fpasswd", "/nothing", "/export/history.xml"):
        assert get(server.url + path).status == 404
    for path in ("/", "/nothing", "/export/history.csv"):
        headers = get(server.url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_another_name_of_this_machine_is_refused_without_a_token(server: Served) -> None:
    assert get(server.url, Host="rebound.example").status == 421
    assert get(server.url, Host="localhost:1").status == 200


def test_a_new_run_is_shown_without_a_restart(tmp_path: Path) -> None:
    runs = fleet(1, 4)
    folder = write_all(runs[:3], tmp_path / "results")
    with served(folder, command="dashboard") as running:
        before = get(f"{running.url}/export/history.jsonl").text.splitlines()
        write_all(runs[3:], folder)
        deadline = time.monotonic() + 60
        after = before
        while len(after) == len(before) and time.monotonic() < deadline:
            after = get(f"{running.url}/export/history.jsonl").text.splitlines()
    assert (len(before), len(after)) == (3, 4)


def test_without_the_token_nothing_is_shown(results: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with served(results, "--token-file", str(file), command="dashboard") as running:
        first = get(running.url)
        assert (first.status, first.headers["location"]) == (303, "/login")
        for path in ("/export/history.csv", "/series/0", "/runs/0"):
            assert get(running.url + path).status == 401
            assert get(running.url + path, Authorization="Bearer wrong").status == 401
            assert get(running.url + path, Cookie="edge_bench_dashboard=wrong").status == 401
        assert get(f"{running.url}/health/live").status == 200
        assert get(running.url, Authorization=f"Bearer {TOKEN}").status == 200
        assert get(f"{running.url}/login", b"token=wrong").status == 401
        login = get(f"{running.url}/login", b"token=" + TOKEN.encode())
        cookie = login.headers["set-cookie"]
        assert login.status == 303
        assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
        assert TOKEN not in cookie
        assert get(running.url, Cookie=cookie.partition(";")[0]).status == 200
        assert get(f"{running.url}/login", b"token=" + b"x" * 100_000).status == 413


def test_slow_clients_do_not_hold_up_others(server: Served) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    try:
        for each in slow:
            each.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert get(server.url).status == 200
    finally:
        for each in slow:
            each.close()


def test_other_machines_need_a_token(results: Path, refuses: Refuses) -> None:
    assert isinstance(refuses("dashboard", results, "--host", "0.0.0.0", "--port", "0"), BadInput)
    assert isinstance(refuses("dashboard", results / "none", "--port", "0"), BadInput)
