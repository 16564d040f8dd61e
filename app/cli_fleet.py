"""The commands on other machines: fleet run, fleet list, fleet clean; and the two halves of a swarm's job."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app import arguments as a
from app import cli_fleet_train
from app import fleet_options as f
from app import options as o
from app.cli_models import DEFAULT_RESULTS
from app.presentation.formats import Format
from bench.errors import EdgeBenchError, Interrupted

if TYPE_CHECKING:
    from app.fleet.job import Outcome

__all__ = ["fleet"]

fleet = typer.Typer(
    name="fleet", help="The same on other machines, through their Docker engines.", no_args_is_help=True
)

#: Where a swarm puts the job's token, and where its collector listens.
TOKEN, PORT = Path("/run/secrets/token"), 8080
#: Options of `run` that are passed on, by their names here.
PASSED_ON = (
    "variant", "runtime", "threads", "batch_size", "trials", "processes", "limit", "resample", "scenario", "seed",
    "timeout", "memory_limit",
)  # fmt: skip


@fleet.command()
def run(
    context: typer.Context,
    bundle: f.Bundle,
    engine: f.Engines = None,
    fleet_file: f.FleetFile = None,
    ssh_config: f.SshConfig = None,
    tls: f.Tls = None,
    swarm: f.Swarm = False,
    stack_file: f.StackFile = None,
    image: f.Image = "edge-bench",
    desk: f.Desk = None,
    variant: o.Variants = None,
    runtime: o.Runtimes = None,
    threads: o.Threads = None,
    batch_size: o.BatchSizes = None,
    trials: o.Trials = 30,
    processes: o.Processes = 5,
    limit: o.Limit = None,
    resample: o.Resample = None,
    scenario: o.ScenarioName = None,
    seed: o.Seed = 42,
    timeout: o.Timeout = 600,
    memory_limit: o.MemoryLimit = None,
    min_memory: f.MinMemory = "256M",
    min_disk: f.MinDisk = "64M",
    answer_within: f.AnswerWithin = 30,
    patience: f.Patience = 60,
    results: o.ResultsFolder = DEFAULT_RESULTS,
    keep: f.Keep = False,
    remove_image: f.RemoveImage = False,
    resume: f.Resume = False,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Run the same benchmark of a bundle on every engine, fetch the Runs, compare them in one table."""
    from app import console
    from app.fleet.device import Order
    from app.fleet.engine import Engine
    from app.fleet.images import ImageSource
    from app.fleet.job import run_fleet
    from app.fleet.settings import desk_setting, engine_settings
    from app.fleet.swarm.job import run_swarm
    from app.fleet.swarm.rows import swarm_settings
    from app.presentation.fleet_progress import fleet_view
    from bench.bundle import Bundle

    engines = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    options, settings = _passed_on(context)
    source = ImageSource(image, lambda: Engine(desk_setting(desk), answer_within))
    order = Order(
        Bundle.open(bundle), options, settings, results, source,
        timeout=answer_within, patience=patience, keep=keep, remove_image=remove_image,
        min_memory=a.memory(min_memory, "--min-memory") or 0, min_disk=a.memory(min_disk, "--min-disk") or 0,
    )  # fmt: skip
    rows = swarm_settings(engines[0], answer_within) if swarm else engines
    try:
        with fleet_view([setting.name for setting in rows], quiet=console.settings.quiet) as view:
            if swarm:
                outcome = run_swarm(order, engines, view, nodes=rows, stack_file=stack_file, resume=resume)
            else:
                outcome = run_fleet(order, engines, view, resume=resume)
    finally:
        source.close()
    _conclude(outcome, output_format)


