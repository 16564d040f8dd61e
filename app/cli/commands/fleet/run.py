"""The command ``fleet run``."""

from typing import TYPE_CHECKING, Any

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answered, print_next, width
from edge_bench.app.cli.options.fleet import (
    ApiTimeout,
    Calibrate,
    Engines,
    FleetFile,
    Force,
    Image,
    Keep,
    LocalEngine,
    MinDisk,
    MinMemory,
    OptionalBundle,
    ReconnectTimeout,
    RemoveImage,
    Resume,
    SshConfig,
    StackFile,
    Swarm,
    Tls,
)
from edge_bench.app.cli.options.run import (
    BatchSizes,
    Budget,
    MemoryLimit,
    Processes,
    Resample,
    Runtimes,
    ScenarioName,
    Threads,
    Trials,
    Variants,
)
from edge_bench.app.cli.options.shared import (
    DEFAULT_RESULTS,
    Limit,
    OutputFormat,
    ResultsFolder,
    Seed,
    Timeout,
    Why,
    Wide,
)
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted
from edge_bench.bench.wording import counted

if TYPE_CHECKING:
    from edge_bench.app.cli.commands.fleet.calibrating import Work
    from edge_bench.app.fleet.runs.fleet_job import Outcome

__all__ = ["run"]

#: How a fleet's results are shown again, without measuring again.
AGAIN = "repeat the command with --resume --why; all columns: --resume --wide"
#: Parameters that are forwarded to ``run`` on every engine.
FORWARDED = (
    "variant", "runtime", "threads", "batch_size", "trials", "processes", "limit", "budget", "resample", "scenario",
    "seed", "timeout", "memory_limit",
)  # fmt: skip


