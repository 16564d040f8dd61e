"""A registry on this machine for a dry run: Debian's docker-registry, with its images in a temporary folder."""

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tools.release.errors import ReleaseError

__all__ = ["local_registry"]

_CONFIGURATION = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_SECONDS = 20


@contextlib.contextmanager
def local_registry(folder: Path) -> Iterator[str]:
    """Start a registry that keeps its images in ``folder``; yield its host and port. It ends with the context."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "registry.yml"
    file.write_text(_CONFIGURATION.format(folder=folder / "registry", port=port))
    with (folder / "registry.log").open("w") as log:
        try:
            process = subprocess.Popen(["docker-registry", "serve", str(file)], stdout=log, stderr=log)
        except FileNotFoundError:
            raise ReleaseError("docker-registry is not installed (Debian: apt-get install docker-registry)") from None
        try:
            _wait(process, f"http://127.0.0.1:{port}/v2/", folder / "registry.log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    ends = time.monotonic() + _SECONDS
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.1)
    raise ReleaseError(f"the local registry did not start:\n{log.read_text()[-1000:]}")
