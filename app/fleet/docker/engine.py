"""One Docker engine: how it is reached, what it is, and the SDK's client of it."""

import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.errors import EngineTrouble, engine_trouble, one_line
from edge_bench.app.fleet.docker.inventory import CONTEXT_IN_USE, EngineSetting
from edge_bench.app.fleet.docker.tunnel import Tunnel
from edge_bench.bench.errors import MissingDependency

__all__ = ["SLOW_SECONDS", "Description", "Engine", "platform_of"]

#: What an engine calls its architecture, and what images call the same.
PLATFORMS = {
    "x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64",
    "armv7l": "linux/arm/v7", "armv6l": "linux/arm/v6", "i686": "linux/386", "riscv64": "linux/riscv64",
}  # fmt: skip
#: Work at the other end that says nothing until it is done: unpacking an image on a slow card.
SLOW_SECONDS = 900.0


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine says of itself and its machine."""

    host: str
    version: str
    api: str
    system: str  # "Raspberry Pi OS …"
    architecture: str  # aarch64
    platform: str  # linux/arm64: the machine's own
    cores: int
    memory_bytes: int
    swarm: str = ""  # active · inactive · …
    swarm_manager: bool = False
    node_id: str = ""


def platform_of(architecture: str) -> str:
    """``aarch64`` is linux/arm64."""
    return PLATFORMS.get(architecture.lower(), f"linux/{architecture.lower()}")


class Engine:
    """A connected engine. Every method of the SDK is at hand as ``client``, within ``trouble``."""

    def __init__(self, setting: EngineSetting, timeout: float = 30) -> None:
        """Connects and asks for its version. EngineTrouble with the reason where that fails in ``timeout`` seconds."""
        self.setting, self.timeout = setting, timeout
        self._tunnel: Tunnel | None = None
        self._opened: list[Any] = []
        self._lock = threading.Lock()
        self._url, self._tls = setting.url, self._tls_of(setting.tls)
        if setting.context:
            self._url, self._tls = self._from_context(setting.context)
        if self._url.startswith("ssh://"):
            config = Path(setting.ssh_config) if setting.ssh_config else None
            self._tunnel = Tunnel(self._url, config, timeout)
            self._url = self._tunnel.url
        try:
            #: for everything that answers at once
            self.client: Any = self.another_client(timeout)
            #: for what takes its time
            self.patient: Any = self.another_client(max(timeout, SLOW_SECONDS))
            self.description = self._describe()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The name that the person gave it, or that its address gave."""
        return self.setting.name

    @property
    def platform(self) -> str:
        """Which image it gets."""
        return self.setting.platform or self.description.platform

    @property
    def emulates(self) -> bool:
        """Whether it was told to take another machine's image."""
        return self.platform != self.description.platform

    def trouble(self, what: str) -> AbstractContextManager[None]:
        """Within it everything that goes wrong at the engine is EngineTrouble or EngineLost, with the reason."""
        return engine_trouble(what, self._tunnel.why if self._tunnel else lambda: "")

    def _why_not(self) -> str:
        """Why a new connection fails, where ssh knows: it is there itself, or it says why not."""
        if self._tunnel is None:
            return ""
        return self._tunnel.why() or ("ssh connects, but no engine answers there" if self._tunnel.open else "")

    def another_client(self, timeout: float) -> Any:
        """A client with connections of its own, closed with this engine."""
        with engine_trouble("connecting", self._why_not):
            client = _client(
                base_url=self._url, tls=self._tls or False, timeout=timeout, version="auto", max_pool_size=4
            )
        with self._lock:
            self._opened.append(client)
        return client

    def close(self) -> None:
        """Closes every connection; safe to call twice."""
        with self._lock:
            opened, self._opened = self._opened, []
        for client in opened:
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
            api = self.client.api.api_version
        swarm = info.get("Swarm") or {}
        architecture = one_line(info.get("Architecture", ""), 40)
        return Description(
            host=one_line(info.get("Name", ""), 80),
            version=one_line(info.get("ServerVersion", ""), 40),
            api=one_line(api, 20),
            system=one_line(info.get("OperatingSystem", ""), 80),
            architecture=architecture,
            platform=platform_of(architecture),
            cores=int(info.get("NCPU") or 0),
            memory_bytes=int(info.get("MemTotal") or 0),
            swarm=one_line(swarm.get("LocalNodeState", ""), 20),
            swarm_manager=bool(swarm.get("ControlAvailable")),
            node_id=one_line(swarm.get("NodeID", ""), 40),
        )

    def _tls_of(self, folder: str) -> Any:
        if not folder:
            return None
        docker = _sdk()
        there = {name: Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key")}
        if missing := [path for path in there.values() if not path.is_file()]:
            raise EngineTrouble(f"connecting: {missing[0]}: no such file", "its folder holds ca.pem, cert.pem, key.pem")
        return docker.tls.TLSConfig(
            client_cert=(str(there["cert"]), str(there["key"])), ca_cert=str(there["ca"]), verify=True
        )

    def _from_context(self, name: str) -> tuple[str, Any]:
        _sdk()
        import docker.context
        import docker.context.config
        import docker.errors

        # the SDK looks beside config.json, which `docker context create` does not make, and so finds none without it
        docker.context.config.get_context_dir = _context_folder
        try:
            context = docker.context.ContextAPI.get_context(None if name == CONTEXT_IN_USE else name)
        except (docker.errors.DockerException, OSError, ValueError) as cause:
            raise EngineTrouble(f"connecting: context {name}: {one_line(cause)}", _SEE_CONTEXTS) from None
        if context is None:
            raise EngineTrouble(f"connecting: there is no Docker context called {name}", _SEE_CONTEXTS)
        return context.Host or "unix:///var/run/docker.sock", context.TLSConfig


def _context_folder() -> str:
    return str(Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "contexts")


def _client(**arguments: Any) -> Any:
    """The SDK's client, which believes the authority that was named for this engine and no other.

    requests lets REQUESTS_CA_BUNDLE, which company networks set, win over what a session was told
    (https://github.com/psf/requests/issues/3829), and then no engine with TLS of its own can be reached.
    """
    docker = _sdk()

    def settings(api: Any, url: str, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        found = docker.APIClient.merge_environment_settings(api, url, proxies, stream, verify, cert)
        return {**found, "verify": api.verify if verify is None else verify}

    faithful = type("FaithfulClient", (docker.APIClient,), {"merge_environment_settings": settings})
    client = docker.DockerClient.__new__(docker.DockerClient)  # its own __init__ makes the plain one
    client.api = faithful(**arguments)
    return client


_SEE_CONTEXTS = "`docker context ls` lists them; an address begins with ssh://, tcp:// or unix://"


def _sdk() -> Any:
    try:
        import docker
    except ImportError:
        raise MissingDependency("the Docker SDK is not installed", "pip install 'edge-bench[host]'") from None
    return docker
