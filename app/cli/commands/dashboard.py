"""The command ``dashboard``."""

from edge_bench.app.cli.options.serve import (
    Certificate,
    CertificateKey,
    DashboardPort,
    Host,
    SilentAfter,
    Token,
    TokenFile,
)
from edge_bench.app.cli.options.shared import RunFiles

__all__ = ["dashboard"]


def dashboard(
    results: RunFiles,
    silent_after: SilentAfter = 36,
    host: Host = "127.0.0.1",
    port: DashboardPort = 8080,
    token: Token = None,
    token_file: TokenFile = None,
    certificate: Certificate = None,
    key: CertificateKey = None,
) -> None:
    """Show Runs and nights as web pages: what changed, which devices are silent, and the report of each Run.

    It only reads. New Runs are shown when the page is opened again. The server runs until Ctrl-C or SIGTERM.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.dashboard import require_dashboard

    require_dashboard()
    from edge_bench.app.dashboard.server import run_dashboard
    from edge_bench.app.serving.auth import token_from
    from edge_bench.app.serving.server import ListenAddress

    address = ListenAddress(host, port, token_from(token, token_file), certificate, key)
    run_dashboard(results, address, 3600 * silent_after, console.progress())
