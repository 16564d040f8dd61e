"""The ways to send a notification: a command, a webhook, sendmail. A failure is a reason, never an error."""

import email.message
import email.policy
import email.utils
import http.client
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_bench.app.nightly.notify.message import Message
from edge_bench.app.nightly.settings.records import NotifyTable
from edge_bench.app.render.escaping import one_line
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import foreign_writer, read_bounded, why_unreadable
from edge_bench.bench.version import __version__

__all__ = ["CHANNELS", "channel_problems", "channels_of"]

_MAX_REASON, _MAX_TOKEN_BYTES = 300, 16 << 10
_TRIES, _FIRST_PAUSE_SECONDS = 3, 1.0
_RETRIED = (408, 425, 429)  # and every 5xx

#: Sends a message and returns why it was not sent, or an empty text, and the number of attempts.
Channel = Callable[[Message, NotifyTable], tuple[str, int]]


def channels_of(table: NotifyTable) -> list[str]:
    """Return the names of the channels that are set up."""
    is_set = {"command": bool(table.command), "webhook": bool(table.webhook), "mail": bool(table.mail_to)}
    return [name for name in CHANNELS if is_set[name]]


def channel_problems(table: NotifyTable) -> list[str]:
    """Return why channels that are set up cannot send anything, as far as this can be known without sending."""
    checks: dict[str, Callable[[], str]] = {
        "command": lambda: _program_problem(table.command[0]),
        "webhook": lambda: _token_problem(table.webhook_token_file),
        "mail": lambda: _program_problem(table.sendmail),
    }
    return [f"{name}: {problem}" for name in channels_of(table) if (problem := checks[name]())]


def _program_problem(program: str) -> str:
    return "" if shutil.which(program) else f"{program}: no such program, or it may not be started"


def _token_problem(token_file: str) -> str:
    try:
        _authorization(token_file)
    except BadInput as cause:
        return cause.problem
    return ""


def _command(message: Message, table: NotifyTable) -> tuple[str, int]:
    """Run a program with the message as JSON on stdin, and its main parts in the environment."""
    environment = {
        **os.environ,
        "EDGE_BENCH_SUBJECT": message.subject,
        "EDGE_BENCH_NIGHT": str(message.night),
        "EDGE_BENCH_NIGHT_RESULTS": message.results,
    }
    return _ran(table.command, message.as_json(), table.timeout, environment), 1


def _mail(message: Message, table: NotifyTable) -> tuple[str, int]:
    mail = email.message.EmailMessage(policy=email.policy.SMTP.clone(linesep="\n"))
    sender = table.mail_from or f"edge-bench@{socket.gethostname()}"
    try:
        mail["Subject"] = f"edge-bench: {message.subject}"
        mail["From"], mail["To"] = sender, ", ".join(table.mail_to)
        mail["Date"] = email.utils.formatdate(localtime=True)
        mail["Message-ID"] = email.utils.make_msgid(
            f"edge-bench-night-{message.night}", domain=sender.rpartition("@")[2]
        )
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
        mail.set_content(message.text)
        data = mail.as_bytes()
    except (ValueError, IndexError) as cause:
        return f"the mail cannot be written: {why_unreadable(cause)}", 0
    # -i: a line with a single dot does not end the message; -f: the sender of bounces
    command = [table.sendmail, "-i", "-f", sender, "--", *table.mail_to]
    return _ran(command, data, table.timeout, dict(os.environ)), 1


def _ran(command: list[str], data: bytes, seconds: float, environment: dict[str, str]) -> str:
    """Run a program with ``data`` on stdin, and return why it failed; empty if it did not."""
    name = Path(command[0]).name
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as cause:
        return f"{command[0]}: cannot be started: {why_unreadable(cause)}"
    try:
        _, errors = process.communicate(data, timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill_group(process)
        return f"{name} did not end within {seconds:g} s"
    except BaseException:
        _kill_group(process)
        raise
    if not process.returncode:
        return ""
    lines = errors.decode(errors="replace").strip().splitlines()
    said = f": {one_line(lines[-1])}" if lines else ""
    return f"{name} ended with exit code {process.returncode}{said}"[:_MAX_REASON]


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and all that it started, so that none of them holds the pipe of its errors."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stderr):
        if stream:
            stream.close()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: a token must not reach another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def _webhook(message: Message, table: NotifyTable) -> tuple[str, int]:
    """Send a POST request. TLS certificates are verified. Failures of the network and the server are tried again."""
    headers = {"Content-Type": "application/json", "User-Agent": f"edge-bench/{__version__}"}
    try:
        headers |= _authorization(table.webhook_token_file)
    except BadInput as cause:
        return cause.problem, 0
    reason, pause = "", _FIRST_PAUSE_SECONDS
    for attempt in range(1, _TRIES + 1):
        reason, again = _posted(table.webhook, message.as_json(), headers, table.timeout)
        if not again:
            return reason, attempt
        if attempt < _TRIES:
            time.sleep(pause)
            pause *= 2
    return reason, _TRIES


def _posted(url: str, data: bytes, headers: dict[str, str], seconds: float) -> tuple[str, bool]:
    """Send one request; return why it failed, or an empty text, and whether to try again.

    The timeout of a socket is for each read. A thread limits the whole request, whose headers could come byte by byte.
    """
    answers: list[tuple[str, bool]] = []
    thread = threading.Thread(target=lambda: answers.append(_post(url, data, headers, seconds)), daemon=True)
    thread.start()
    thread.join(2 * seconds)
    return answers[0] if answers else (f"the webhook did not answer within {2 * seconds:g} s", True)


def _post(url: str, data: bytes, headers: dict[str, str], seconds: float) -> tuple[str, bool]:
    request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310 - the settings allow http(s) only
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=seconds):
            return "", False
    except urllib.error.HTTPError as cause:
        cause.close()
        return f"the webhook answered with status {cause.code}", cause.code >= 500 or cause.code in _RETRIED
    except (OSError, ValueError) as cause:  # includes URLError, timeouts and certificates that are not valid
        return f"the webhook cannot be reached: {_cause(cause)}"[:_MAX_REASON], True
    except http.client.HTTPException as cause:
        return f"the webhook's answer is not HTTP: {type(cause).__name__}", True


def _authorization(token_file: str) -> dict[str, str]:
    if not token_file:
        return {}
    try:
        if reason := foreign_writer(Path(token_file)):
            raise BadInput(f"{token_file}: not used, because {reason}")
        token = read_bounded(Path(token_file), _MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, ValueError) as cause:
        raise BadInput(f"{token_file}: cannot be read: {why_unreadable(cause)}") from None
    if not token or not token.isprintable():
        raise BadInput(f"{token_file}: not a token")
    return {"Authorization": f"Bearer {token}"}


def _cause(cause: Exception) -> str:
    inner = getattr(cause, "reason", None)
    return one_line(why_unreadable(inner if isinstance(inner, Exception) else cause))


#: In the order in which they are tried.
CHANNELS: dict[str, Channel] = {"command": _command, "webhook": _webhook, "mail": _mail}
