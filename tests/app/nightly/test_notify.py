"""Notifications through real receivers on this machine: an HTTP server, a command, a script instead of sendmail."""

import email
import email.policy
import http.server
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.nightly.notify import channels
from edge_bench.app.nightly.notify.message import message_of
from edge_bench.app.nightly.notify.send import send, send_again
from edge_bench.app.nightly.settings.reading import read_settings
from edge_bench.app.nightly.settings.records import NotifyTable
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.nights.files import read_recent_nights, write_night
from edge_bench.bench.records.nights.night import Finding, Night, NightState, Rule, SilentEngine, TimeRatio
from edge_bench.bench.records.run import Configuration
from tests.command_line import Refuses, call_here
from tests.made.nights.fleet import settings_file

FINDING = Finding(
    model="digits", engine="pi5", machine="pi5 (arm64)",
    configuration=Configuration(variant="int8", runtime="litert", threads=1, batch_size=1), verdict="slower",
    rule=Rule.HISTORY, since_night=5, since="2026-03-05T02:31:00+00:00", ratio=TimeRatio(1.05, 1.04, 1.06),
    nights_before=9, nights_after=2, differences=["kernel 6.1 → 6.6"], reported=True,
)  # fmt: skip
NIGHT = Night(
    number=6, began="2026-03-06T02:30:00+00:00", findings=[FINDING],
    silent=[SilentEngine(engine="pi4", nights=2, since_night=5, since="2026-03-05T02:30:00+00:00", reported=True)],
)  # fmt: skip


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers with the next of the server's statuses; the last one is repeated."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.got.append((dict(self.headers), json.loads(body)))
        status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
        self.send_response(status)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Server(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.got: list[tuple[dict[str, str], dict[str, object]]] = []
        self.statuses = [204]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(channels, "_FIRST_PAUSE_SECONDS", 0.0)
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def script(folder: Path, text: str, name: str = "program") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def deliveries(night: Night) -> dict[str, tuple[bool, int]]:
    return {each.channel: (each.sent, each.attempts) for each in night.deliveries}


def test_all_channels_get_what_changed_where_and_since_when(tmp_path: Path, server: Server) -> None:
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "token").chmod(0o600)
    table = NotifyTable(
        command=[script(tmp_path, f'cat > {tmp_path}/told\nprintf %s "$EDGE_BENCH_SUBJECT" > {tmp_path}/subject')],
        webhook=server.url, webhook_token_file=str(tmp_path / "token"),
        mail_to=["a@example.org", "b@example.org"], mail_from="bench@example.org",
        sendmail=script(tmp_path, f'cat > {tmp_path}/mail; echo "$@" > {tmp_path}/arguments', "sendmail"),
    )  # fmt: skip
    night = send(NIGHT, table, tmp_path)
    assert deliveries(night) == {"command": (True, 1), "webhook": (True, 1), "mail": (True, 1)}
    assert read_recent_nights(tmp_path, 1)[0] == [night]

    subject = (tmp_path / "subject").read_text()
    for part in ("Slower", "pi5", "2026-03-05", "night 5", "1.05×", "[1.04, 1.06]"):
        assert part in subject
    headers, body = server.got[0]
    assert headers["Authorization"] == "Bearer secret"
    assert body == json.loads((tmp_path / "told").read_text())
    assert body["subject"] == subject
    assert [change["engine"] for change in body["changes"]] == ["pi5"]  # type: ignore[attr-defined]
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(), policy=email.policy.default)
    assert mail["To"] == "a@example.org, b@example.org"
    assert "pi5" in mail["Subject"]
    assert "kernel 6.1 → 6.6" in mail.get_content()
    assert "pi4" in mail.get_content()
    assert (tmp_path / "arguments").read_text().split()[-3:] == ["--", "a@example.org", "b@example.org"]


@pytest.mark.parametrize(
    ("statuses", "sent", "attempts"),
    [([500, 503, 200], True, 3), ([500], False, 3), ([429, 200], True, 2), ([404], False, 1), ([307], False, 1)],
)
def test_a_webhook_is_tried_again_only_if_that_may_help(
    statuses: list[int], sent: bool, attempts: int, tmp_path: Path, server: Server
) -> None:
    server.statuses = list(statuses)
    night = send(NIGHT, NotifyTable(webhook=server.url), tmp_path)
    assert deliveries(night) == {"webhook": (sent, attempts)}
    assert len(server.got) == attempts
    assert all(str(status) in night.deliveries[0].reason for status in statuses if not sent)


def _say_hello(listener: socket.socket) -> None:
    with listener.accept()[0] as connection:
        connection.sendall(b"hello\r\n\r\n")


