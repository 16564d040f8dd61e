"""Docker engines that tests start on this machine, each with its own socket, data and processes.

Each engine runs in its own network namespace, and a bridge in another namespace connects them. An engine changes the
interfaces and filters of its namespace, and this machine may have an engine of its own.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest
import trustme

STARTS_WITHIN = 60


@dataclass
class Dockerd:
    """One engine with its own containerd."""

    name: str
    root: Path
    namespace: str
    address: str  # in the namespace
    containerd_store: bool = False
    tls: Path | None = None  # a folder with a client's ca.pem, cert.pem and key.pem
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def socket(self) -> Path:
        return self.root / "docker.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tls_url(self) -> str:
        return f"tcp://{self.address}:2376"

    def with_tls(self) -> None:
        """Make certificates, so that the engine also listens on its network. Call this before ``start``."""
        authority, self.tls = trustme.CA(), self.root / "tls"
        self.tls.mkdir(parents=True)
        client_certificate(authority, self.tls)
        server = authority.issue_cert(self.address)
        server.private_key_and_cert_chain_pem.write_to_path(self.root / "server.pem")

    def start(self) -> None:
        """Start the engine and wait until it answers. Skip the test if it does not start."""
        self.root.mkdir(parents=True, exist_ok=True)
        server = self.root / "server.pem"
        network = [
            "--host", self.tls_url, "--tlsverify", "--tlscacert", str(self.tls / "ca.pem"),
            "--tlscert", str(server), "--tlskey", str(server),
        ] if self.tls else []  # fmt: skip
        features = {"features": {"containerd-snapshotter": self.containerd_store}}
        (self.root / "daemon.json").write_text(json.dumps(features))
        # a swarm identifies the engine by its host name; `ip netns exec` would hide the control groups
        renamed = f'hostname {self.name} && exec "$0" "$@"'
        inside = ["nsenter", f"--net=/run/netns/{self.namespace}", "unshare", "--uts", "sh", "-c", renamed]
        for stale in [*self.root.glob("exec/containerd/*.pid"), *self.root.glob("pid")]:
            stale.unlink()
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *inside, "dockerd", "--host", self.url, "--config-file", str(self.root / "daemon.json"),
                    "--data-root", str(self.root / "data"), "--exec-root", str(self.root / "exec"),
                    "--pidfile", str(self.root / "pid"), *network,
                ],
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not start here: {(self.root / 'log').read_text()[-500:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(100)
        return False

    def client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.url, timeout=60)

    def kill(self) -> None:
        """Kill the engine, its containerd and all containers, like a power cut."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def _processes(self) -> list[int]:
        """Return the processes with the engine's folder on their command line, and those in its containers."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if f"{self.root}/exec" in command and command.split(" ", 1)[0].rpartition("/")[2].startswith(
                    ("dockerd", "containerd")
                ):
                    found.append(int(entry.name))
        return [*found, *(child for pid in found for child in _children(pid))]

    def stop(self) -> None:
        """Kill the engine, and remove its mounts and its folder."""
        self.kill()
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            place = line.split()[1]
            if place.startswith(f"{self.root}/"):
                subprocess.run(["umount", "-l", place], check=False, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def leftovers(self) -> list[str]:
        """Return the names of containers, volumes and networks, without the engine's own networks."""
        with contextlib.closing(self.client()) as client:
            networks = [n.name for n in client.networks.list() if n.name not in _OWN_NETWORKS]
            return [
                *(c.name for c in client.containers.list(all=True)),
                *(v.name for v in client.volumes.list()),
                *networks,
            ]


_OWN_NETWORKS = ("bridge", "host", "none", "ingress", "docker_gwbridge")


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_children(int(child))]
    return found


def client_certificate(authority: trustme.CA, folder: Path) -> None:
    """Write the files that Docker's clients expect in a TLS folder."""
    client = authority.issue_cert("desk")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    client.private_key_pem.write_to_path(folder / "key.pem")


@dataclass
class Network:
    """Network namespaces that are connected by a bridge, which is in a namespace, too."""

    names: list[str]
    prefix: str = field(default_factory=lambda: f"ebf{os.getpid()}")

    def start(self) -> dict[str, tuple[str, str]]:
        """Create everything, and return {name: (namespace, address)}."""
        switch = f"{self.prefix}-switch"
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        found = {}
        for number, name in enumerate(self.names, 1):
            namespace, address = f"{self.prefix}-{name}", f"192.168.213.{number}"
            _ip("netns", "add", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
            _ip(
                "-n", switch, "link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", namespace
            )
            _ip("-n", switch, "link", "set", f"port{number}", "master", "switch", "up")
            _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", namespace, "link", "set", "eth0", "up")
            _ip("-n", namespace, "route", "add", "default", "dev", "eth0")
            found[name] = (namespace, address)
        return found

    def plug(self, number: int, *, into: bool) -> None:
        """Disconnect a machine from the bridge, or connect it again (``into``)."""
        _ip("-n", f"{self.prefix}-switch", "link", "set", f"port{number}", "up" if into else "down")

    def stop(self) -> None:
        """Remove the namespaces."""
        for name in [*self.names, "switch"]:
            subprocess.run(["ip", "netns", "del", f"{self.prefix}-{name}"], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass
class Sshd:
    """An sshd on loopback with a temporary key, and the configuration file for ssh."""

    root: Path
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    config: Path = field(default_factory=Path)

    def start(self) -> None:
        """Start sshd and wait until it accepts connections. Skip the test if it does not start."""
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.root / key], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.root / "authorized").write_text((self.root / "user.pub").read_text())
        host_key = (self.root / "host.pub").read_text().split()
        (self.root / "known").write_text(f"[127.0.0.1]:{self.port} {host_key[0]} {host_key[1]}\n")
        (self.root / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.root}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {self.root}/authorized\nStrictModes no\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        self.config = self.root / "ssh_config"
        self.config.write_text(
            f"Host *\n  IdentityFile {self.root}/user\n  IdentitiesOnly yes\n  UserKnownHostsFile {self.root}/known\n"
            "  StrictHostKeyChecking yes\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        with (self.root / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sshd, "-D", "-e", "-f", self.root / "sshd_config"],
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        pytest.skip(f"sshd does not start here: {(self.root / 'log').read_text()[-300:]}")

    def url(self, engine: Dockerd) -> str:
        """Return the engine's address over ssh."""
        return f"ssh://root@127.0.0.1:{self.port}{engine.socket}"

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)


def own_folder() -> Path:
    """Return a temporary folder with a short path, because a socket's path has at most 108 characters."""
    return Path(tempfile.mkdtemp(prefix="eb-fleet-"))


def missing_requirement() -> str:
    """Return why tests cannot start engines on this machine; empty if they can."""
    if os.geteuid() != 0:
        return "starting Docker engines needs root"
    for program, package in (("dockerd", "docker.io"), ("sshd", "openssh-server"), ("ssh-keygen", "openssh-client")):
        if not shutil.which(program) and not Path("/usr/sbin", program).exists():
            return f"{program} is not installed ({package})"
    return ""
