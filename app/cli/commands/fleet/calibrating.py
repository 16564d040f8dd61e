"""``fleet run --calibrate``: a calibration on every engine, and a device file for each."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_bench.app.cli import parsing
from edge_bench.app.render.formats import FOR_PROGRAMS
from edge_bench.bench.errors import BadInput, EdgeBenchError

if TYPE_CHECKING:
    import typer

    from edge_bench.app.fleet.runs.fleet_job import Outcome
    from edge_bench.app.render.formats import Format
    from edge_bench.app.render.table import Table
    from edge_bench.bench.records.bundle import Bundle
    from edge_bench.bench.records.run import Run

__all__ = ["Work", "calibration_work", "print_devices", "require_bundle", "require_names"]

#: Options of ``fleet run`` that have no meaning for a calibration, which always measures the same.
_UNUSED = (
    "bundle", "variant", "runtime", "threads", "batch_size", "limit", "budget", "resample", "scenario", "seed",
    "memory_limit", "swarm", "stack_file", "wide", "why",
)  # fmt: skip


class Work(NamedTuple):
    """What is measured on every engine."""

    bundle: "Bundle"
    options: list[str]  # of the command on every engine
    settings: dict[str, Any]  # those that are fields of the Run's settings
    results: Path


def require_bundle(context: "typer.Context") -> None:
    """Raise BadInput without a bundle to measure, and for --force, unless --calibrate is given."""
    if context.params["calibrate"]:
        return
    if context.params["force"]:
        raise BadInput("--force: only with --calibrate", "omit it")
    if context.params["bundle"] is None:
        example = (context.command.epilog or "").split("\n")[0]
        raise BadInput("missing BUNDLE: the bundle to measure on all engines", f"for example: {example}")


def require_names(engines: Sequence[str]) -> None:
    """Raise BadInput if two engines would write one device file."""
    from edge_bench.bench.device_calibration.device import device_name
    from edge_bench.bench.device_calibration.device_files import free_name

    owners: dict[str, str] = {}
    for engine in engines:
        name = free_name(device_name(engine))
        if (other := owners.setdefault(name, engine)) != engine:
            raise BadInput(
                f"engines {other} and {engine} would both write the device file {name}.toml", "rename one of them"
            )


def calibration_work(context: "typer.Context") -> Work:
    """Return the networks and the options of ``calibrate``. Their folder is removed when the command ends.

    Raise BadInput for options that have no effect.
    """
    from edge_bench.app.cli.commands.measure.calibrate import DEFAULT_RUNS
    from edge_bench.bench.device_calibration.network_bundle import write_network_bundle

    options, settings = _options(context)
    folder = context.with_resource(tempfile.TemporaryDirectory(prefix="edge-bench-calibrate-"))
    stated = "results" in parsing.explicit_options(context)
    results = Path(context.params["results"]) if stated else DEFAULT_RUNS
    return Work(write_network_bundle(Path(folder)), options, settings, results)


def _options(context: "typer.Context") -> tuple[list[str], dict[str, Any]]:
    """Return the options for ``calibrate`` on every engine, and those that are fields of the Run's settings."""
    from edge_bench.bench.device_calibration.measuring import calibration_settings

    explicit = parsing.explicit_options(context)
    for name in _UNUSED:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":  # variables are for other commands, too
            flag = "BUNDLE" if name == "bundle" else f"--{name.replace('_', '-')}"
            raise BadInput(f"{flag}: not with --calibrate, which always measures the same networks", "omit it")
    stated = {name: context.params[name] for name in ("trials", "processes") if name in explicit}
    settings = calibration_settings(**stated)
    words = ["--trials", settings.trials, "--processes", settings.processes, "--timeout", context.params["timeout"]]
    force = ["--force"] if context.params["force"] else []
    fields = {"trials": settings.trials, "processes": settings.processes, "at_once": settings.at_once}
    return [*map(str, words), *force], fields


def print_devices(outcome: "Outcome", bundle: "Bundle", form: "Format") -> None:
    """Write the device file of each engine with a Run, and print its calibration; print why an engine has none."""
    from edge_bench.app.cli import console

    tables = []
    for device in outcome.devices:
        run = next((each for each in outcome.runs if each.run_id == device.run_id), None)
        if run is None:
            console.note(f"! {device.engine.name}: {device.reason}{f'; {device.remedy}' if device.remedy else ''}")
            continue
        try:
            tables.append(_calibration(run, bundle, device.engine.name))
        except EdgeBenchError as cause:
            console.note(f"! {device.engine.name}: {cause.problem}; {cause.remedy}")
    console.print_tables(tables if form not in FOR_PROGRAMS else _as_one(tables), form)


def _as_one(tables: "Sequence[Table]") -> "list[Table]":
    """Return the tables of all engines as one, as programs read a single list; the records name the device."""
    if not tables:
        return []
    rows = [row for table in tables for row in table.rows]
    records = [record for table in tables for record in table.records]
    return [dataclasses.replace(tables[0], rows=rows, records=records)]


def _calibration(run: "Run", bundle: "Bundle", engine: str) -> "Table":
    from edge_bench.app.tables.calibration import calibration_table
    from edge_bench.bench.device_calibration.device import calibrated_device, device_name
    from edge_bench.bench.device_calibration.device_files import device_path, free_name, write_device_file
    from edge_bench.bench.device_calibration.measuring import refuse_emulated

    refuse_emulated(run.machine)
    name = free_name(device_name(engine))
    path = device_path(name, None)
    made = calibrated_device(run, bundle, name)
    write_device_file(path, made.device)
    return calibration_table(made, run, path)
