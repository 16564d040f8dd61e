"""The list of engines from ``--engine`` and a fleet file."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.fleet.docker.own_toml import read_own_toml, require_own
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.addresses import address_from
from edge_bench.bench.io.files import why_unreadable

__all__ = ["NAME", "EngineSetting", "checked_engines", "engine_settings", "local_engine_setting", "read_fleet_file"]

#: Valid as the name of a host, a container, a volume and a file.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
#: Replaced by the context that the docker command uses.
CONTEXT_IN_USE = "."
_SCHEMES = ("ssh", "tcp", "unix")
_ADDRESSES = "ssh://user@host, tcp://host:2376 or unix:///path/docker.sock"
_EXAMPLE = 'for example: [[engine]] name = "pi4" url = "ssh://USER@pi4.local"; see docs/fleet.md'


class EngineSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One engine and how to connect to it."""

    name: str
    url: str = ""  # ssh://user@host[:port][/socket] · tcp://host:port · unix:///socket
    context: str = ""  # a Docker context's name, instead of url
    platform: str = ""  # such as linux/arm64, if not the native one; the machine must emulate it
    tls: str = ""  # a folder with ca.pem, cert.pem and key.pem, for tcp://
    ssh_config: str = ""  # instead of ~/.ssh/config
    memory: str = ""  # memory limit of the container, such as 512M

    @property
    def address(self) -> str:
        """The URL, or "context NAME"."""
        return self.url or f"context {self.context}"


class _FleetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    engine: list[EngineSetting] = []
    ssh_config: str = ""


def engine_settings(
    engines: Sequence[str], fleet_file: Path | None, *, ssh_config: Path | None = None, tls: Path | None = None
) -> list[EngineSetting]:
    """Return the engines of ``--fleet`` and ``--engine``, each with a unique name. Raise BadInput if one is invalid.

    ``ssh_config`` and ``tls`` apply to the engines without their own.
    """
    settings = read_fleet_file(fleet_file) if fleet_file else []
    names = Counter(setting.name for setting in settings)
    for engine in engines:
        name = _name_of(engine)
        names[name] += 1
        unique = name if names[name] == 1 else f"{name}-{names[name]}"
        is_url = "://" in engine
        settings.append(EngineSetting(name=unique, url=engine if is_url else "", context="" if is_url else engine))
    if not settings:
        raise BadInput(
            "no engine is given", "use --engine, for example --engine ssh://USER@raspberrypi.local, or --fleet FILE"
        )
    return checked_engines([_with_defaults(setting, ssh_config, tls) for setting in settings])


def checked_engines(settings: Sequence[EngineSetting], owner: int | None = None) -> list[EngineSetting]:
    """Return engines, each valid and with a unique name. Raise BadInput if one is not.

    ``owner`` is the user who will connect to them, if that is not this one.
    """
    if repeated := [name for name, count in Counter(setting.name for setting in settings).items() if count > 1]:
        raise BadInput(f"two engines are called {repeated[0]}", "give each engine its own name in the fleet file")
    return [_valid(setting, owner=owner) for setting in settings]


def local_engine_setting(engine: str | None = None) -> EngineSetting:
    """Return the local engine: the given one, or the one that the docker command uses."""
    if engine:
        return engine_settings([engine], None)[0]
    if host := os.environ.get("DOCKER_HOST"):
        tls = os.environ.get("DOCKER_CERT_PATH", "") if os.environ.get("DOCKER_TLS_VERIFY") else ""
        return _valid(EngineSetting(name="desk", url=host, tls=tls), "DOCKER_HOST")
    return EngineSetting(name="desk", context=os.environ.get("DOCKER_CONTEXT") or CONTEXT_IN_USE)


def read_fleet_file(path: Path, owner: int | None = None) -> list[EngineSetting]:
    """Return the engines of a TOML file. Relative paths in it start at its folder.

    Raise BadInput if it is invalid, or if another user than ``owner`` (default: this one) may have written it, because
    it can start programs.
    """
    fleet = read_own_toml(path, _FleetFile, "a fleet file", "use a fleet file with --fleet", _EXAMPLE, owner=owner)

    def relative_to_file(name: str) -> str:
        return str(path.parent / Path(name).expanduser()) if name else ""

    return [
        msgspec.structs.replace(
            engine, tls=relative_to_file(engine.tls), ssh_config=relative_to_file(engine.ssh_config or fleet.ssh_config)
        )
        for engine in fleet.engine
    ]


def _with_defaults(setting: EngineSetting, ssh_config: Path | None, tls: Path | None) -> EngineSetting:
    return msgspec.structs.replace(
        setting,
        ssh_config=setting.ssh_config or (str(ssh_config) if ssh_config else ""),
        tls=setting.tls or (str(tls) if tls and setting.url.startswith("tcp:") else ""),
    )


def _check_ssh_config(path: Path, owner: int | None) -> None:
    """Raise BadInput if another user may have written ssh's configuration, which can start programs (ProxyCommand)."""
    try:
        if path.is_file():
            require_own(path, owner)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{path}: cannot be read: {why_unreadable(cause)}", "use another --ssh-config") from None


def _valid(setting: EngineSetting, source: str = "", owner: int | None = None) -> EngineSetting:
    def invalid(problem: str, remedy: str) -> BadInput:
        return BadInput(f"{source or f'engine {setting.name!r}'}: {problem}", remedy)

    if unprintable := [name for name, value in msgspec.structs.asdict(setting).items() if not value.isprintable()]:
        raise invalid(f"its {unprintable[0]} has a control character", "remove it")
    if not NAME.fullmatch(setting.name):
        raise invalid("not a valid host name", "use letters, digits, - and ., at most 63 characters")
    if bool(setting.url) == bool(setting.context):
        raise invalid("it needs either a url or a context", _EXAMPLE)
    if setting.platform and not re.fullmatch(r"linux/[a-z0-9]+(/v[0-9]+)?", setting.platform):
        raise invalid(f"{setting.platform!r} is not a platform", "use linux/arm64 or linux/amd64")
    if setting.ssh_config:
        _check_ssh_config(Path(setting.ssh_config), owner)
    if setting.url:
        try:
            parts = address_from(setting.url)
        except ValueError as cause:
            raise invalid(f"{setting.url[:200]!r} has {cause}", _ADDRESSES) from None
        if parts.scheme not in _SCHEMES or not (parts.path if parts.scheme == "unix" else parts.host):
            raise invalid(f"{setting.url!r} is not an address", _ADDRESSES)
        if parts.scheme == "tcp" and not setting.tls and parts.host not in ("127.0.0.1", "::1", "localhost"):
            raise invalid(
                "tcp:// without TLS gives everyone on its network control of that machine",
                "use ssh://, or --tls FOLDER with ca.pem, cert.pem and key.pem",
            )
    return setting


def _name_of(engine: str) -> str:
    """Return pi4 for ``ssh://pi@pi4.local``, 10.0.0.7 for ``tcp://10.0.0.7:2376``, pi for ``unix:///run/pi.sock``."""
    if "://" not in engine:
        return engine
    try:
        parts = address_from(engine)
    except ValueError:
        return "engine"  # reported when the setting is checked
    host = parts.host or Path(parts.path).stem or "engine"
    short = host if re.fullmatch(r"[0-9.:]+", host) else host.split(".")[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", short).strip("-.")[:50] or "engine"
