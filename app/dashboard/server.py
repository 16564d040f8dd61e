"""The dashboard's server: listens until a signal ends it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_bench.app.dashboard.access import Access
from edge_bench.app.dashboard.application import Dashboard
from edge_bench.app.dashboard.snapshot import Snapshots
from edge_bench.app.serving.auth import check_tls, on_loopback
from edge_bench.app.serving.http_limits import BoundedHttp, QuietServer
from edge_bench.app.serving.listener import BoundedListener, ServerLoop, listening_socket, raise_file_limit
from edge_bench.app.serving.server import ListenAddress
from edge_bench.bench.errors import BadInput
from edge_bench.bench.progress import Progress
from edge_bench.bench.wording import counted

__all__ = ["run_dashboard"]

_HEADER_SECONDS = 10.0
_END_SECONDS = 8


def run_dashboard(paths: Sequence[Path], address: ListenAddress, silent_after_s: float, progress: Progress) -> None:
    """Serve pages on the Runs in ``paths`` until SIGTERM or SIGINT.

    Raise BadInput if another machine could read them without a token, or a path does not exist; EdgeBenchError if the
    address is not usable.
    """
    check_tls(address.certificate, address.key)
    if address.token is None and not on_loopback(address.host):
        raise BadInput(
            f"--host {address.host}: other machines could read all results", "set a token with --token-file FILE"
        )
    for path in paths:
        if not path.exists():
            raise BadInput(f"{path}: no such file or folder", "name the folder of `run --results`")
    listener = listening_socket(address.host, address.port)
    with listener, asyncio.Runner(loop_factory=lambda: ServerLoop(_HEADER_SECONDS)) as runner:
        runner.run(_serve(Snapshots(paths), listener, address, silent_after_s, progress))


async def _serve(
    snapshots: Snapshots,
    listener: BoundedListener,
    address: ListenAddress,
    silent_after_s: float,
    progress: Progress,
) -> None:
    from uvicorn import Config

    progress.say("reading the Runs")
    snapshot = await asyncio.to_thread(snapshots.newest)
    progress.say(snapshot.problem or f"{counted(len(snapshot.runs), 'Run')} read")
    secure = address.certificate is not None
    listener.most = raise_file_limit(tls=secure)
    BoundedHttp.header_timeout = _HEADER_SECONDS
    config = Config(
        Dashboard(snapshots, Access(address.token, address.host), silent_after_s, secure=secure),
        http=BoundedHttp, ws="none", lifespan="off", log_config=None, log_level="error", access_log=False,
        proxy_headers=False, server_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=_END_SECONDS,
        ssl_certfile=address.certificate, ssl_keyfile=address.key,
    )  # fmt: skip
    await QuietServer(config, _announce(listener, secure, progress)).serve([listener])


def _announce(listener: BoundedListener, secure: bool, progress: Progress) -> Callable[[], None]:
    host, port = listener.getsockname()[:2]
    url = f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    return lambda: progress.say(f"the dashboard is on {url}")
