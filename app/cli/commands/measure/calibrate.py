"""The command ``calibrate``."""

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edge_bench.app.cli.options.calibrate import (
    DEFAULT_RUNS,
    CalibrationRuns,
    DeviceFile,
    DeviceName,
    Force,
    NetworkBundle,
    Once,
    Resume,
)
from edge_bench.app.cli.options.run import Processes, Trials
from edge_bench.app.cli.options.shared import OutputFormat, Timeout
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted

if TYPE_CHECKING:
    from edge_bench.bench.records.bundle import Bundle
    from edge_bench.bench.records.run import Run

__all__ = ["calibrate"]


def calibrate(
    name: DeviceName = None,
    output: DeviceFile = None,
    force: Force = False,
    results: CalibrationRuns = DEFAULT_RUNS,
    once: Once = False,
    resume: Resume = False,
    trials: Trials = 15,
    processes: Processes = 3,
    bundle: NetworkBundle = None,
    timeout: Timeout = 600,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Calibrate latency predictions on this machine, and write its device file.

    Five generated models in two widths are measured in float32 and int8, with one thread and with all cores. This
    takes a few minutes. `edge-bench predict --device NAME` then predicts other models.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.calibration import calibration_table
    from edge_bench.bench.device_calibration.device import calibrated_device, device_name
    from edge_bench.bench.device_calibration.device_files import device_path, write_device_file
    from edge_bench.bench.device_calibration.measuring import (
        calibration_settings,
        measure_networks,
        require_reliable,
    )
    from edge_bench.bench.system.machine import describe_machine

    name = device_name(name or (output.stem if output else describe_machine().hostname))
    target = device_path(name, output)
    progress = console.progress()
    with contextlib.ExitStack() as stack:
        networks = _networks(bundle, stack)
        settings = calibration_settings(trials, processes, timeout)
        how = {"force": force, "once": once, "resume": resume}
        run, path = measure_networks(networks, results, progress, settings, **how)
        _require_complete(run)
        require_reliable(run, path, force=force)
        made = calibrated_device(run, networks, name)
    write_device_file(target, made.device)
    console.print_table(calibration_table(made, run, target), output_format)
    console.note(f"measurements: {path}")
    console.note(f"next: edge-bench predict MODEL --device {name if output is None else target}")


def _networks(given: Path | None, stack: contextlib.ExitStack) -> "Bundle":
    """Return the bundle of the networks: the given one, or a new one that is removed in the end."""
    from edge_bench.bench.device_calibration.network_bundle import open_network_bundle, write_network_bundle

    if given is not None:
        return open_network_bundle(given)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="edge-bench-calibrate-"))
    return write_network_bundle(Path(folder))


def _require_complete(run: "Run") -> None:
    """Raise an error if the Run was interrupted or stopped."""
    if run.complete:
        return
    if run.stopped:
        raise EdgeBenchError(f"stopped: {run.stopped}", "fix this, then rerun with --resume")
    raise Interrupted("interrupted; measurements so far are kept", "rerun the same command with --resume to continue")
