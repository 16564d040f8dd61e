"""``fleet run --calibrate``: a calibration on every engine, and a device file for each."""

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_bench.app.cli import parsing
from edge_bench.bench.errors import BadInput, EdgeBenchError

if TYPE_CHECKING:
    import typer

    from edge_bench.app.fleet.runs.fleet_job import Outcome
    from edge_bench.app.render.formats import Format
    from edge_bench.app.render.table import Table
    from edge_bench.bench.records.bundle import Bundle
    from edge_bench.bench.records.run import Run

__all__ = ["networks", "options", "print_devices", "required_bundle", "results_folder"]

#: Options of ``fleet run`` that have no meaning for a calibration, which always measures the same.
_UNUSED = (
    "bundle", "variant", "runtime", "threads", "batch_size", "limit", "budget", "resample", "scenario", "seed",
    "memory_limit", "swarm", "stack_file", "wide", "why",
)  # fmt: skip


def required_bundle(bundle: Path | None, *, force: bool) -> Path:
    """Return the bundle to measure; raise BadInput if there is none."""
    if force:
        raise BadInput("--force: only with --calibrate", "omit it")
    if bundle is None:
        raise BadInput("the bundle to measure is missing", "name its folder, such as artifacts/bundle, or --calibrate")
    return bundle


def results_folder(context: "typer.Context") -> Path:
    """Return the folder of the Runs: the one that the user set, or that of ``calibrate``."""
    from edge_bench.app.cli.options.calibrate import DEFAULT_RUNS

    stated = "results" in parsing.explicit_options(context)
    return Path(context.params["results"]) if stated else DEFAULT_RUNS


def networks(resources: contextlib.ExitStack) -> "Bundle":
    """Return the bundle of the networks, in a folder that is removed with ``resources``."""
    from edge_bench.bench.device_calibration.network_bundle import write_network_bundle

    folder = resources.enter_context(tempfile.TemporaryDirectory(prefix="edge-bench-calibrate-"))
    return write_network_bundle(Path(folder))


def options(context: "typer.Context") -> tuple[list[str], dict[str, Any]]:
    """Return the options for ``calibrate`` on every engine, and those that are fields of the Run's settings.

    Raise BadInput for options that have no effect.
    """
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
    console.print_tables(tables, form)


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