def run(
    context: typer.Context,
    bundle: OptionalBundle = None,
    engine: Engines = None,
    fleet_file: FleetFile = None,
    ssh_config: SshConfig = None,
    tls: Tls = None,
    swarm: Swarm = False,
    stack_file: StackFile = None,
    calibrate: Calibrate = False,
    force: Force = False,
    image: Image = "edge-bench",
    local_engine: LocalEngine = None,
    variant: Variants = None,
    runtime: Runtimes = None,
    threads: Threads = None,
    batch_size: BatchSizes = None,
    trials: Trials = 30,
    processes: Processes = 5,
    limit: Limit = None,
    budget: Budget = None,
    resample: Resample = None,
    scenario: ScenarioName = None,
    seed: Seed = 42,
    timeout: Timeout = 600,
    memory_limit: MemoryLimit = None,
    min_memory: MinMemory = "256M",
    min_disk: MinDisk = "64M",
    api_timeout: ApiTimeout = 30,
    reconnect_timeout: ReconnectTimeout = 60,
    results: ResultsFolder = DEFAULT_RESULTS,
    keep: Keep = False,
    remove_image: RemoveImage = False,
    resume: Resume = False,
    output_format: OutputFormat = Format.TABLE,
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Measure a bundle on every engine, fetch the Runs and compare them."""
    from edge_bench.app.cli import console
    from edge_bench.app.cli.commands.fleet.calibrating import print_devices, require_bundle, require_names
    from edge_bench.app.fleet.docker.engine import Engine
    from edge_bench.app.fleet.docker.images import ImageSource
    from edge_bench.app.fleet.docker.inventory import engine_settings, local_engine_setting
    from edge_bench.app.fleet.runs.fleet_job import run_fleet
    from edge_bench.app.fleet.runs.spec import FleetJobSpec
    from edge_bench.app.fleet.swarm.job import run_swarm
    from edge_bench.app.fleet.swarm.node_rows import swarm_settings
    from edge_bench.app.render.progress.fleet import fleet_view

    require_bundle(context)
    engines = engine_settings(engine or [], fleet_file, ssh_config=ssh_config, tls=tls)
    work = _work(context)
    source = ImageSource(image, lambda: Engine(local_engine_setting(local_engine), api_timeout))
    spec = FleetJobSpec(
        work.bundle, work.options, work.settings, work.results, source, calibrates=calibrate,
        timeout=api_timeout, reconnect_timeout=reconnect_timeout, keep=keep, remove_image=remove_image,
        min_memory=parsing.memory(min_memory, "--min-memory") or 0,
        min_disk=parsing.memory(min_disk, "--min-disk") or 0,
    )  # fmt: skip
    rows = swarm_settings(engines[0], api_timeout) if swarm else engines
    if calibrate:
        require_names([setting.name for setting in rows])
    try:
        with fleet_view([setting.name for setting in rows], quiet=console.settings.quiet) as view:
            if swarm:
                outcome = run_swarm(spec, engines, view, nodes=rows, stack_file=stack_file, resume=resume)
            else:
                outcome = run_fleet(spec, engines, view, resume=resume)
    finally:
        source.close()
    if calibrate:
        print_devices(outcome, work.bundle, output_format)
    else:
        _print(outcome, Shown(output_format, wide=wide, why=why))
    _finish(outcome)


def _work(context: typer.Context) -> "Work":
    """Return what is measured on every engine, and where the Runs are stored."""
    from edge_bench.app.cli.commands.fleet.calibrating import Work, calibration_work
    from edge_bench.bench.records.bundle import Bundle

    if context.params["calibrate"]:
        return calibration_work(context)
    return Work(Bundle.open(context.params["bundle"]), *_forwarded_options(context), context.params["results"])


def _forwarded_options(context: typer.Context) -> tuple[list[str], dict[str, Any]]:
    """Return the options for ``run`` on every engine, and those that are fields of its Settings.

    Raise BadInput for values that ``run`` would refuse, before anything is sent.
    """
    values = {name: context.params[name] for name in FORWARDED if context.params[name] is not None}
    budget = parsing.duration(values.get("budget"))
    if budget is not None:  # chooses trials and processes, unless they are set
        defaults = {"trials", "processes"} - parsing.explicit_options(context)
        values = {name: value for name, value in values.items() if name not in defaults}
    parsing.counts(values.get("threads"), "--threads")
    parsing.counts(values.get("batch_size"), "--batch-size")
    options = [part for name, value in values.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    stated = {name: values[name] for name in ("trials", "processes", "limit", "resample", "seed") if name in values}
    return options, stated | {"budget_s": budget, "memory_limit": parsing.memory(values.get("memory_limit"))}


def _print(outcome: "Outcome", shown: Shown) -> None:
    """Print the answer, a line for each machine that failed, and the machines."""
    from edge_bench.app.cli import console
    from edge_bench.app.tables.answer.fleet import FleetAnswered, fleet_sentences, fleet_text
    from edge_bench.app.tables.fleet import fleet_table
    from edge_bench.bench.analysis.answer.machines import compare_machines
    from edge_bench.bench.analysis.comparison.comparison import compare as compare_runs

    measured = [run for run in outcome.runs if run.results_with_trials]
    compared = compare_runs(measured) if measured else None
    machines = compare_machines(measured, compared) if compared else None
    engines = fleet_table(outcome.devices, compared, machines)
    tables = [engines, *(console.comparison_tables(compared) if compared else [])]
    subject = FleetAnswered(outcome.devices, measured, compared, machines, tables, AGAIN)
    print_answered(
        tables,
        lambda: fleet_sentences(subject),
        lambda **how: fleet_text(subject, width(), **how),
        shown,
    )
    if measured:
        print_next([outcome.folder.parent], shown.form)


def _finish(outcome: "Outcome") -> None:
    """Raise the error that the outcome calls for."""
    if outcome.interrupted:
        raise Interrupted("interrupted; fetched Runs are kept", "rerun the same command with --resume to continue")
    if missing := outcome.missing:
        names = ", ".join(device.engine.name for device in missing)
        raise EdgeBenchError(
            f"{len(missing)} of {counted(len(outcome.devices), 'engine')} without a Run or not cleaned up: {names}",
            "see the reasons above, then rerun the same command with --resume for these engines only",
        )
