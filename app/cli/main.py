"""The command line, as a table of contents: every command is registered here."""

import typer

from edge_bench.app.cli.commands import serve
from edge_bench.app.cli.commands.analyse import compare, report
from edge_bench.app.cli.commands.fleet import engines, swarm
from edge_bench.app.cli.commands.fleet import run as fleet_run
from edge_bench.app.cli.commands.fleet import train as fleet_train
from edge_bench.app.cli.commands.measure import doctor, offload, pipeline, run
from edge_bench.app.cli.commands.models import export, inspect, train
from edge_bench.bench.version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="edge-bench",
    help="Benchmarks a model on a host and on an edge device, and says where it should run.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
fleet = typer.Typer(
    name="fleet", help="The same on other machines, through their Docker engines.", no_args_is_help=True
)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", envvar="EDGE_BENCH_VERSION", help="Print the version and exit."),
) -> None:
    if version:
        print(f"edge-bench {__version__}")
        raise typer.Exit


app.command()(train.train)
app.command()(run.run)
app.command()(compare.compare)
app.command()(report.report)
app.command()(report.history)
app.command(name="all")(pipeline.everything)
app.command()(doctor.doctor)
app.command()(inspect.inspect)
app.command()(export.export)
app.command()(offload.offload)
app.command()(serve.serve)
app.add_typer(fleet)

fleet.command()(fleet_run.run)
fleet.command()(fleet_train.train)
fleet.command(name="list")(engines.list_engines)
fleet.command()(engines.clean)
fleet.command(hidden=True)(swarm.collect)
fleet.command(hidden=True)(swarm.task)
