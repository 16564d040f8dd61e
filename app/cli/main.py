"""The list of all commands: each is registered here."""

from collections.abc import Callable
from typing import Any

import typer

from edge_bench.app.cli.commands import serve
from edge_bench.app.cli.commands.analyse import compare, report
from edge_bench.app.cli.commands.fleet import engines, swarm
from edge_bench.app.cli.commands.fleet import run as fleet_run
from edge_bench.app.cli.commands.fleet import train as fleet_train
from edge_bench.app.cli.commands.measure import doctor, offload, pipeline, run
from edge_bench.app.cli.commands.models import export, inspect, train
from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.app.cli.options.declare import Command, with_options
from edge_bench.app.cli.options.shared import COMMON_OPTIONS, SANDBOX_OPTIONS
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
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        print(f"edge-bench {__version__}")
        raise typer.Exit


def _register(group: typer.Typer, command: Callable[..., None], name: str | None = None, **how: Any) -> None:
    group.command(name=name, cls=Command, **how)(with_options(command, COMMON_OPTIONS))


def _sandboxed(command: Callable[..., None]) -> Callable[..., None]:
    return with_options(command, SANDBOX_OPTIONS)


_register(app, train.train)
_register(app, _sandboxed(with_options(run.run, DATA_OPTIONS, before="variant")))
_register(app, compare.compare)
_register(app, report.report)
_register(app, report.history)
_register(app, _sandboxed(pipeline.pipeline), "all")
_register(app, _sandboxed(doctor.doctor))
_register(app, _sandboxed(inspect.inspect))
_register(app, _sandboxed(with_options(export.export, DATA_OPTIONS, before="limit")))
_register(app, _sandboxed(offload.offload))
_register(app, _sandboxed(serve.serve))
app.add_typer(fleet)

_register(fleet, fleet_run.run)
_register(fleet, fleet_train.train)
_register(fleet, engines.list_engines, "list")
_register(fleet, engines.clean)
_register(fleet, swarm.collect, hidden=True)
_register(fleet, swarm.task, hidden=True)
