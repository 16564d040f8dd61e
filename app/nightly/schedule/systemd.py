"""A systemd timer for `edge-bench nightly`: its files, checked before they are installed, and its removal."""

import contextlib
import datetime
import importlib.metadata
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_bench.app.render.escaping import one_line
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import read_text_or_empty, write_atomically
from edge_bench.bench.io.python_process import PACKAGE

__all__ = ["Timer", "units_of"]

_MARK = "# Written by `edge-bench schedule install`."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_SECONDS = 60
#: What to do without a systemd.
_OTHERWISE = "--compose FILE for a service of Docker Compose, or begin `edge-bench nightly` with cron"
_NO_SYSTEM = f"use {_OTHERWISE}"
_NO_USER = f"log in as this user with ssh or at the machine and repeat it, use --system as root, or {_OTHERWISE}"
_SYSTEM_FOLDER = Path("/etc/systemd/system")

_SERVICE = """{mark}
[Unit]
Description=edge-bench nightly with {file}{purpose}
{after}
[Service]
Type=oneshot
ExecStart={command}
WorkingDirectory={folder}
{environment}# 3: a change was found, and notifications told of it
SuccessExitStatus=3
# a night may take hours; `systemctl stop` lets it keep its trials
TimeoutStartSec=infinity
TimeoutStopSec=90
KillMode=mixed
# Nothing here limits CPU, memory or system calls, because that would change the measured times. Models run in the
# sandbox of edge-bench. Private temporary files would hide other runs on this machine from it.
{hardening}{install}"""
_TIMER = """{mark}
[Unit]
Description=edge-bench nightly with {file}, every day at {at}

[Timer]
OnCalendar=*-*-* {at}:00
# a night that was missed while the machine was off begins after the start
Persistent=true
AccuracySec=1s
RandomizedDelaySec=0

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class Timer:
    """The timer and the services of one name, of this user or of the system."""

    name: str
    system: bool

    def __post_init__(self) -> None:
        """Check the name."""
        if not _NAME.fullmatch(self.name):
            raise BadInput(
                f"--name {self.name[:60]!r}: not a name", "use letters, digits, - and _, at most 60 characters"
            )

    @property
    def folder(self) -> Path:
        """The folder of the units."""
        if self.system:
            return _SYSTEM_FOLDER
        config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        return Path(config).expanduser() / "systemd" / "user"

    @property
    def files(self) -> list[Path]:
        """The service, its timer, and the service that continues an interrupted night after a start."""
        return [self.folder / name for name in _names(self.name)]

    def install(self, settings: Path, at: datetime.time) -> list[str]:
        """Write the units and start the timer; return lines about it.

        Raise EdgeBenchError if the units are not valid, cannot be written, or if systemd does not start the timer. Then
        the units are as they were before.
        """
        units = units_of(self.name, settings, at, system=self.system)
        for path in self.files:
            self._require_own(path)
        checked = _verified(units, system=self.system)
        before = {path: path.read_bytes() if path.exists() else None for path in self.files}
        self._systemctl("show-environment")  # whether there is a systemd, before anything is written
        try:
            # a new time of today that has passed is no missed night
            _called(self._command("stop", self.files[1].name))
            for path in self.files:
                _write(path, units[path.name].encode(), system=self.system)
            self._systemctl("daemon-reload")
            self._forget()
            self._systemctl("enable", "--now", self.files[1].name)
            self._systemctl("enable", self.files[2].name)  # not now: only after a start of the machine
        except BaseException:
            self._restore(before)
            raise
        lines = [*(f"written: {path}" for path in self.files), checked]
        if not self.system:
            lines.append("a user's timer runs only while the user is logged in, unless `loginctl enable-linger` is set")
        return lines

    def show(self) -> str:
        """Return the units and when the timer runs next. Raise BadInput if they are not installed."""
        texts = [f"# {path}\n{read_text_or_empty(path).rstrip()}" for path in self.files if path.is_file()]
        if not texts:
            raise BadInput(f"{self.folder}: no timer {self.name}", "make one with `edge-bench schedule install`")
        found = _called(self._command("list-timers", "--all", "--no-pager", self.files[1].name))
        state = found.stdout.strip() if found and not found.returncode else "systemd does not answer, so it may not run"
        return "\n\n".join([*texts, state])

    def remove(self) -> list[str]:
        """Stop the timer and remove the units; return lines about it."""
        present = [path for path in self.files if path.is_file()]
        if not present:
            raise BadInput(f"{self.folder}: no timer {self.name}", "see `edge-bench schedule show`")
        for path in present:
            self._require_own(path)
        stopped = _called(self._command("disable", "--now", self.files[1].name))
        _called(self._command("disable", self.files[2].name))
        self._forget()
        for path in present:
            try:
                path.unlink()
            except OSError as cause:
                raise BadInput(f"{path}: cannot be removed: {cause.strerror}", "run it as root") from None
        _called(self._command("daemon-reload"))
        lines = [f"removed: {path}" for path in present]
        if stopped is None or stopped.returncode:
            lines.append("systemd does not answer; a timer that still runs ends with its session")
        return lines

    def _require_own(self, path: Path) -> None:
        if path.exists() and not read_text_or_empty(path).startswith(_MARK):
            raise BadInput(f"{path}: not written by edge-bench, so it is left as it is", "choose another --name")

    def _command(self, *arguments: str) -> list[str]:
        return ["systemctl", *([] if self.system else ["--user"]), *arguments]

    def _systemctl(self, *arguments: str) -> None:
        command = self._command(*arguments)
        found = _called(command)
        if found is None or found.returncode:
            said = one_line(found.stderr.strip().split("\n")[-1]) if found else "there is no systemctl"
            raise EdgeBenchError(
                f"no timer was installed: `{' '.join(command)}`: {said}", _NO_SYSTEM if self.system else _NO_USER
            )

    def _forget(self) -> None:
        """Remove the time of the last night, after which another timer of this name would have missed one."""
        cleaned = _called(self._command("clean", "--what=state", self.files[1].name))
        if cleaned is None or cleaned.returncode:  # without D-Bus
            data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
            state = Path("/var/lib") if self.system else data
            with contextlib.suppress(OSError):
                (state / "systemd" / "timers" / f"stamp-{self.files[1].name}").unlink()

    def _restore(self, before: Mapping[Path, bytes | None]) -> None:
        """Put back the units of an earlier timer, or none; and tell systemd."""
        for path in self.files[1:]:
            if before[path] is None:
                _called(self._command("disable", "--now", path.name))
        with contextlib.suppress(OSError):
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    write_atomically(path, content)
        _called(self._command("daemon-reload"))
        if before[self.files[1]] is not None:
            _called(self._command("start", self.files[1].name))


def units_of(name: str, settings: Path, at: datetime.time, *, system: bool) -> dict[str, str]:
    """Return the text of each unit by its file name."""
    service, timer, resume = _names(name)
    target = "multi-user.target" if system else "default.target"
    file = one_line(str(settings)).replace("%", "%%")
    return {
        service: _service(settings, system=system),
        timer: _TIMER.format(mark=_MARK, file=file, at=f"{at:%H:%M}"),
        resume: _service(
            settings, "--resume", system=system, purpose=": continue a night that was interrupted",
            # A night that was missed begins after this one, because both need the quiet machine. Without After=, the
            # target would wait for the end of this night: systemd orders a target after what it wants.
            before=f"Before={service}\nAfter={target}\n", install=f"\n[Install]\nWantedBy={target}\n",
        ),
    }  # fmt: skip


def _names(name: str) -> tuple[str, str, str]:
    return f"{name}.service", f"{name}.timer", f"{name}-resume.service"


def _service(
    settings: Path, *options: str, system: bool, purpose: str = "", before: str = "", install: str = ""
) -> str:
    """Return the text of a service that runs `nightly` with these options."""
    command = [sys.executable, "-P", "-m", "edge_bench", "nightly", str(settings), "--quiet", *options]
    environment = "" if _is_installed() else f"Environment={_quoted(f'PYTHONPATH={PACKAGE.parent}')}\n"
    after = "Wants=network-online.target\nAfter=network-online.target\n" if system else ""
    hardening = ["ProtectSystem=full", "ProtectControlGroups=yes"] if system else []
    if system:
        hardening.insert(0, f"User={_owner(settings)}")
    return _SERVICE.format(
        mark=_MARK, file=one_line(str(settings)).replace("%", "%%"), purpose=purpose, after=f"{after}{before}",
        command=" ".join(map(_quoted, command)), folder=str(settings.parent).replace("%", "%%"),
        environment=environment, hardening="".join(f"{line}\n" for line in hardening), install=install,
    )  # fmt: skip


def _owner(path: Path) -> str:
    """Return the name of a file's owner, or the number if it has none."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _write(path: Path, content: bytes, *, system: bool) -> None:
    try:
        write_atomically(path, content)
    except OSError as cause:
        raise unwritable(path, cause, "run it as root" if system else "check the folder", BadInput) from None


