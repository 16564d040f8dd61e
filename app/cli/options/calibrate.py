"""Options of ``calibrate``."""

from pathlib import Path
from typing import Annotated

from edge_bench.app.cli.options.declare import Section, option

__all__ = ["DEFAULT_RUNS", "CalibrationRuns", "DeviceFile", "DeviceName", "Force", "NetworkBundle", "Once", "Resume"]

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
