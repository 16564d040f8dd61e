"""A service for Docker Compose that begins a night every day."""

import datetime
import json
import os
from pathlib import Path

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically

__all__ = ["compose_service", "write_compose"]

_MARK = "# Written by `edge-bench schedule install --compose`."
_SERVICE = """{mark}
#
#   docker compose --file THIS_FILE up --detach     begins a night every day at {at}
#   docker compose --file THIS_FILE logs nightly
#
# The folder of the settings file has the same path in the container, so bundles, results and a fleet file must be in
# it. The image has no ssh: engines need tcp:// with TLS, or a socket that you add to `volumes`. Whoever may use the
# socket of a Docker engine is root on its machine.
services:
  nightly:
    image: edge-bench-host:${{EDGE_BENCH_TAG:-latest}}
    command: [nightly, {file}, --daily-at, {at}]
    restart: unless-stopped
    # the name of this machine in Runs; without it, each new container would be another machine
    hostname: {hostname}
    user: {user}
    # local times are those of this machine
    volumes:
      - {folder}
      - /etc/localtime:/etc/localtime:ro
    # of the index of earlier nights; the image's folder for the cache is read-only here
    environment: {{EDGE_BENCH_CACHE: /tmp/cache}}
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    tmpfs: ["/tmp"]
    stop_grace_period: 90s
"""


def compose_service(settings: Path, at: datetime.time, hostname: str) -> str:
    """Return the text of a Compose file. Strings in it are JSON, which YAML contains."""
    folder = str(settings.parent)
    if ":" in folder or "$" in folder:
        raise BadInput(f"{folder}: a folder with ':' or '$' cannot be a volume", "move the settings file")
    return _SERVICE.format(
        mark=_MARK, at=json.dumps(f"{at:%H:%M}"), file=json.dumps(str(settings).replace("$", "$$")),
        hostname=json.dumps(hostname), user=json.dumps(f"{os.geteuid()}:{os.getegid()}"),
        folder=json.dumps(f"{folder}:{folder}"),
    )  # fmt: skip


def write_compose(path: Path, text: str) -> None:
    """Write the file. Raise BadInput if another file would be replaced."""
    if path.exists() and not path.read_text(errors="replace").startswith(_MARK):
        raise BadInput(f"{path}: not written by edge-bench, so it is left as it is", "name another file")
    try:
        write_atomically(path, text.encode())
    except OSError as cause:
        raise unwritable(path, cause, "name another file", BadInput) from None
