"""The commands ``fleet list`` and ``fleet clean``."""

from edge_bench.app.cli.options.fleet import ApiTimeout, Engines, FleetFile, RemoveImage, SshConfig, Tls
from edge_bench.app.cli.options.shared import OutputFormat
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError

__all__ = ["clean", "list_engines"]


def list_engines(
    engine: Engines = None,
    fleet_file: FleetFile = None,
    ssh_config: SshConfig = None,
    tls: Tls = None,
    api_timeout: ApiTimeout = 30,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Show each engine, whether it can be reached, and what fleet commands have left on it."""
    from edge_bench.app.cli import console
    from edge_bench.app.fleet.docker.inventory import engine_settings
    from edge_bench.app.fleet.status import query_engines
    from edge_bench.app.tables.fleet import engines_table

    found = query_engines(engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls), api_timeout)
    console.print_table(engines_table(found), output_format)
    if any(status.reason for status in found):
        raise EdgeBenchError("not all engines can be reached", "see the reasons in the table")


def clean(
    engine: Engines = None,
    fleet_file: FleetFile = None,
    ssh_config: SshConfig = None,
    tls: Tls = None,
    api_timeout: ApiTimeout = 30,
    remove_image: RemoveImage = False,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Remove containers, volumes and networks that fleet commands have left on engines."""
    from edge_bench.app.cli import console
    from edge_bench.app.fleet.docker.inventory import engine_settings
    from edge_bench.app.fleet.status import clean as clean_engines
    from edge_bench.app.tables.fleet import engines_table

    settings = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    found = clean_engines(settings, api_timeout, remove_image=remove_image)
    console.print_table(engines_table(found), output_format)
    if any(status.reason or status.left for status in found):
        raise EdgeBenchError("not all engines could be cleaned", "see the reasons in the table")
