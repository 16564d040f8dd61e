"""Who may read the dashboard: a token as a bearer or in a cookie, and the host names without one."""

import hmac
import ipaddress
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.types import Scope

__all__ = ["COOKIE", "Access"]

COOKIE = "edge_bench_dashboard"


class Access:
    """Checks requests. The cookie's value is derived from the token and valid until the server ends."""

    def __init__(self, token: str | None, host: str) -> None:
        self._token = token.encode() if token else None
        self._cookie = hmac.new(secrets.token_bytes(32), self._token or b"", "sha256").hexdigest()
        self._host = host

    @property
    def cookie(self) -> str:
        """The value of the cookie that is as good as the token."""
        return self._cookie

    def is_token(self, text: bytes) -> bool:
        """Return whether a text is the token."""
        return self._token is not None and hmac.compare_digest(text, self._token)

    def allows(self, scope: Scope) -> bool:
        """Return whether a request has the token or the cookie; True without a token."""
        if self._token is None:
            return True
        if self.is_token(_header(scope, b"authorization").removeprefix(b"Bearer ")):
            return True
        try:
            cookies = SimpleCookie(_header(scope, b"cookie").decode("latin-1"))
        except CookieError:
            return False
        found = cookies.get(COOKIE)
        return found is not None and hmac.compare_digest(found.value.encode(), self._cookie.encode())

    def knows_host(self, scope: Scope) -> bool:
        """Return whether a request without a token is for an address of this machine.

        Otherwise a web page elsewhere could point its own name to 127.0.0.1 and read the dashboard in a browser here.
        """
        if self._token is not None:
            return True
        name = _header(scope, b"host").decode("latin-1").lower()
        name = name.rpartition("]")[0].removeprefix("[") if name.startswith("[") else name.partition(":")[0]
        return name in ("", "localhost", self._host.lower()) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")