def _passed_on(context: typer.Context) -> tuple[list[str], dict[str, Any]]:
    """What `run` is called with on every engine, and the same as fields of its Settings.

    BadInput for what `run` would refuse, before anything is sent anywhere.
    """
    values = {name: context.params[name] for name in PASSED_ON if context.params[name] is not None}
    a.counts(values.get("threads"), "--threads")
    a.counts(values.get("batch_size"), "--batch-size")
    options = [part for name, value in values.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    stated = {name: values[name] for name in ("trials", "processes", "limit", "resample", "seed") if name in values}
    return options, stated | {"memory_limit": a.memory(values.get("memory_limit"))}


def _conclude(outcome: "Outcome", output_format: Format) -> None:
    from app import console
    from app.presentation.fleet_table import fleet_table
    from bench.compare import compare as compare_runs

    engines, measured = fleet_table(outcome.devices), [run for run in outcome.runs if run.measured]
    compared = console.comparison_tables(compare_runs(measured)) if measured else []
    # a person reads the end of what is printed; a program gets the first table
    as_data = output_format in (Format.JSON, Format.CSV)
    console.print_tables([engines, *compared] if as_data else [*compared, engines], output_format)
    if outcome.interrupted:
        raise Interrupted("interrupted; the Runs that are here are kept", "the same command with --resume goes on")
    if missing := outcome.missing:
        names = ", ".join(device.engine.name for device in missing)
        raise EdgeBenchError(
            f"{len(missing)} of {len(outcome.devices)} engines: no Run, or not cleaned up: {names}",
            "the reasons are below the table; the same command with --resume does only these",
        )


fleet.command()(cli_fleet_train.train)


@fleet.command(name="list")
def list_engines(
    engine: f.Engines = None,
    fleet_file: f.FleetFile = None,
    ssh_config: f.SshConfig = None,
    tls: f.Tls = None,
    answer_within: f.AnswerWithin = 30,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what each engine is, whether it can be reached, and what fleet commands have left there."""
    from app import console
    from app.fleet.looking import look_at
    from app.fleet.settings import engine_settings
    from app.presentation.fleet_table import engines_table

    found = look_at(engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls), answer_within)
    console.print_table(engines_table(found), output_format)
    if any(look.reason for look in found):
        raise EdgeBenchError("not every engine can be reached", "the reasons are in the table")


@fleet.command()
def clean(
    engine: f.Engines = None,
    fleet_file: f.FleetFile = None,
    ssh_config: f.SshConfig = None,
    tls: f.Tls = None,
    answer_within: f.AnswerWithin = 30,
    remove_image: f.RemoveImage = False,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Remove every container, volume and network that fleet commands have left on the engines."""
    from app import console
    from app.fleet.looking import clean as clean_engines
    from app.fleet.settings import engine_settings
    from app.presentation.fleet_table import engines_table

    settings = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    found = clean_engines(settings, answer_within, remove_image=remove_image)
    console.print_table(engines_table(found), output_format)
    if any(look.reason or look.left for look in found):
        raise EdgeBenchError("not every engine could be cleaned", "the reasons are in the table")


@fleet.command(hidden=True)
def collect(
    bundle: f.Bundle,
    results: o.ResultsFolder = DEFAULT_RESULTS,
    token_file: f.TokenFile = TOKEN,
    port: f.Port = PORT,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """In a swarm: hand the bundle out and take the Runs in, until stopped."""
    from app.fleet.swarm.collector import Collector
    from bench.bundle import Bundle

    Bundle.open(bundle)
    with Collector(("", port), bundle, results, token_file.read_text().strip()) as server:
        print(f"collecting on port {server.server_address[1]}", file=sys.stderr, flush=True)
        server.serve_forever()


@fleet.command(hidden=True)
def task(
    options: f.RunOptions = None,
    collector: f.Collector = f"collector:{PORT}",
    node: f.Node = "node",
    token_file: f.TokenFile = TOKEN,
    patience: f.Patience = 600,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """In a swarm: fetch the bundle, run, hand the Run over until it is acknowledged."""
    from app.fleet.swarm.courier import Courier

    host, _, port = collector.rpartition(":")
    courier = Courier(host, int(port), node, token_file.read_text().strip(), patience)
    try:
        for path in courier.measure(Path("/artifacts"), Path("/results"), options or []):
            print(path)
    except EdgeBenchError as cause:
        courier.tell(f"failed: {cause.problem}")
        raise
