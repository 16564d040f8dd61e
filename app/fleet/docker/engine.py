"""One Docker engine: its connection, its description, and the SDK's clients for it."""

import datetime
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.client import bounded_client, docker_sdk
from edge_bench.app.fleet.docker.errors import EngineTrouble, engine_trouble, one_line, stated_number
from edge_bench.app.fleet.docker.inventory import CONTEXT_IN_USE, EngineSetting
from edge_bench.app.fleet.docker.tunnel import Tunnel, require_ssh
from edge_bench.bench.io.addresses import address_from

__all__ = ["SLOW_SECONDS", "Description", "Engine", "endpoint", "platform_of"]

#: An engine's name of its architecture → platform of the images for it.
PLATFORMS = {
    "x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64",
    "armv7l": "linux/arm/v7", "armv6l": "linux/arm/v6", "i686": "linux/386", "riscv64": "linux/riscv64",
}  # fmt: skip
#: Timeout of requests that respond only when the work is done, such as unpacking an image on a slow SD card.
SLOW_SECONDS = 900.0


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's description of itself and its machine."""

    host: str
    version: str
    api: str
    system: str  # "Raspberry Pi OS …"
    architecture: str  # aarch64
    platform: str  # linux/arm64: the machine's own
    cores: int
    memory_bytes: int
    clock_offset_seconds: int = 0  # of its clock to this machine's, negative if it is behind; 0 if it states no time
    swarm: str = ""  # active · inactive · …
    swarm_manager: bool = False
    node_id: str = ""


def platform_of(architecture: str) -> str:
    """Return the image platform of an architecture: linux/arm64 for ``aarch64``."""
    return PLATFORMS.get(architecture.lower(), f"linux/{architecture.lower()}")


class Engine:
    """A connected engine. Use the SDK's ``client`` within ``trouble``."""

    def __init__(self, setting: EngineSetting, timeout: float = 30) -> None:
        """Connect and describe the engine. Raise EngineTrouble if that fails within ``timeout`` seconds."""
        self.setting, self.timeout = setting, timeout
        self._tunnel: Tunnel | None = None
        self._clients: list[Any] = []
        self._lock = threading.Lock()
        self._url, self._tls = endpoint(setting)
        if self._url.startswith("ssh://"):
            config = Path(setting.ssh_config) if setting.ssh_config else None
            self._tunnel = Tunnel(self._url, config, timeout)
            self._url = self._tunnel.url
        try:
            #: for requests with an immediate response
            self.client: Any = self.new_client(timeout)
            #: for transfers and other long requests
            self.slow_client: Any = self.new_client(max(timeout, SLOW_SECONDS))
            self.description = self._describe()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The name from the fleet file or from the engine's address."""
        return self.setting.name

    @property
    def platform(self) -> str:
        """The platform of the image for this engine."""
        return self.setting.platform or self.description.platform

    @property
    def emulates(self) -> bool:
        """Whether its image is for a platform other than its own."""
        return self.platform != self.description.platform

    def trouble(self, what: str) -> AbstractContextManager[None]:
        """Return a context that raises the engine's errors as EngineTrouble or EngineLost, as "``what``: reason"."""
        return engine_trouble(what, self._tunnel.last_message if self._tunnel else lambda: "")

    def _connection_reason(self) -> str:
        """Return ssh's reason for a failed connection, or that ssh connects but the engine does not answer."""
        if self._tunnel is None:
            return ""
        no_engine = "ssh connects, but no engine answers there"
        return self._tunnel.last_message() or (no_engine if self._tunnel.open else "")

    def new_client(self, timeout: float) -> Any:
        """Return a client with its own connections, which are closed with this engine."""
        with engine_trouble("connecting", self._connection_reason):
            client = bounded_client(
                base_url=self._url, tls=self._tls or False, timeout=timeout, version="auto", max_pool_size=4
            )
        with self._lock:
            self._clients.append(client)
        return client

    def close(self) -> None:
        """Close every connection. It may be called more than once."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        if self._tunnel:
            self._tunnel.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _describe(self) -> Description:
        with self.trouble("connecting"):
            info = self.client.info()
            swarm = info.get("Swarm") or {}
            architecture = one_line(info.get("Architecture", ""), 40)
            return Description(
                host=one_line(info.get("Name", ""), 80),
                version=one_line(info.get("ServerVersion", ""), 40),
                api=one_line(self.client.api.api_version, 20),
                system=one_line(info.get("OperatingSystem", ""), 80),
                architecture=architecture,
                platform=platform_of(architecture),
                cores=stated_number(info.get("NCPU")),
                memory_bytes=stated_number(info.get("MemTotal")),
                clock_offset_seconds=_clock_offset(info.get("SystemTime")),
                swarm=one_line(swarm.get("LocalNodeState", ""), 20),
                swarm_manager=bool(swarm.get("ControlAvailable")),
                node_id=one_line(swarm.get("NodeID", ""), 40),
            )


def _clock_offset(stated: object) -> int:
    """Return how many seconds a clock is ahead of this machine's; ``stated`` is its time as Docker writes it."""
    try:
        there = datetime.datetime.fromisoformat(str(stated))
        return round((there - datetime.datetime.now(datetime.UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):  # TypeError: without a time zone
        return 0


def endpoint(setting: EngineSetting) -> tuple[str, Any]:
    """Return the URL and the TLS configuration of an engine, without connecting.

    Raise EngineTrouble if files of it, or the program ssh, are missing, MissingDependency if the SDK is.
    """
    docker_sdk()
    url, tls = _context_endpoint(setting.context) if setting.context else (setting.url, _tls_config(setting.tls))
    if url.startswith("ssh://"):
        require_ssh()
    return url, tls


def _tls_config(folder: str) -> Any:
    if not folder:
        return None
    docker = docker_sdk()
    files = {name: Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key")}
    if missing := [path for path in files.values() if not path.is_file()]:
        raise EngineTrouble(
            f"connecting: {missing[0]}: no such file", "the TLS folder needs ca.pem, cert.pem and key.pem"
        )
    pair = (str(files["cert"]), str(files["key"]))
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=str(files["ca"]), verify=True)


def _context_endpoint(name: str) -> tuple[str, Any]:
    """Return the URL and the TLS configuration of a Docker context."""
    docker_sdk()
    import docker.context
    import docker.context.config
    import docker.errors

    # the SDK finds contexts only beside a config.json, which `docker context create` does not create
    docker.context.config.get_context_dir = _context_folder
    try:
        context = docker.context.ContextAPI.get_context(None if name == CONTEXT_IN_USE else name)
        host, tls = (context.Host, context.TLSConfig) if context else ("", None)
    except Exception as cause:  # the SDK reads several files without checking them
        reason = (
            one_line(cause) if isinstance(cause, docker.errors.DockerException | OSError) else "its files are damaged"
        )
        raise EngineTrouble(f"connecting: context {name}: {reason}", _SEE_CONTEXTS) from None
    if context is None:
        raise EngineTrouble(f"connecting: no Docker context called {name}", _SEE_CONTEXTS)
    url = str(host or "unix:///var/run/docker.sock")
    try:
        address_from(url)
    except ValueError as cause:
        problem = f"connecting: context {name}: its address {one_line(url, 200)!r} has {cause}"
        raise EngineTrouble(problem, _SEE_CONTEXTS) from None
    return url, tls


def _context_folder() -> str:
    return str(Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts")


_SEE_CONTEXTS = "list contexts with `docker context ls`; addresses begin with ssh://, tcp:// or unix://"
