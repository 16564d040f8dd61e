"""The comment of the action: one for each gate, updated, and never a reason to fail."""

import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import REPOSITORY
from tests.github.api import Comments, github_api

MARKER = "<!-- edge-bench gate: model.tflite -->"


@pytest.fixture
def api() -> Iterator[Comments]:
    with github_api() as comments:
        yield comments


def write(folder: Path, api: Comments, text: str, event: Any = None, **changes: str) -> str:
    """Run the step; return what it prints."""
    event = {"pull_request": {"number": 7}} if event is None else event
    (folder / "event.json").write_text(json.dumps(event))
    (folder / "comment.md").write_text(text)
    environment = {
        "GITHUB_API_URL": api.url,
        "GITHUB_REPOSITORY": "someone/models",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "RESULTS": str(folder),
        "COMMENT": "true",
        "NAME": "model.tflite",
        "TOKEN": "token",
    }
    done = subprocess.run(
        [sys.executable, REPOSITORY / "action" / "comment.py"], env=environment | changes, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_comment_is_updated_and_others_stay(api: Comments, tmp_path: Path) -> None:
    api.add(7, f"I quote: {MARKER}")
    api.add(8, f"{MARKER}\nof another pull request")
    for text in ("first", "second"):
        write(tmp_path, api, text)
    write(tmp_path, api, "of another model", NAME="other.tflite")
    assert api.of(7) == [
        f"I quote: {MARKER}",
        f"{MARKER}\nsecond",
        f"{MARKER.replace('model', 'other')}\nof another model",
    ]
    assert api.of(8) == [f"{MARKER}\nof another pull request"]


def test_the_earlier_comment_is_found_among_hundreds(api: Comments, tmp_path: Path) -> None:
    for number in range(250):
        api.add(7, f"comment {number}")
    mine = api.add(7, f"{MARKER}\nfirst")
    write(tmp_path, api, "second")
    assert api.by_id[mine] == (7, f"{MARKER}\nsecond")
    assert len(api.of(7)) == 251


@pytest.mark.parametrize("denied", [{"POST"}, {"GET", "POST"}])
def test_without_permission_there_is_a_warning(denied: set[str], api: Comments, tmp_path: Path) -> None:
    api.denied = frozenset(denied)
    assert "::warning::" in write(tmp_path, api, "text")
    assert api.of(7) == []


def test_a_comment_of_someone_else_is_left_and_one_of_this_token_is_updated(api: Comments, tmp_path: Path) -> None:
    api.foreign = frozenset({api.add(7, f"{MARKER}\nof another token")})
    for text in ("first", "second"):
        write(tmp_path, api, text)
    assert api.of(7) == [f"{MARKER}\nof another token", f"{MARKER}\nsecond"]


def test_a_server_error_is_tried_again_and_a_lasting_one_is_a_warning(api: Comments, tmp_path: Path) -> None:
    api.failures = 2
    assert "::warning::" not in write(tmp_path, api, "text")
    assert len(api.of(7)) == 1
    api.failures = 3
    assert "::warning::" in write(tmp_path, api, "text")
    unreachable = Comments(url="http://127.0.0.1:9")  # nothing listens there
    assert "::warning::" in write(tmp_path, unreachable, "text")


def test_pushes_and_comment_false_write_nothing(api: Comments, tmp_path: Path) -> None:
    write(tmp_path, api, "text", event={"before": "abc"})
    write(tmp_path, api, "text", COMMENT="false")
    assert api.requests == []


def test_a_long_comment_is_cut_and_a_name_cannot_end_the_marker(api: Comments, tmp_path: Path) -> None:
    write(tmp_path, api, "x" * 70_000, NAME="a --> b")
    (body,) = api.of(7)
    assert len(body) == 65_536
    assert body.splitlines()[0].count("-->") == 1


def test_a_comment_whose_answer_is_lost_is_not_added_again(api: Comments, tmp_path: Path) -> None:
    api.lost = 2
    assert "::warning::" not in write(tmp_path, api, "text")
    assert api.of(7) == [f"{MARKER}\ntext"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"])
def test_an_answer_that_is_none_is_a_warning(answer: bytes, tmp_path: Path) -> None:
    """A proxy, or a connection that is reset while the answer is awaited."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_all, args=(server, answer), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert "::warning::" in write(tmp_path, Comments(url=address), "text")


def answer_all(server: socket.socket, answer: bytes) -> None:
    """Answer the three attempts with ``answer``, and reset the connections."""
    for _ in range(3):
        connection, _ = server.accept()
        connection.recv(65_536)
        connection.sendall(answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", not answer, 0))
        connection.close()


def test_the_comment_names_the_commits_that_were_compared(tmp_path: Path) -> None:
    """If a later commit cannot be compared, the comment remains that of an earlier one."""
    inputs = ("BASELINE", "RUN_OPTIONS", "FAIL_IF_SLOWER", "FAIL_IF_ACCURACY_DROPS", "FAIL_IF_QUALITY_DROPS")
    environment = {
        **dict.fromkeys(inputs, ""),
        "MODEL": "model.tflite",
        "HEAD_COMMIT": "a" * 40,
        "BASE_COMMIT": "b" * 40,
        "RESULTS": str(tmp_path / "results"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    # without a limit, the step ends at once
    subprocess.run([sys.executable, REPOSITORY / "action" / "measure.py"], env=environment, check=True, timeout=60)
    assert f"Commit {'a' * 12} compared with commit {'b' * 12}," in (tmp_path / "results" / "comment.md").read_text()