def _quoted(text: str) -> str:
    """Return a word of a command in a unit: systemd expands % and $ in it."""
    if not text.isprintable():
        raise BadInput(f"{text!r}: a control character in a path", "move the file")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _is_installed() -> bool:
    try:
        importlib.metadata.distribution("edge-bench")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _verified(units: dict[str, str], *, system: bool) -> str:
    """Check units with `systemd-analyze verify`; raise EdgeBenchError for what it reports. Return whether it did."""
    if shutil.which("systemd-analyze") is None:
        return "not checked, because there is no systemd-analyze"
    with tempfile.TemporaryDirectory(prefix="edge-bench-units-") as folder:
        for name, text in units.items():
            Path(folder, name).write_text(text)
        paths = [str(Path(folder, name)) for name in units]
        # a user's manager is looked for in this folder, which a session without a login lacks
        runtime = os.environ.get("XDG_RUNTIME_DIR") or folder
        for options in (["--recursive-errors=no"], []):  # systemd 249 and older lack this option
            command = ["systemd-analyze", *([] if system else ["--user"]), *options, "verify", *paths]
            found = _called(command, XDG_RUNTIME_DIR=runtime, LC_ALL="C.UTF-8")
            if not (found and found.returncode and "unrecognized option" in found.stderr):
                break
    if found is None or found.returncode:
        said = one_line((found.stderr.strip().split("\n") or [""])[0]) if found else "no answer"
        raise EdgeBenchError(f"systemd-analyze does not accept the units: {said}", "report it")
    return "checked by systemd-analyze verify"


def _called(command: list[str], **environment: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, **environment},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
