"""The emulated machine: its disk is built once, then it starts, is reached by ssh, and is switched off.

All files are in one folder: the disk without changes, and one disk per name. The machine has no network except ssh
through a port of this computer's loopback interface.
"""

import contextlib
import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HOST", "USER", "EmulatedPi", "Trouble", "build", "require_programs"]

#: As in the README, so that its commands work unchanged.
USER, HOST = "me", "raspberrypi.local"
SOURCE = Path(__file__).parent
#: Programs, and the packages of Debian 13 that contain them.
PROGRAMS = {"qemu-system-aarch64": "qemu-system-arm", "ssh": "openssh-client", "ssh-keygen": "openssh-client"}
#: Seconds. A start takes half a minute on two idle cores.
_START_SECONDS, _END_SECONDS = 600, 120
_SSH_CONFIG = """Host {host}
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {key}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
"""


#: Machines that this process has started: they go on after it ends.
_started: list["subprocess.Popen[bytes]"] = []


class Trouble(Exception):
    """Something that the user can fix: a program that is missing, a machine that does not start."""


def build(folder: Path) -> None:
    """Build the disk without changes, unless it is there: about ten minutes, with packages from Debian's servers."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "key").exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    if (folder / "base").exists():
        return
    print("building the disk of the emulated Raspberry Pi: about ten minutes", file=sys.stderr, flush=True)
    part = folder / "base.part"
    shutil.rmtree(part, ignore_errors=True)
    key = (folder / "key.pub").read_text().strip()
    built = subprocess.run(
        ["docker", "buildx", "build", "--quiet", "--provenance=false", "--build-arg", f"PUBLIC_KEY={key}",
         "--output", f"type=local,dest={part}", SOURCE],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if built.returncode:
        raise Trouble(f"the disk could not be built: {built.stderr[-2000:]}")
    part.rename(folder / "base")


def require_programs() -> None:
    """Raise Trouble that names every missing program."""
    missing = {package for program, package in PROGRAMS.items() if not shutil.which(program)}
    if missing:
        raise Trouble(f"missing programs: sudo apt-get install {' '.join(sorted(missing))}")
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "buildx", "version"], capture_output=True, check=False).returncode:
        raise Trouble("Docker with buildx is missing: install it, or start its engine")


@dataclass(frozen=True)
class EmulatedPi:
    """A machine with a disk of its own, running or not."""

    folder: Path
    name: str = "raspberrypi"
    port: int = 2222
    memory_mb: int = 2048
    cores: int = 2
    core: str = "cortex-a72"  # of a Raspberry Pi 4
    disk_gb: int = 8
    clock: str = "utc"  # or the time to start with, such as 2025-11-27T12:00:00

    @property
    def disk(self) -> Path:
        """The file of its disk."""
        return self.folder / f"{self.name}.img"

    @property
    def ssh_config(self) -> Path:
        """A configuration of ssh that knows this machine."""
        return self.folder / f"{self.name}.ssh_config"

    @property
    def programs(self) -> Path:
        """A folder for PATH: its ``ssh`` and ``scp`` know this machine by the name in the README."""
        return self.folder / f"{self.name}.bin"

    @property
    def log(self) -> Path:
        """The machine's console."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start the machine and wait until ssh and Docker answer. Its disk is made if there is none."""
        if self.process_id():
            raise Trouble(f"{self.name} is running already")
        self.write_programs()
        if not self.disk.exists():
            subprocess.run(["cp", "--sparse=always", self.folder / "base/disk.img", self.disk], check=True)
            os.truncate(self.disk, self.disk_gb << 30)
        with self.log.open("wb") as console:
            process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        _started.append(process)
        (self.folder / f"{self.name}.pid").write_text(str(process.pid))
        self._wait(process)

    def process_id(self) -> int | None:
        """Return the process of the running machine, None if it is off."""
        with contextlib.suppress(OSError, ValueError):
            process = int((self.folder / f"{self.name}.pid").read_text())
            if b"qemu-system" in Path(f"/proc/{process}/cmdline").read_bytes():
                return process
        return None

    def ssh(self, command: str, *, user: str = USER, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
        """Execute a command there."""
        return subprocess.run(
            ["ssh", "-F", self.ssh_config, "-o", "ConnectTimeout=10", f"{user}@{HOST}", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def shut_down(self) -> None:
        """Shut it down; cut its power if it does not answer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.ssh("poweroff", user="root", timeout=30)
            if self._ended(_END_SECONDS):
                return
        self.cut_power()

    def cut_power(self) -> None:
        """Switch it off at once: what its kernel has not written to the disk is lost."""
        if process := self.process_id():
            os.kill(process, signal.SIGKILL)
            self._ended(_END_SECONDS)

    def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (process := self.process_id()) and time.monotonic() < deadline:
            for each in _started:
                each.poll()  # otherwise it remains as a zombie
            time.sleep(0.2)
        return process is None

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                if self.ssh("docker version >/dev/null", timeout=60).returncode == 0:
                    return
            time.sleep(1)
        last = self.log.read_text(errors="replace")[-1000:]
        process.kill()
        process.wait()
        raise Trouble(f"{self.name} did not start; the end of {self.log}:\n{last}")

    def _command(self) -> Sequence[str | Path]:
        base = self.folder / "base"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise Trouble(f"port {self.port} is in use: choose another with --port")
        # the Raspberry Pi's firmware switches the memory controller of cgroups off, too
        arguments = f"root=/dev/vda rw console=ttyAMA0 cgroup_disable=memory systemd.hostname={self.name}"
        if self.clock != "utc":  # systemd would not accept a clock from before its own release
            began = dt.datetime.fromisoformat(self.clock).replace(tzinfo=dt.UTC)
            arguments += f" systemd.clock_usec={int(began.timestamp())}000000"
        return [
            "qemu-system-aarch64", "-M", "virt", "-cpu", self.core, "-smp", str(self.cores), "-m", str(self.memory_mb),
            "-kernel", base / "vmlinuz", "-initrd", base / "initrd", "-append", arguments,
            "-drive", f"file={self.disk},format=raw,if=virtio",
            "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22",
            "-device", "virtio-net-pci,netdev=net,romfile=", "-rtc", f"base={self.clock}", "-nographic", "-no-reboot",
        ]  # fmt: skip

    def write_programs(self) -> None:
        """Write ``ssh_config`` and ``programs``, which call the real programs, although PATH may begin with these."""
        settings = {"host": HOST, "port": self.port, "user": USER, "key": self.folder / "key"}
        self.ssh_config.write_text(_SSH_CONFIG.format(**settings))
        self.ssh_config.chmod(0o600)
        self.programs.mkdir(exist_ok=True)
        for name in ("ssh", "scp"):
            others = (Path(each) for each in os.get_exec_path() if Path(each).resolve().parent != self.folder.resolve())
            real = next(path for each in others if (path := each / name).exists())
            (self.programs / name).write_text(f'#!/bin/sh\nexec {real} -F "{self.ssh_config}" "$@"\n')
            (self.programs / name).chmod(0o755)
