"""Access to the server: bearer token, TLS certificate and listening address."""

import ipaddress
import ssl
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import why_unreadable

__all__ = ["check_tls", "on_loopback", "token_from"]

_MAX_TOKEN_BYTES = 8 << 10


def token_from(token: str | None, file: Path | None) -> str | None:
    """Return the bearer token or None. Raise BadInput if its file is unreadable or empty, or the token is invalid."""
    if file is not None:
        if token:
            raise BadInput("--token and --token-file are both given", "omit one of them")
        token = _token_in(file)
    if not token:
        return None
    if not token.isascii() or not token.isprintable() or " " in token:
        where = "the token" if file is None else f"--token-file {file}: its token"
        raise BadInput(f"{where} has characters that are not allowed in HTTP headers", "use letters and digits")
    return token


def _token_in(file: Path) -> str:
    remedy = "use a file that contains only the token"
    try:
        with file.open("rb") as opened:  # the file may be a pipe
            content = opened.read(_MAX_TOKEN_BYTES + 1)
    except OSError as cause:
        raise BadInput(f"--token-file {file}: {why_unreadable(cause)}", remedy) from None
    token = content.decode("latin-1").strip(" \t\r\n")  # of any bytes; only ASCII is allowed
    if not token:
        raise BadInput(f"--token-file {file}: it is empty", remedy)
    if len(content) > _MAX_TOKEN_BYTES:
        raise BadInput(f"--token-file {file}: it is longer than {_MAX_TOKEN_BYTES >> 10} KiB", remedy)
    return token


def check_tls(certificate: Path | None, key: Path | None) -> None:
    """Raise BadInput if the certificate and its key cannot be loaded."""
    if certificate is None:
        if key is not None:
            raise BadInput("--key is given without --certificate", "add --certificate FILE")
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as cause:
        text = cause.strerror or getattr(cause, "reason", None) or str(cause)
        raise BadInput(
            f"--certificate {certificate}: {text}", "use PEM files, and --key if the key is in a separate file"
        ) from None


def on_loopback(host: str) -> bool:
    """Return whether an address is a loopback address, which other machines cannot reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
