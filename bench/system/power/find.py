"""The power meter of this machine. All files are read below ``root``, so that tests can use a recorded tree."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.io.files import read_text_or_empty
from edge_bench.bench.system.power.hwmon import Candidate, hwmon_candidates, hwmon_meter
from edge_bench.bench.system.power.meters import REAL_TIME, Meter, Timer
from edge_bench.bench.system.power.pmic import Print, pmic_meter, pmic_watts, vcgencmd
from edge_bench.bench.system.power.rapl import packages, rapl_meter
from edge_bench.bench.system.power.values import ReadText, why_unreadable

__all__ = ["Search", "find_meter", "why_no_sensor"]

#: Names of the files that can be set as a sensor.
_SENSOR_FILES = ("energy*_input", "power*_input", "power*_average")
#: Files that are named one by one.
_NAMED = 4


class Search(NamedTuple):
    """The best meter, and why a better one could not be used, with the remedy."""

    meter: Meter | None
    problem: str = ""
    remedy: str = ""


def find_meter(
    root: Path = Path("/"),
    file: str = "",
    *,
    read: ReadText = Path.read_text,
    timer: Timer = REAL_TIME,
    printed: Print = vcgencmd,
) -> Search:
    """Return the best readable power meter: a hwmon sensor, the Raspberry Pi 5's power chip, or RAPL.

    ``file`` names a hwmon sensor to use instead. ``printed`` returns the output of ``vcgencmd pmic_read_adc``.
    """
    if file:
        return Search(hwmon_meter(Path(file), read, timer))
    candidates = hwmon_candidates(root, read)
    if len(candidates) == 1 and not candidates[0].problem:
        return Search(hwmon_meter(candidates[0].path, read, timer))
    problem, remedy = _hwmon_problem(candidates, root)
    if "Raspberry Pi 5" in read_text_or_empty(root / "proc/device-tree/model"):
        if not (of_chip := _pmic_problem(printed)):
            return Search(pmic_meter(printed, timer), problem, remedy)
        problem, remedy = problem or of_chip, remedy or "install vcgencmd, and run as a user of the group video"
    if not (files := packages(root)):
        return Search(None, problem, remedy)
    unreadable = [(path, why) for path in files if (why := why_unreadable(path, read))]
    if not unreadable:
        return Search(rapl_meter(root, read, timer), problem, remedy)
    path, why = unreadable[0]
    return Search(
        None,
        problem or f"/{path.relative_to(root)}: {why}",
        remedy or "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj, until the next start of the machine",
    )


def why_no_sensor(file: str, read: ReadText = Path.read_text) -> str:
    """Return why a file cannot be used as a sensor; empty if it can."""
    path = Path(file)
    if not any(path.match(pattern) for pattern in _SENSOR_FILES):
        return f"not a file named {', '.join(_SENSOR_FILES)}"
    if path.exists() and not path.is_file():  # reading a pipe could wait forever
        return "not a regular file"
    return why_unreadable(path, read)


def _hwmon_problem(candidates: list[Candidate], root: Path) -> tuple[str, str]:
    """Return why no sensor of hwmon is used, and the remedy; empty if there are no sensors."""
    if not candidates:
        return "", ""
    names = [f"/{each.path.relative_to(root)} ({each.chip or 'unnamed'})" for each in candidates[:_NAMED]]
    if len(candidates) > 1:
        more = ", …" if len(candidates) > _NAMED else ""
        several = f"{len(candidates)} power sensors, and which one measures the supply is not known"
        return f"{several}: {', '.join(names)}{more}", "choose one with --power FILE"
    return f"{names[0]}: {candidates[0].problem}", "make it readable, for example with sudo chmod a+r"


def _pmic_problem(printed: Print) -> str:
    """Return why the power chip cannot be read; empty if it can."""
    try:
        watts = pmic_watts(printed())
    except (OSError, subprocess.SubprocessError) as cause:
        return f"vcgencmd pmic_read_adc failed: {getattr(cause, 'strerror', None) or type(cause).__name__}"
    return "" if watts is not None else "vcgencmd pmic_read_adc printed no rails"