@pytest.mark.parametrize("kind", ["closed", "silent", "no HTTP"])
def test_a_webhook_that_does_not_answer_does_not_stop_the_night(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(channels, "_TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if kind == "closed":
            listener.close()
        elif kind == "no HTTP":
            thread = threading.Thread(target=_say_hello, args=(listener,), daemon=True)
            thread.start()
        # a table from a file has at least one second
        night = send(NIGHT, NotifyTable(webhook=f"http://127.0.0.1:{port}/", timeout=0.1), tmp_path)
    assert deliveries(night) == {"webhook": (False, 1)}
    assert night.deliveries[0].reason


def test_a_webhook_without_a_valid_certificate_gets_nothing(tmp_path: Path, server: Server) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    night = send(NIGHT, NotifyTable(webhook=server.url.replace("http:", "https:"), timeout=5), tmp_path)
    assert not server.got
    assert not night.deliveries[0].sent
    assert "certificate" in night.deliveries[0].reason.lower()


@pytest.mark.parametrize("kind", ["missing", "fails", "hangs", "not a program"])
def test_a_program_that_fails_is_a_reason(kind: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    program = {
        "missing": str(tmp_path / "nowhere"),
        "fails": script(tmp_path, "cat >/dev/null; echo no relay >&2; exit 75", "fails"),
        "hangs": script(tmp_path, "sleep 1000 & wait", "hangs"),
        "not a program": str(tmp_path / "text"),
    }[kind]
    seconds = 0.2 if kind == "hangs" else 60  # less than a second only in tests: files have at least one
    table = NotifyTable(command=[program], mail_to=["a@example.org"], sendmail=program, timeout=seconds)
    night = send(NIGHT, table, tmp_path)
    assert deliveries(night) == {"command": (False, 1), "mail": (False, 1)}
    if kind == "fails":
        assert all("no relay" in each.reason and "75" in each.reason for each in night.deliveries)


def test_only_the_channel_that_failed_is_used_again(tmp_path: Path, server: Server) -> None:
    server.statuses = [404, 204]
    command = [script(tmp_path, f"cat >> {tmp_path}/told", "tell")]
    table = NotifyTable(command=command, webhook=server.url)
    first = send(NIGHT, table, tmp_path)
    assert [each.channel for each in first.unsent] == ["webhook"]
    assert [night.unsent for night in send_again([first], table, tmp_path)] == [[]]
    again = read_recent_nights(tmp_path, 1)[0]
    assert send_again(again, table, tmp_path) == []
    assert (tmp_path / "told").read_text().count('"subject"') == 1
    assert len(server.got) == 2


def test_nothing_is_sent_about_a_night_without_a_change(tmp_path: Path, server: Server) -> None:
    night = msgspec.structs.replace(NIGHT, findings=[], silent=[])
    assert send(night, NotifyTable(webhook=server.url), tmp_path) == night
    assert not server.got


def test_hostile_names_make_no_second_line_or_header(tmp_path: Path) -> None:
    name = "x\r\nBcc: all@example.org\n\x1b[2J\u202e"
    finding = msgspec.structs.replace(FINDING, engine=name, model=name, differences=[name], machine=name)
    message = message_of(msgspec.structs.replace(NIGHT, findings=[finding]), tmp_path)
    assert "\n" not in message.subject
    assert "\x1b" not in message.text + message.subject
    assert not any(line.startswith("Bcc") for line in message.text.splitlines())
    table = NotifyTable(mail_to=["a@example.org"], sendmail=script(tmp_path, f"cat > {tmp_path}/mail", "sendmail"))
    night = msgspec.structs.replace(NIGHT, findings=[finding])
    assert deliveries(send(night, table, tmp_path)) == {"mail": (True, 1)}
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(), policy=email.policy.default)
    assert mail["Bcc"] is None


def test_the_command_sends_again_and_says_what_failed(tmp_path: Path, refuses: Refuses) -> None:
    text = '[notify]\ncommand = ["./nowhere"]\n'
    path = settings_file(tmp_path, text)
    settings = read_settings(path)
    write_night(send(NIGHT, settings.notify, settings.results), settings.results)
    error = refuses("nightly", path, "--notify-again", kind=EdgeBenchError)
    assert error.exit_code == 1
    assert "command" in error.problem
    assert "0 of 1 notification sent" in error.problem
    done = call_here("nightly", path, "--notify-again", cwd=tmp_path)
    assert "sent again" not in done.stdout + done.stderr  # nothing was
    script(tmp_path, f"cat > {tmp_path}/told", "nowhere")
    done = call_here("nightly", path, "--notify-again", cwd=tmp_path)
    assert done.code == 0
    assert "1 notification sent again" in done.stdout + done.stderr
    assert (tmp_path / "told").is_file()


def test_a_notification_that_fails_again_is_an_error_of_a_night_without_a_change(
    tmp_path: Path, refuses: Refuses
) -> None:
    path = settings_file(tmp_path, '[notify]\ncommand = ["./nowhere"]\n')
    settings = read_settings(path)
    ended = msgspec.structs.replace(NIGHT, state=NightState.DONE)
    assert [each.sent for each in send(ended, settings.notify, settings.results).deliveries] == [False]
    # one that is closed, so that nothing has to be measured
    write_night(Night(number=7, began="2026-03-07T02:30:00+00:00"), settings.results)
    error = refuses("nightly", path, "--resume", kind=EdgeBenchError)
    assert error.exit_code == 1
    assert "night 6" in error.problem
    script(tmp_path, f"cat > {tmp_path}/told", "nowhere")
    write_night(Night(number=8, began="2026-03-08T02:30:00+00:00"), settings.results)
    assert call_here("nightly", path, "--resume", cwd=tmp_path).code == 0
    assert (tmp_path / "told").is_file()
