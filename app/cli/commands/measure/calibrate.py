"""The command ``calibrate``."""

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from edge_bench.app.cli.options.declare import Section, option
from edge_bench.app.cli.options.run import Processes, Trials
from edge_bench.app.cli.options.shared import OutputFormat, Timeout
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted

if TYPE_CHECKING:
    from edge_bench.bench.records.bundle import Bundle
    from edge_bench.bench.records.run import Run

__all__ = ["DEFAULT_RUNS", "calibrate"]

#: Folder of the Runs of calibrations. It is not that of other Runs, whose reports would contain them.
DEFAULT_RUNS = Path("results/calibration")

DeviceName = Annotated[
    str | None,
    option(
        "--name",
        env="CALIBRATE_NAME",
        metavar="NAME",
        help="Name of the device, for `edge-bench predict --device`. [default: this machine's name]",
    ),
]
DeviceFile = Annotated[
    Path | None,
    option(
        "--output",
        env="CALIBRATE_OUTPUT",
        metavar="FILE",
        help="The device file to write, such as desk.toml. [default: NAME.toml in the user's data folder]",
    ),
]
CalibrationRuns = Annotated[
    Path,
    option(
        "--results", "-o", env="CALIBRATE_RESULTS", metavar="FOLDER", help="Folder for the Run with all measurements."
    ),
]
Once = Annotated[
    bool,
    option(
        "--once",
        env="CALIBRATE_ONCE",
        help="Use the last complete calibration Run of this machine in the folder, if there is one, instead of "
        "measuring again.",
    ),
]
Resume = Annotated[
    bool,
    option("--resume", env="CALIBRATE_RESUME", help="Continue an interrupted calibration."),
]
Force = Annotated[
    bool,
    option(
        "--force",
        env="CALIBRATE_FORCE",
        help="Calibrate even if this machine is not reliable. The device file is then marked as unreliable.",
    ),
]
NetworkBundle = Annotated[
    Path | None,
    option(
        "--bundle",
        "-b",
        env="CALIBRATE_BUNDLE",
        section=Section.MEASURING,
        metavar="FOLDER",
        help="The bundle of the networks, as `fleet run --calibrate` sends it. [default: written anew]",
    ),
]


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
