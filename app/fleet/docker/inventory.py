"""Which engines there are: from --engine and from a fleet file."""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_bounded

__all__ = ["EngineSetting", "engine_settings", "local_engine_setting", "read_fleet_file"]

#: As long as a host name may be; what a container, a volume and a file may be called everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
#: In place of a context's name.
CONTEXT_IN_USE = "."
_SCHEMES = ("ssh", "tcp", "unix")
_MOST_BYTES = 1 << 20
_EXAMPLE = 'say, [[engine]] name = "pi4" url = "ssh://pi@pi4.local"; docs/fleet.md has all of it'


class EngineSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One engine and how to reach it."""

    name: str
    url: str = ""  # ssh://user@host[:port][/socket] · tcp://host:port · unix:///socket
    context: str = ""  # a Docker context's name, in place of url
    platform: str = ""  # linux/arm64, where it is not the machine's own: it has to emulate it
    tls: str = ""  # a folder with ca.pem, cert.pem and key.pem, for tcp://
    ssh_config: str = ""  # in place of ~/.ssh/config
    memory: str = ""  # bytes that the container may use: 512M

    @property
    def address(self) -> str:
        """As a person would name it."""
        return self.url or f"context {self.context}"


class _FleetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    engine: list[EngineSetting] = []
    ssh_config: str = ""


def engine_settings(
    engines: Sequence[str], fleet_file: Path | None, *, ssh_config: Path | None = None, tls: Path | None = None
) -> list[EngineSetting]:
    """What ``--engine`` and ``--fleet`` name, each with a name of its own. BadInput where one cannot be meant.

    ``ssh_config`` and ``tls`` are for the engines that say nothing of it themselves.
    """
    found = read_fleet_file(fleet_file) if fleet_file else []
    names = Counter(setting.name for setting in found)
    for engine in engines:
        name = _name_of(engine)
        names[name] += 1
        numbered = name if names[name] == 1 else f"{name}-{names[name]}"
        is_url = "://" in engine
        found.append(EngineSetting(name=numbered, url=engine if is_url else "", context="" if is_url else engine))
    if not found:
        raise BadInput("no engine is named", "--engine ssh://pi@raspberrypi.local, or a file with --fleet")
    if twice := [name for name, count in Counter(setting.name for setting in found).items() if count > 1]:
        raise BadInput(f"two engines are called {twice[0]}", "give each a name of its own in the fleet file")
    return [_checked(_with(setting, ssh_config, tls)) for setting in found]


def local_engine_setting(engine: str | None = None) -> EngineSetting:
    """The engine on the desk: the one named, or the one that the docker command would use."""
    if engine:
        return engine_settings([engine], None)[0]
    if host := os.environ.get("DOCKER_HOST"):
        tls = os.environ.get("DOCKER_CERT_PATH", "") if os.environ.get("DOCKER_TLS_VERIFY") else ""
        return EngineSetting(name="desk", url=host, tls=tls)
    return EngineSetting(name="desk", context=os.environ.get("DOCKER_CONTEXT") or CONTEXT_IN_USE)


def read_fleet_file(path: Path) -> list[EngineSetting]:
    """The engines of a TOML file; paths in it are beside it. BadInput with what is wrong."""
    try:
        raw = tomllib.loads(read_bounded(path, _MOST_BYTES).decode())
        described = msgspec.convert(raw, _FleetFile)
    except OSError as cause:
        raise BadInput(f"{path}: cannot be read: {cause.strerror}", "name a fleet file with --fleet") from None
    except (ValueError, msgspec.ValidationError) as cause:
        raise BadInput(f"{path}: not a fleet file: {str(cause).splitlines()[0]}", _EXAMPLE) from None

    def beside(name: str) -> str:
        return str(path.parent / Path(name).expanduser()) if name else ""

    return [
        msgspec.structs.replace(
            engine, tls=beside(engine.tls), ssh_config=beside(engine.ssh_config or described.ssh_config)
        )
        for engine in described.engine
    ]


def _with(setting: EngineSetting, ssh_config: Path | None, tls: Path | None) -> EngineSetting:
    return msgspec.structs.replace(
        setting,
        ssh_config=setting.ssh_config or (str(ssh_config) if ssh_config else ""),
        tls=setting.tls or (str(tls) if tls and setting.url.startswith("tcp:") else ""),
    )


def _checked(setting: EngineSetting) -> EngineSetting:
    def wrong(what: str, remedy: str) -> BadInput:
        return BadInput(f"engine {setting.name!r}: {what}", remedy)

    if not NAME.fullmatch(setting.name):
        raise wrong("not a name that a host may have", "letters, digits, - and ., at most 63")
    if bool(setting.url) == bool(setting.context):
        raise wrong("it needs a url or a context, and not both", _EXAMPLE)
    if setting.platform and not re.fullmatch(r"linux/[a-z0-9]+(/v[0-9]+)?", setting.platform):
        raise wrong(f"{setting.platform!r} is no platform", "linux/arm64 or linux/amd64")
    if setting.url:
        parts = urlsplit(setting.url)
        if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise wrong(
                f"{setting.url!r} is no address", "ssh://user@host, tcp://host:2376 or unix:///path/docker.sock"
            )
        if parts.scheme == "tcp" and not setting.tls and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise wrong(
                "tcp:// without TLS gives that machine to everyone on its network",
                "ssh:// needs no set-up there; or --tls with a folder of ca.pem, cert.pem and key.pem",
            )
    return setting


def _name_of(engine: str) -> str:
    """``ssh://pi@pi4.local`` is pi4, ``tcp://10.0.0.7:2376`` is 10.0.0.7, ``unix:///run/pi.sock`` is pi."""
    if "://" not in engine:
        return engine
    parts = urlsplit(engine)
    host = parts.hostname or Path(parts.path).stem or "engine"
    plain = host if re.fullmatch(r"[0-9.:]+", host) else host.split(".")[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-.")[:50] or "engine"
