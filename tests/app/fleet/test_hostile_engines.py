"""Engines that answer with anything: each becomes an error of that engine, in bounded memory and time."""

import contextlib
import datetime
import http.server
import json
import resource
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("docker")
from edge_bench.app.fleet.docker.client import MAX_ANSWER_BYTES, load_errors
from edge_bench.app.fleet.docker.container import ContainerExit
from edge_bench.app.fleet.docker.engine import Description, Engine
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.app.fleet.docker.images import ImageSource, ensure_image
from edge_bench.app.fleet.docker.inventory import EngineSetting, engine_settings
from edge_bench.app.fleet.docker.workspace import Workspace
from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.fleet.status import query_engines
from edge_bench.app.fleet.swarm.services import nodes_of, tasks_of
from edge_bench.bench.errors import DiskFull
from tests.fleet.saved import saved_image

VERSION = {"ApiVersion": "1.44", "Version": "26.1.5"}
INFO = {"Name": "pi", "ServerVersion": "26.1.5", "Architecture": "aarch64", "NCPU": 4, "MemTotal": 8 << 30}
#: Bytes that an endless answer has.
ENDLESS = 1 << 30
Answers = dict[str, Any]  # by the path without the API's version: an object, or bytes that are repeated without end


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    answers: Answers


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        path = "/" + self.path.partition("?")[0].removeprefix("/v1.44").strip("/")
        answer = self.server.answers.get(path, {"/version": VERSION, "/info": INFO}.get(path, []))
        self.send_response(200)
        if isinstance(answer, bytes):
            self.send_header("Content-Length", str(ENDLESS))
            self.end_headers()
            block = answer * max(1, (64 << 10) // len(answer))
            with contextlib.suppress(OSError):
                for _ in range(ENDLESS // len(block)):
                    self.wfile.write(block)
            self.close_connection = True
            return
        content = json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names of http.server

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


Start = Callable[[Answers], EngineSetting]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an engine with these answers, and return its setting."""
    with contextlib.ExitStack() as stack:

        def started(answers: Answers) -> EngineSetting:
            server = stack.enter_context(_Server(str(tmp_path / "engine.sock"), _Handler))
            server.answers = answers
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
            return engine_settings([f"unix://{tmp_path}/engine.sock"], None)[0]

        yield started


@contextlib.contextmanager
def cheap(seconds: float = 5, bytes_: int = 400 << 20) -> Iterator[None]:
    """Assert that the processor time and the growth of the peak memory stay below these limits."""
    before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - before < seconds
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < memory * 1024 + bytes_


@pytest.mark.parametrize(
    "info",
    [
        [], "text", 3, None, {"Swarm": [1]}, {"Swarm": 3}, [[]] * 1000, b"[", b'{"a":', b" ", b'["",', b"{},",
    ],
)  # fmt: skip
def test_a_description_of_another_form_is_an_error_of_its_engine(start: Start, info: Any) -> None:
    setting = start({"/info": info})
    with cheap(), pytest.raises(EngineTrouble):
        Engine(setting, timeout=10)


@pytest.mark.parametrize("version", [[], {}, {"ApiVersion": []}, {"ApiVersion": "x"}, b"["])
def test_a_version_of_another_form_is_an_error_of_its_engine(start: Start, version: Any) -> None:
    setting = start({"/version": version})
    with cheap(), pytest.raises(EngineTrouble):
        Engine(setting, timeout=10)


@pytest.mark.parametrize("number", ["4", -1, 1e999, 2**70, [], {}, None, True])
def test_numbers_of_another_form_are_not_used(start: Start, number: Any) -> None:
    setting = start({"/info": INFO | {"NCPU": number, "MemTotal": number, "Name": "x" * 10_000 + "\x1b[2J"}})
    with Engine(setting, timeout=10) as engine:
        found = engine.description
    assert isinstance(found, Description)
    assert (found.cores, found.memory_bytes) in ((0, 0), (1, 1))
    assert len(found.host) <= 80
    assert found.host.isprintable()


@pytest.mark.parametrize("stated", [None, 3, [], "", "2026-01-01T00:00:00", "9" * 10_000, "0001-01-01T00:00:00Z"])
def test_a_clock_of_another_form_is_not_used(start: Start, stated: Any) -> None:
    with Engine(start({"/info": INFO | {"SystemTime": stated}}), timeout=10) as engine:
        offset = engine.description.clock_offset_seconds
    assert offset == 0 or (str(stated).startswith("0001") and offset < -60_000_000_000)


@pytest.mark.parametrize(("days", "known"), [(-365, "365 days behind"), (2.5, "2 days ahead"), (0, "")])
def test_a_clock_that_is_wrong_is_reported_and_a_right_one_is_not(start: Start, days: float, known: str) -> None:
    time_there = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    setting = start({"/info": INFO | {"SystemTime": time_there.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")}})
    with Engine(setting, timeout=10) as engine:
        offset = engine.description.clock_offset_seconds
    assert abs(offset - days * 86_400) < 60
    warning = DeviceState(engine=setting, clock_offset_seconds=offset).clock_warning
    assert known in warning
    assert bool(warning) == bool(known)


@pytest.mark.parametrize("path", ["/containers/json", "/volumes", "/networks", "/images/json"])
@pytest.mark.parametrize("answer", [{"a": 1}, [3], ["x"], [{}], [{"Names": 3}], 3, "x", b"[", b"{},"])
def test_one_hostile_engine_does_not_end_the_list_of_all(start: Start, path: str, answer: Any) -> None:
    setting = start({path: answer})
    with cheap():
        (status,) = query_engines([setting], 10)
    assert all(map(str.isprintable, [status.reason, *status.left, *status.images]))


class _Container:
    """A container whose log and state are given."""

    def __init__(self, log: bytes, state: Any) -> None:
        self.attrs, self._log = {"State": state}, log

    def reload(self) -> None:
        pass

    def logs(self, **_: Any) -> bytes:
        return self._log


LOGS = [
    b"", b"\n" * MAX_ANSWER_BYTES, b"x" * MAX_ANSWER_BYTES, b"\xff" * 1000, b"9999-12-31T23:59:59.0Z y\n" * 1000,
    b"2026-01-01T00:00:00.0Z training: 9999999999999999999999999/1\n" * 3, b"zzzz x\n2026-01-01T00:00:00.0Z y\n",
]  # fmt: skip


@pytest.mark.parametrize("log", LOGS, ids=range(len(LOGS)))
def test_logs_of_any_form_give_few_short_lines(start: Start, log: bytes) -> None:
    with Engine(start({}), timeout=10) as engine:
        workspace, lines = Workspace(engine, "f", "i"), list[str]()
        with cheap():
            since = workspace.new_lines(_Container(log, {}), "", lines.append)
            with contextlib.suppress(EngineTrouble):
                workspace.new_lines(_Container(log, {}), since, lines.append, 20)
    assert len(lines) <= 10_020
    assert all(len(line) <= 300 for line in lines)
    assert since < "3"


@pytest.mark.parametrize("state", [{}, [], None, {"ExitCode": "x"}, {"ExitCode": []}, {"ExitCode": 2**80}])
def test_a_state_of_any_form_is_an_exit_or_an_error(start: Start, state: Any) -> None:
    with Engine(start({"/containers/c/wait": {"StatusCode": 0}}), timeout=10) as engine:
        container = _Container(b"error: x\n" * 100, state)
        container.id = "c"  # type: ignore[attr-defined]
        with contextlib.suppress(EngineTrouble):
            ended = Workspace(engine, "f", "i").follow(container, lambda _: None, 10)
            assert isinstance(ended, ContainerExit)


def test_many_listed_containers_do_not_cause_a_request_for_each(start: Start) -> None:
    listed = [{"Id": f"{number:064x}", "Names": ["/x"]} for number in range(20_000)]
    with Engine(start({"/containers/json": listed}), timeout=10) as engine, cheap(), pytest.raises(EngineTrouble):
        Workspace(engine, "f", "i").clean_up()


@pytest.mark.parametrize("answer", [{"error": "no space left"}, b'{"stream": "x"}\n', b"x", b"\n", b"[", [], 3])
def test_answers_to_an_image_are_read_within_limits(start: Start, answer: Any) -> None:
    with Engine(start({"/images/load": answer}), timeout=10) as engine, cheap():
        errors = list[str]()
        with contextlib.suppress(EngineTrouble), engine.trouble("sending"):
            errors = list(load_errors(engine.slow_client, iter([b"image"])))
        assert errors == (["no space left"] if isinstance(answer, dict) else [])


def test_unpacking_begins_when_the_whole_image_is_sent(start: Start, tmp_path: Path) -> None:
    source = ImageSource(str(saved_image(tmp_path / "edge.tar")), lambda: pytest.fail("a file needs no engine"))
    part = source.part("linux/arm64")
    answers = {f"/images/{part.tag}/json": {"RootFS": {"Layers": []}}, "/images/load": {"stream": "loaded"}}
    seen = list[int | str]()
    refused = pytest.raises(EngineTrouble)  # what it has then is not what was sent
    with contextlib.closing(source), Engine(start(answers), timeout=10) as engine, refused:
        ensure_image(engine, source, seen.append, lambda: seen.append("sent"))
    assert seen == [0, part.bytes, "sent"]


def test_a_full_disk_of_this_machine_is_not_the_engines(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = start({"/images/edge/json": {"RepoTags": ["edge:latest"]}})
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = ImageSource("edge", lambda: Engine(setting, timeout=10))
    (folder,) = tmp_path.glob("edge-bench-image-*")
    (folder / "saved.tar").symlink_to("/dev/full")
    with contextlib.closing(source), pytest.raises(DiskFull) as caught:
        source.part("linux/arm64")
    assert "TMPDIR" in caught.value.remedy


@pytest.mark.parametrize("identity", ["..", "../../x", "/etc", "", "a" * 65, "a b", 3, None, "a\n"])
def test_a_node_whose_id_is_a_path_is_an_error_of_its_engine(start: Start, identity: Any) -> None:
    with Engine(start({"/nodes": [{"ID": identity}]}), timeout=10) as engine, pytest.raises(EngineTrouble):
        nodes_of(engine)


@pytest.mark.parametrize("answer", [[3], [{}], [{"ID": 3}], {"a": 1}, [{"Status": 3, "NodeID": "n"}], b"[", b"{},"])
def test_answers_of_a_swarm_are_errors_of_its_engine(start: Start, answer: Any) -> None:
    with Engine(start({"/nodes": answer, "/tasks": answer}), timeout=10) as engine, cheap():
        for ask in (lambda: nodes_of(engine), lambda: tasks_of(engine, {"run": "s"})):
            with contextlib.suppress(EngineTrouble):
                ask()
