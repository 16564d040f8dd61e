"""The list of all commands: each is registered here, in the order in which help shows them."""

from collections.abc import Callable
from typing import Any

import typer

from edge_bench.app.cli.commands import dashboard, serve
from edge_bench.app.cli.commands.analyse import compare, predict, report
from edge_bench.app.cli.commands.fleet import engines, swarm
from edge_bench.app.cli.commands.fleet import run as fleet_run
from edge_bench.app.cli.commands.fleet import train as fleet_train
from edge_bench.app.cli.commands.measure import calibrate, doctor, offload, pipeline, profile, run, tune
from edge_bench.app.cli.commands.models import export, inspect, train
from edge_bench.app.cli.commands.nightly import nightly, schedule
from edge_bench.app.cli.examples import EXAMPLES
from edge_bench.app.cli.help import Command, Group
from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.app.cli.options.declare import with_options
from edge_bench.app.cli.options.shared import COMMON_OPTIONS, SANDBOX_OPTIONS
from edge_bench.bench.version import __version__

__all__ = ["app"]

#: Headings of the list of commands.
MEASURE, MODELS, SERVERS = "Measure and compare", "Make and describe models", "Several machines"

app = typer.Typer(
    name="edge-bench",
    cls=Group,
    help="Benchmark a machine-learning model on a host and on edge devices, and find out where it should run.",
    epilog="\n".join(EXAMPLES[""]),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
fleet = typer.Typer(
    name="fleet",
    cls=Group,
    help="Benchmark and train on other machines through their Docker engines.",
    epilog="\n".join(EXAMPLES["fleet"]),
    no_args_is_help=True,
    rich_markup_mode=None,
)
timer = typer.Typer(
    name="schedule",
    cls=Group,
    help="Begin `edge-bench nightly` every day.",
    epilog="\n".join(EXAMPLES["schedule"]),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        print(f"edge-bench {__version__}")
        raise typer.Exit


def _register(group: typer.Typer, command: Callable[..., None], name: str = "", **how: Any) -> None:
    name = name or command.__name__
    examples = EXAMPLES[name if group is app else f"{group.info.name} {name}"]
    group.command(name=name, cls=Command, epilog="\n".join(examples), **how)(with_options(command, COMMON_OPTIONS))


def _sandboxed(command: Callable[..., None]) -> Callable[..., None]:
    return with_options(command, SANDBOX_OPTIONS)


_register(app, _sandboxed(pipeline.pipeline), "all", rich_help_panel=MEASURE)
_register(app, _sandboxed(with_options(run.run, DATA_OPTIONS, before="variant")), rich_help_panel=MEASURE)
_register(app, _sandboxed(with_options(profile.profile, DATA_OPTIONS, before="limit")), rich_help_panel=MEASURE)
_register(app, compare.compare, rich_help_panel=MEASURE)
_register(app, report.report, rich_help_panel=MEASURE)
_register(app, report.history, rich_help_panel=MEASURE)
_register(app, predict.predict, rich_help_panel=MEASURE)
_register(app, _sandboxed(doctor.doctor), rich_help_panel=MEASURE)
_register(app, tune.tune, rich_help_panel=MEASURE)
_register(app, _sandboxed(calibrate.calibrate), rich_help_panel=MEASURE)
_register(app, train.train, rich_help_panel=MODELS)
_register(app, _sandboxed(with_options(export.export, DATA_OPTIONS, before="limit")), rich_help_panel=MODELS)
_register(app, _sandboxed(inspect.inspect), rich_help_panel=MODELS)
app.add_typer(fleet, rich_help_panel=SERVERS)
_register(app, dashboard.dashboard, rich_help_panel=SERVERS)
_register(app, _sandboxed(nightly.nightly), rich_help_panel=SERVERS)
app.add_typer(timer, rich_help_panel=SERVERS)
_register(app, _sandboxed(serve.serve), rich_help_panel=SERVERS)
_register(app, _sandboxed(offload.offload), rich_help_panel=SERVERS)

_register(fleet, fleet_run.run)
_register(fleet, engines.list_engines, "list")
_register(fleet, engines.clean)
_register(fleet, fleet_train.train)
_register(fleet, swarm.collect, hidden=True)
_register(fleet, swarm.task, hidden=True)

_register(timer, schedule.install)
_register(timer, schedule.show)
_register(timer, schedule.remove)
