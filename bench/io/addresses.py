"""URLs and host:port from users and files, checked before any library sees them."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Address", "address_from", "host_and_port"]

_MAX_CHARACTERS = 2000
_PLACE = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:[^:]*)?")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


class Address(NamedTuple):
    """The parts of a URL. Parts that it does not state are empty or None."""

    scheme: str
    host: str  # lower case, an IPv6 address without brackets
    port: int | None
    user: str | None
    password: str | None
    path: str
    query: str


def address_from(url: str) -> Address:
    """Return the parts of a URL. Raise ValueError, whose message continues "it has", if one of them is invalid.

    Only the scheme is required. Host names are ASCII as in DNS; names in other scripts are converted.
    """
    if len(url) > _MAX_CHARACTERS:
        raise ValueError(f"more than {_MAX_CHARACTERS:,} characters")
    if not url.isprintable() or any(c.isspace() or c == "\\" for c in url):
        raise ValueError("a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise ValueError("brackets without an IPv6 address") from None
    place = parts.netloc.rpartition("@")[2]
    if not _PLACE.fullmatch(place):
        raise ValueError("brackets without an IPv6 address, or more than one port")
    if not parts.scheme:
        raise ValueError("no scheme, such as ssh:// or http://")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or (port is None and place.endswith(":")):
        raise ValueError("a port outside 1 to 65535")
    checked = _checked_host(host, is_address=place.startswith("[")) if host else ""
    return Address(parts.scheme, checked, port, parts.username, parts.password, parts.path, parts.query)


def host_and_port(text: str) -> tuple[str, int]:
    """Return the host and the port of ``host:port`` or ``[address]:port``. Raise ValueError like ``address_from``."""
    if "/" in text or "@" in text or "?" in text or "#" in text:
        raise ValueError("more than a host and a port")
    address = address_from(f"tcp://{text}")
    if not address.host or address.port is None:
        raise ValueError("no host or no port")
    return address.host, address.port


def _checked_host(host: str, *, is_address: bool) -> str:
    if is_address:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{host[:60]!r}, which is not an IPv6 address") from None
        return host
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        ascii_host = ""
    labels = ascii_host.removesuffix(".").split(".")
    if len(ascii_host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(f"{host[:60]!r}, which is not a host name")
    return ascii_host
